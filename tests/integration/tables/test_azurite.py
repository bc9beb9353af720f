"""What only real tables show: types on the wire, rows that people broke, tables that are missing."""

import asyncio
import logging
import re
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from azure.data.tables import EdmType, EntityProperty, UpdateMode
from azure.data.tables.aio import TableClient

from shared.adapters.cells import as_written
from shared.adapters.table_alerts import TableAlerts
from shared.adapters.table_jobs import TableJobs
from shared.adapters.table_outcomes import TableOutcomes
from shared.adapters.table_policies import TablePolicies
from shared.adapters.tables import TableService, connect_tables
from shared.domain.errors import InvalidInput, Retryable, Stale, Terminal
from shared.domain.ledger import Change
from tests.builders import NOW, a_head, a_job, an_alert, an_attempt, an_away

WEIRD = 'o\'hara "x" 100% %2F \\ 東京 🗼 \x01\x1f\x7f\ttab\nline\r\n @p (a) {b} <c>&amp;'


def table(service: TableService, name: str) -> TableClient:
    return service.client().get_table_client(service.prefix + name)


async def row_of(service: TableService, name: str) -> dict[str, Any]:
    (row,) = [entity async for entity in table(service, name).list_entities()]
    return dict(row)


async def test_a_row_is_the_same_alone_and_in_a_page_which_baton_decodes(
    service: TableService,
) -> None:
    row: dict[str, Any] = {
        "PartitionKey": "p",
        "RowKey": "r",
        "big": EntityProperty(2**40, EdmType.INT64),
        "id": UUID(int=7),
        "raw": b"\x00\xff",
        "at": NOW + timedelta(microseconds=123456),
        "text": WEIRD,
        "part": 0.1,
        "number": -1,
        "flag": True,
    }
    own = service.table("Any")
    await own.put(row)

    alone = await own.get("p", "r")
    ((thread, (found,)),) = await own.pages(
        lambda rows: (threading.get_ident(), rows), "PartitionKey eq 'p'"
    )

    assert alone
    assert thread != threading.get_ident()
    assert found.etag == alone.etag
    assert {name: as_written(cell) for name, cell in found.entity.items()} == {
        name: as_written(cell) for name, cell in alone.entity.items()
    }


async def test_an_outcome_has_the_types_that_people_filter_by(service: TableService) -> None:
    await TableOutcomes(service).add(a_job(), an_attempt(ended_at=NOW + timedelta(seconds=1)))
    types: dict[str, str] = {}

    def look(response: Any) -> None:
        text = response.http_response.text()
        types.update(re.findall(r'"(\w+)@odata.type":"([\w.]+)"', text))

    found = table(service, "Outcomes").query_entities(
        "terminal eq true and stage eq 1 and endedAt gt @at and outcome eq 'completed'",
        parameters={"at": NOW},
        raw_response_hook=look,
    )
    rows = [row async for row in found]

    assert len(rows) == 1
    assert {name for name, type_ in types.items() if type_ == "Edm.DateTime"} >= {
        "startedAt",
        "verifiedAt",
        "endedAt",
        "preMaintenanceWindowStartTime",
        "preMaintenanceWindowEndTime",
    }
    assert type(rows[0]["attempt"]) is int


async def test_texts_of_any_kind_survive_the_table(service: TableService) -> None:
    jobs = TableJobs(service)
    job = a_job(reason=WEIRD, operation_url=WEIRD, region_pairs=(WEIRD,), unsettled=an_attempt())
    head = a_head(match=WEIRD)

    await jobs.commit(Change(heads=(head,), jobs=(job,), away=(an_away(WEIRD, x=1),), at=NOW))

    ledger = await jobs.ledger("shop", "web")
    assert ledger
    assert replace(ledger.jobs[0], etag="") == job
    assert ledger.head.columns == {"match": WEIRD}
    assert (await jobs.away(WEIRD)).jobs == {"x": 1}


async def test_columns_of_every_type_that_people_write_are_read(service: TableService) -> None:
    policies = TablePolicies(service)
    await policies.rows()
    written = {
        "PartitionKey": "shop",
        "RowKey": "web",
        "priority": (5_000_000_000, EdmType.INT64),
        "small": 7,
        "since": NOW,
        "bytes": b"\x00\xff",
        "id": UUID(int=1),
        "share": 0.5,
        "enabled": False,
        "status": (9, EdmType.INT64),
    }
    await table(service, "Policies").upsert_entity(written)

    (row,) = await policies.rows()

    assert row.columns == {
        "priority": 5_000_000_000,
        "small": 7,
        "since": "2026-03-02T12:00:00Z",
        "bytes": "AP8=",
        "id": "00000000-0000-0000-0000-000000000001",
        "share": 0.5,
        "enabled": False,
    }
    assert row.status == "9"
    await policies.write_status(row, status="applied", message="")
    kept = await row_of(service, "Policies")
    same = ("small", "since", "bytes", "id", "share", "enabled")
    assert {name: kept[name] for name in same} == {name: written[name] for name in same}
    assert kept["priority"] == (5_000_000_000, EdmType.INT64)


