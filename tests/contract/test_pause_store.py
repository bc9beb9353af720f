"""PauseStore: what every implementation promises."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.pause_rows import pause_of_row, pause_write
from shared.adapters.tables import TableService
from shared.domain.errors import InvalidInput, Stale
from shared.domain.pause import Pause
from shared.ports import PauseStore
from tests.builders import NOW

ALL = Pause(by="ann", at=NOW, reason="a bad night")
SHOP = Pause(team="shop", by="bob", at=NOW)
WEB = Pause(team="shop", policy="web", by="bob", at=NOW)


async def test_nothing_is_paused_at_first(pauses: PauseStore) -> None:
    assert list(await pauses.all()) == []


async def test_pauses_come_back_as_they_were_written_the_widest_first(pauses: PauseStore) -> None:
    for pause in (WEB, ALL, SHOP):
        await pauses.write(pause)

    found = await pauses.all()
    assert [replace(pause, etag="") for pause in found] == [ALL, SHOP, WEB]


async def test_a_resumed_pause_stays_with_who_and_when_and_can_be_paused_again(
    pauses: PauseStore,
) -> None:
    await pauses.write(ALL)
    (kept,) = await pauses.all()
    await pauses.write(replace(kept, resumed_by="bob", resumed_at=NOW + timedelta(hours=1)))

    (ended,) = await pauses.all()
    assert (ended.holds, ended.by, ended.resumed_by) == (False, "ann", "bob")

    await pauses.write(replace(ALL, by="cy", etag=ended.etag))
    (again,) = await pauses.all()
    assert (again.holds, again.by, again.resumed_at) == (True, "cy", None)


async def test_of_two_who_write_at_once_one_is_stale(pauses: PauseStore) -> None:
    await pauses.write(ALL)
    (kept,) = await pauses.all()
    await pauses.write(replace(kept, resumed_by="bob", resumed_at=NOW))

    for late in (ALL, replace(kept, by="cy")):
        with pytest.raises(Stale):
            await pauses.write(late)


@pytest.mark.parametrize("team", ["a/b", "a#b", "x" * 600])
async def test_a_name_that_no_key_may_have_is_refused(pauses: PauseStore, team: str) -> None:
    with pytest.raises(InvalidInput, match="RowKey"):
        await pauses.write(replace(SHOP, team=team))


async def test_a_row_that_cannot_be_read_holds_what_its_key_names(
    service: TableService | None, pauses: PauseStore
) -> None:
    spoilt: dict[str, Any] = {"PartitionKey": "pauses", "RowKey": "shop|web", "at": "yesterday"}
    if service:
        client = service.client()
        table = await client.create_table_if_not_exists(service.prefix + "Pauses")
        await table.create_entity(spoilt)
        (pause,) = await pauses.all()
    else:
        pause = pause_of_row(spoilt, "1")

    assert pause.holds
    assert pause.covers("shop", "web")
    assert not pause.covers("shop", "db")
    assert "cannot be read" in str(pause)


@pytest.mark.parametrize(
    "spoilt", [{"v": 2}, {"by": None}, {"at": None}, {"team": "bank"}, {"resumedAt": 7}]
)
def test_whatever_is_wrong_with_a_row_it_holds(spoilt: dict[str, object]) -> None:
    entity = {**pause_write(replace(WEB, resumed_at=NOW)).entity, **spoilt}

    assert pause_of_row(pause_write(replace(WEB, resumed_at=NOW)).entity, "1").holds is False
    assert pause_of_row(entity, "1").holds is True
