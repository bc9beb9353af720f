"""Pages of entities as the service sends them."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from shared.adapters.table_pages import Found, read_pages


def _query(*bodies: bytes) -> Callable[[Callable[[Any], None]], AsyncIterator[Any]]:
    """The SDK's paged query: each answer goes through the hook, and no row is left to decode."""

    async def pages(take: Callable[[Any], None]) -> AsyncIterator[Any]:
        for number, body in enumerate(bodies, 1):
            more = {"x-ms-continuation-NextPartitionKey": "1"} if number < len(bodies) else {}
            answer = SimpleNamespace(status_code=200, body=lambda body=body: body, headers=more)
            answered = SimpleNamespace(http_response=answer)
            take(answered)
            for row in json.loads(answered.http_response.text("utf-8"))["value"]:
                yield row

    return pages


async def _read(*bodies: bytes) -> list[Found]:
    return [row for page in await read_pages(_query(*bodies), list) for row in page]


def _page(*rows: dict[str, Any]) -> bytes:
    return json.dumps({"value": rows}).encode()


async def test_rows_of_all_pages_come_in_their_order() -> None:
    pages = (_page({"RowKey": str(n), "odata.etag": f"e{n}"}) for n in range(3))

    found = await _read(*pages)

    assert found == [Found({"RowKey": str(n)}, f"e{n}") for n in range(3)]


async def test_each_type_of_azure_is_read_as_python_has_it() -> None:
    row = {
        "at@odata.type": "Edm.DateTime",
        "at": "2026-03-09T12:00:00.1234567Z",
        "id@odata.type": "Edm.Guid",
        "id": "11111111-1111-4111-8111-111111111111",
        "big@odata.type": "Edm.Int64",
        "big": "5000000000",
        "part@odata.type": "Edm.Double",
        "part": "NaN",
        "raw@odata.type": "Edm.Binary",
        "raw": "AAE=",
        "text": "a",
        "number": 1,
        "flag": True,
        "odata.etag": "e",
        "Timestamp": "2026-03-09T12:00:00Z",
    }

    [found] = await _read(_page(row))

    assert str(found.entity) == str(
        {
            "at": datetime(2026, 3, 9, 12, 0, 0, 123456, tzinfo=UTC),
            "id": UUID("11111111-1111-4111-8111-111111111111"),
            "big": 5_000_000_000,
            "part": float("nan"),
            "raw": b"\x00\x01",
            "text": "a",
            "number": 1,
            "flag": True,
        }
    )


async def test_an_etag_that_the_service_leaves_out_is_made_of_the_last_change() -> None:
    [found] = await _read(_page({"Timestamp": "2026-03-09T12:00:00.1234567Z"}))

    assert found.etag == "W/\"datetime'2026-03-09T12%3A00%3A00.1234567Z'\""


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"value": 1}', b"\xff"])
async def test_an_answer_that_is_no_page_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of the four, which one is json's
        await _read(body)
