"""PatchStore: what every implementation promises."""

import json
from dataclasses import replace
from pathlib import Path

from shared.adapters.patch_rows import COLUMNS, patch_of, patch_row
from shared.domain.patching.model import PatchError
from shared.domain.patching.record import PatchState
from shared.ports import PatchStore
from tests.builders import NOW, a_vm_id
from tests.patch_builders import (
    a_patch,
    a_patch_record,
    a_summary,
    a_windows_vm,
    an_installation,
)

FULL = a_patch_record(
    assessment=a_summary(2, error=PatchError(code="E: 1", message="no: really")),
    installation=an_installation(
        status="Failed", error=PatchError(code="0x80070643", message="Fatal error")
    ),
    patches=(a_patch(), a_patch("5034130", published_date=None, classifications=("Updates",))),
    patches_at=NOW,
    due_since=NOW,
    azure_installs_by=NOW,
    off_peak_since=NOW,
    off_peak_seen=3,
    off_peak_running=2,
    assessing_url="https://arm.invalid/1",
    assessing_since=NOW,
    assessment_failures=1,
    assessment_problem="no answer",
    state=PatchState.DUE,
)


async def test_a_record_is_kept_as_it_is(patch_store: PatchStore) -> None:
    bare = a_patch_record(a_windows_vm("win-2"), assessment=None, seen_at=None, compliant_at=None)
    full = replace(FULL, assessment=replace(FULL.assessment, error=None))
    for record in (full, bare):
        await patch_store.keep(record)

    assert sorted(await patch_store.records(), key=lambda one: one.key) == [full, bare]


async def test_a_record_takes_the_place_of_the_last_whatever_the_case_of_its_id(
    patch_store: PatchStore,
) -> None:
    await patch_store.keep(FULL)
    again = replace(a_patch_record(), vm_id=FULL.vm_id.upper())
    await patch_store.keep(again)

    assert await patch_store.record(FULL.vm_id) == again
    assert await patch_store.records() == [again]


async def test_a_forgotten_record_is_gone_and_forgetting_it_again_is_no_error(
    patch_store: PatchStore,
) -> None:
    await patch_store.keep(FULL)

    await patch_store.forget(FULL.vm_id)
    await patch_store.forget(FULL.vm_id)

    assert await patch_store.record(FULL.vm_id) is None
    assert await patch_store.record(a_vm_id("nobody")) is None


def test_a_row_has_all_of_a_record_and_every_column_is_in_the_page() -> None:
    row = patch_row(FULL)
    page = (Path(__file__).parents[2] / "docs" / "tables.md").read_text()

    assert patch_of(row) == replace(
        FULL,
        assessment=replace(FULL.assessment, error=PatchError(code="E", message="1: no: really")),
    )
    assert set(row) - {"PartitionKey", "RowKey"} <= set(COLUMNS)
    assert [name for name in COLUMNS if f"`{name}`" not in page] == []


def test_the_row_has_what_people_ask_first() -> None:
    row = patch_row(replace(FULL, azure_installs_by=NOW.replace(day=12)))

    assert row["daysLeft"] == 10
    assert row["assessmentAgeHours"] == 1
    assert row["ranInOffPeakHours"] is True
    assert "ranInOffPeakHours" not in patch_row(a_patch_record())


def test_a_list_that_fits_no_cell_keeps_critical_and_security_patches_first() -> None:
    others = tuple(a_patch(str(n), classifications=("Updates",)) for n in range(500))
    row = patch_row(replace(FULL, patches=(*others, a_patch())))

    kept = json.loads(row["availablePatches"])

    assert kept[0]["kbId"] == "5034129"
    assert 50 < len(kept) < 500