async def test_a_job_that_a_person_broke_stops_no_other(
    service: TableService, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = TableJobs(service)
    good, broken = a_job("web-1"), a_job("web-2")
    await jobs.commit(Change(heads=(a_head(),), jobs=(good, broken), at=NOW))
    before = await jobs.ledger("shop", "web")
    assert before
    keys = {"PartitionKey": "jobs", "RowKey": f"shop|web|{broken.id}"}
    await table(service, "Jobs").update_entity({**keys, "state": "flying"}, mode=UpdateMode.MERGE)

    with caplog.at_level(logging.ERROR):
        ledger = await jobs.ledger("shop", "web")

    assert ledger
    assert [job.id for job in ledger.jobs] == [good.id]
    (record,) = caplog.records
    assert record.__dict__["action"] == "job_row_unreadable"
    assert record.__dict__["row"] == keys["RowKey"]
    assert (record.__dict__["column"], record.__dict__["value"]) == ("state", "flying")
    assert await jobs.job("shop", "web", broken.id) is None
    assert (await jobs.books()).ledgers == {("shop", "web"): ledger}
    with pytest.raises(Stale):  # it is still there, and no second one is made in its place
        await jobs.commit(Change(jobs=(broken,), at=NOW))


async def test_a_broken_head_leaves_out_its_policy_alone(
    service: TableService, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = TableJobs(service)
    await jobs.commit(Change(heads=(a_head(), a_head("data", "db")), jobs=(a_job(),), at=NOW))
    keys = {"PartitionKey": "jobs", "RowKey": "shop|web|"}
    await table(service, "Jobs").update_entity({**keys, "columns": "["}, mode=UpdateMode.MERGE)

    assert list((await jobs.books()).ledgers) == [("data", "db")]
    assert await jobs.ledger("shop", "web") is None
    assert "columns" in caplog.text


async def test_a_broken_placement_is_refused_rather_than_guessed(service: TableService) -> None:
    jobs = TableJobs(service)
    await jobs.commit(Change(away=(an_away(a=1),), at=NOW))
    row = await row_of(service, "Jobs")
    await table(service, "Jobs").update_entity({**row, "away": "{"}, mode=UpdateMode.MERGE)

    with pytest.raises(InvalidInput, match="away"):
        await jobs.away(an_away().domain_set)


async def test_a_broken_alert_stops_no_other(service: TableService) -> None:
    alerts = TableAlerts(service)
    for name in "ab":
        await alerts.add(an_alert(name))
    broken = {"PartitionKey": "alerts", "RowKey": an_alert("a").id, "facts": "?"}
    await table(service, "Alerts").update_entity(broken, mode=UpdateMode.MERGE)

    assert [alert.id for alert in await alerts.unsent()] == [an_alert("b").id]


async def test_many_that_miss_a_table_at_once_all_go_on(service: TableService) -> None:
    alerts = TableAlerts(service)

    new = await asyncio.gather(*(alerts.add(an_alert(str(number))) for number in range(10)))

    assert all(new)
    assert len(await alerts.unsent()) == 10


async def test_a_table_that_is_deleted_under_way_is_made_again(service: TableService) -> None:
    jobs = TableJobs(service)
    await jobs.commit(Change(heads=(a_head(),), at=NOW))
    await table(service, "Jobs").delete_table()

    await jobs.commit(Change(heads=(a_head(),), at=NOW))

    assert await jobs.ledger("shop", "web")


async def test_a_closed_account_opens_again(service: TableService) -> None:
    alerts = TableAlerts(service)
    await alerts.add(an_alert())
    await service.close()

    assert not await alerts.add(an_alert())


async def test_a_wrong_key_is_terminal_and_says_what_is_missing(azurite: str) -> None:
    wrong = re.sub("AccountKey=[^;]+", "AccountKey=AAAA", azurite)
    service = connect_tables(wrong, None, None, "Baton")

    try:
        with pytest.raises(Terminal) as caught:
            await TableJobs(service).books()
    finally:
        await service.close()

    assert "Storage Table Data Contributor" in str(caught.value)
    assert "BatonJobs at http://127.0.0.1:" in str(caught.value)
    assert "AAAA" not in str(caught.value)


async def test_nobody_listening_is_retryable() -> None:
    text = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=AAAA;TableEndpoint=http://127.0.0.1:1/a;"
    service = connect_tables(text, None, None, "Baton")

    try:
        with pytest.raises(Retryable):
            await TableJobs(service).commit(Change(heads=(a_head(),), at=NOW))
    finally:
        await service.close()


async def test_localhost_is_azurite_and_not_cosmos_db(azurite: str) -> None:
    named = azurite.replace("127.0.0.1", "localhost")
    service = connect_tables(named, None, None, "Local")

    try:
        assert await TableAlerts(service).add(an_alert())
    finally:
        await service.close()
