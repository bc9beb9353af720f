"""PolicyStore: what every implementation promises."""

from dataclasses import replace

import pytest

from shared.domain.errors import InvalidInput, Stale
from shared.ports import PolicyRow, PolicyStore
from tests.contract.conftest import People


async def test_there_are_no_policies_at_first(policies: PolicyStore) -> None:
    assert list(await policies.rows()) == []
    assert await policies.row("shop", "web") is None


async def test_rows_come_as_people_wrote_them_sorted_by_team_and_policy(
    policies: PolicyStore, people: People
) -> None:
    await people.write_policy("shop", "web", match="name:web-*", enabled=True, concurrency=2)
    await people.write_policy("shop", "db", owners="dba@example.com", unheardOf=1.5)
    await people.write_policy("data", "lake")

    found = [(row.team, row.policy, row.columns) for row in await policies.rows()]

    assert found == [
        ("data", "lake", {}),
        ("shop", "db", {"owners": "dba@example.com", "unheardOf": 1.5}),
        ("shop", "web", {"match": "name:web-*", "enabled": True, "concurrency": 2}),
    ]


async def test_a_status_touches_nothing_that_people_wrote(
    policies: PolicyStore, people: People
) -> None:
    await people.write_policy("shop", "o'hara", match="*", gap="PT5M")
    row = await policies.row("shop", "o'hara")
    assert row

    await policies.write_status(row, status="applied", message="3 VMs")

    after = await policies.row("shop", "o'hara")
    assert after
    assert after.columns == {"match": "*", "gap": "PT5M"}
    assert (after.status, after.status_message) == ("applied", "3 VMs")
    assert after.etag != row.etag


async def test_a_status_can_become_empty(policies: PolicyStore, people: People) -> None:
    await people.write_policy("shop", "web")
    row = await policies.row("shop", "web")
    assert row
    await policies.write_status(row, status="error", message="a problem")
    row = await policies.row("shop", "web")
    assert row

    await policies.write_status(row, status="applied", message="")

    after = await policies.row("shop", "web")
    assert after
    assert (after.status, after.status_message) == ("applied", "")


async def test_a_status_about_what_has_changed_is_not_written(
    policies: PolicyStore, people: People
) -> None:
    await people.write_policy("shop", "web", match="*")
    row = await policies.row("shop", "web")
    assert row
    await people.write_policy("shop", "web", match="name:a")

    with pytest.raises(Stale):
        await policies.write_status(row, status="applied", message="")

    after = await policies.row("shop", "web")
    assert after
    assert after.status == ""
    assert after.columns == {"match": "name:a"}


async def test_a_status_never_brings_a_deleted_row_back(
    policies: PolicyStore, people: People
) -> None:
    await people.write_policy("shop", "web")
    row = await policies.row("shop", "web")
    assert row
    await people.remove_policy("shop", "web")

    with pytest.raises(Stale):
        await policies.write_status(row, status="applied", message="")

    assert list(await policies.rows()) == []


async def test_a_status_of_any_length_is_written(policies: PolicyStore, people: People) -> None:
    await people.write_policy("shop", "web")
    row = await policies.row("shop", "web")
    assert row

    await policies.write_status(row, status="error", message="wrong " * 10_000)

    after = await policies.row("shop", "web")
    assert after
    assert len(after.status_message) == 32_000


async def test_a_row_is_written_as_a_whole_and_read_back_as_it_was_written(
    policies: PolicyStore,
) -> None:
    columns = {"match": "name:o'h-*", "enabled": False, "concurrency": 2}

    await policies.write(PolicyRow(team="shop", policy="web", columns=columns))

    after = await policies.row("shop", "web")
    assert after
    assert after.columns == columns
    assert type(after.columns["enabled"]) is bool
    assert after.etag


async def test_a_row_that_is_written_again_loses_its_old_columns_and_keeps_its_status(
    policies: PolicyStore, people: People
) -> None:
    await people.write_policy("shop", "web", match="*", gap="PT5M")
    row = await policies.row("shop", "web")
    assert row
    await policies.write_status(row, status="error", message="a problem")
    row = await policies.row("shop", "web")
    assert row

    await policies.write(replace(row, columns={"match": "name:a"}))

    after = await policies.row("shop", "web")
    assert after
    assert after.columns == {"match": "name:a"}
    assert (after.status, after.status_message) == ("error", "a problem")


async def test_a_row_that_somebody_changed_is_neither_overwritten_nor_deleted(
    policies: PolicyStore, people: People
) -> None:
    await people.write_policy("shop", "web", match="*")
    row = await policies.row("shop", "web")
    assert row
    await people.write_policy("shop", "web", match="name:theirs")

    with pytest.raises(Stale):
        await policies.write(replace(row, columns={"match": "name:mine"}))
    with pytest.raises(Stale):
        await policies.delete(row)
    with pytest.raises(Stale):
        await policies.write(replace(row, columns={"match": "name:mine"}, etag=""))

    after = await policies.row("shop", "web")
    assert after
    assert after.columns == {"match": "name:theirs"}


async def test_a_row_that_somebody_deleted_does_not_come_back(
    policies: PolicyStore, people: People
) -> None:
    await people.write_policy("shop", "web", match="*")
    row = await policies.row("shop", "web")
    assert row
    await people.remove_policy("shop", "web")

    with pytest.raises(Stale):
        await policies.write(row)
    with pytest.raises(Stale):
        await policies.delete(row)

    assert list(await policies.rows()) == []


async def test_a_row_is_deleted(policies: PolicyStore, people: People) -> None:
    await people.write_policy("shop", "web")
    await people.write_policy("shop", "db")
    row = await policies.row("shop", "web")
    assert row

    await policies.delete(row)

    assert [row.policy for row in await policies.rows()] == ["db"]


@pytest.mark.parametrize("name", ["", "a/b", "a#b", "x" * 600])
async def test_a_name_that_no_table_takes_is_refused_by_name(
    policies: PolicyStore, name: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await policies.write(PolicyRow(team="shop", policy=name, columns={}))

    assert caught.value.problems[0].field == "RowKey"
