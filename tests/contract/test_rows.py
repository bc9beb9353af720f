"""What is written as a row is read back the same, through the JSON that the SDK makes of it."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from azure.data.tables import EdmType, EntityProperty
from azure.data.tables._deserialize import _convert_to_entity
from azure.data.tables._serialize import _add_entity_properties
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters import alert_rows, job_rows, policy_rows
from shared.adapters.cells import Shape, as_written, cut
from shared.adapters.columns import ALERT, ATTEMPT, INSTALLED, JOB, MAINTENANCE, PATCHES
from shared.domain.alert import Alert, AlertState
from shared.domain.attempt import Attempt
from shared.domain.due import DuePatches, Installed, Work
from shared.domain.errors import InvalidInput
from shared.domain.job import Job, JobState
from shared.domain.ledger import Away, Change, Head
from shared.domain.maintenance import MaintenanceStatus
from tests.builders import NOW, a_head, a_job, a_release, an_alert, an_attempt, an_away

WEIRD = (
    "",
    "o'hara",
    '"',
    "''",
    "a\nb\tc\x00",
    "100%",
    "%2F",
    "🗼 Zürich",
    "@p eq 'x'",
    "\\",
    "{}",
)
texts = st.sampled_from(WEIRD) | st.text(max_size=40)
names = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\#?|!"),
    min_size=1,
    max_size=30,
)
numbers = st.integers(-(2**31), 2**31 - 1)
zones = st.sampled_from(
    [UTC, timezone(timedelta(hours=5, minutes=30)), timezone(-timedelta(hours=8))]
)
moments = st.datetimes(datetime(1700, 1, 1), datetime(9000, 1, 1), timezones=zones)  # noqa: DTZ001 - zoned by hypothesis
maybe = st.none() | moments
statuses = st.builds(
    MaintenanceStatus,
    is_customer_initiated_maintenance_allowed=st.booleans(),
    pre_maintenance_window_start_time=moments,
    pre_maintenance_window_end_time=moments,
    maintenance_window_start_time=maybe,
    maintenance_window_end_time=maybe,
    last_operation_result_code=texts,
    last_operation_message=texts,
)
attempts = st.builds(
    Attempt,
    number=numbers,
    outcome=texts,
    terminal=st.booleans(),
    reason=texts,
    ended_at=moments,
    started_at=maybe,
    verified_at=maybe,
    last_operation_result_code=texts,
    last_operation_message=texts,
    correlation_id=texts,
    work=st.sampled_from(Work).map(str),
    release=texts,
    installed=st.builds(
        Installed,
        installation_activity_id=texts,
        reboot_status=texts,
        installed_patch_count=st.none() | numbers,
        failed_patch_count=st.none() | numbers,
    ),
)
dues = st.builds(
    DuePatches,
    release=texts,
    since=moments,
    until=moments,
    kbs=st.lists(texts, max_size=3).map(tuple),
    needs_reboot=st.booleans(),
    may_reboot=st.booleans(),
)
jobs = st.builds(
    Job,
    id=names,
    vm_id=texts,
    vm_name=texts,
    resource_group=texts,
    subscription_id=texts,
    location=texts,
    team=names,
    policy=names,
    rollout=numbers,
    stage=numbers,
    maintenance=st.none() | statuses,
    patches=st.none() | dues,
    tried_release=texts,
    installations=numbers,
    discovered_at=moments,
    state=st.sampled_from(JobState),
    zone=texts,
    domain_set=texts,
    domain=st.none() | numbers,
    region_pairs=st.lists(texts, max_size=3).map(tuple),
    attempt=numbers,
    refusals=numbers,
    not_before=maybe,
    planned_start=maybe,
    reason=texts,
    claimed_at=maybe,
    started_at=maybe,
    verified_at=maybe,
    ended_at=maybe,
    freed_at=maybe,
    code_before=texts,
    was_running=st.booleans(),
    was_ready=st.booleans(),
    operation_url=texts,
    correlation_id=texts,
    request_id=texts,
    skipped_because=texts,
    accepted=st.booleans(),
    unsettled=st.none() | attempts,
).filter(lambda job: bool(job.works))
cells = texts | st.booleans() | st.integers() | st.floats(allow_nan=False)
heads = st.builds(
    Head, team=names, policy=names, version=texts, columns=st.dictionaries(texts, cells, max_size=4)
)
placements = st.builds(
    Away,
    domain_set=texts,
    jobs=st.dictionaries(texts, st.none() | numbers, max_size=4),
)
alerts = st.builds(
    Alert,
    id=names,
    kind=texts,
    subject=texts,
    reason=texts,
    raised_at=moments,
    team=texts,
    policy=texts,
    next_step=texts,
    facts=st.lists(st.tuples(texts, texts), max_size=4).map(tuple),
    recipients=st.lists(texts, max_size=4).map(tuple),
    state=st.sampled_from(AlertState),
    mail_id=texts,
    leased_until=maybe,
    tries=numbers,
    tried_at=maybe,
    taken_at=maybe,
    note=texts,
)


def through_the_sdk(entity: dict[str, Any]) -> dict[str, Any]:
    """As the table gives it back."""
    return dict(_convert_to_entity(json.loads(json.dumps(_add_entity_properties(entity)))))


@given(jobs)
def test_a_job_comes_back_as_it_was(job: Job) -> None:
    read = job_rows.job_of(through_the_sdk(job_rows.job_row(job)), "e")

    assert read == replace(job, etag="e")
    times = (read.discovered_at, read.closes)
    assert all(type(time) is datetime and time.tzinfo is UTC for time in times)


@given(heads)
def test_a_head_comes_back_as_it_was(head: Head) -> None:
    assert job_rows.head_of(through_the_sdk(job_rows.head_row(head)), "e") == replace(
        head, etag="e"
    )


@given(placements)
def test_a_placement_comes_back_as_it_was(away: Away) -> None:
    assert job_rows.away_of(through_the_sdk(job_rows.away_row(away)), "e") == replace(
        away, etag="e"
    )


@given(alerts)
def test_an_alert_comes_back_as_it_was(alert: Alert) -> None:
    assert alert_rows.alert_of(through_the_sdk(alert_rows.alert_row(alert)), "e") == replace(
        alert, etag="e"
    )


@given(jobs)
@settings(max_examples=25)
def test_a_row_that_was_read_and_written_is_the_same_row(job: Job) -> None:
    row = job_rows.job_row(job)

    assert job_rows.job_row(job_rows.job_of(through_the_sdk(row), "")) == row


@given(jobs.filter(lambda job: not job.unsettled))
@settings(max_examples=25)
def test_a_row_of_the_version_before_reads_as_a_job_without_patches(job: Job) -> None:
    added = {"work", "triedRelease", "installations"} | {column.name for column in PATCHES.columns}
    row = {name: cell for name, cell in job_rows.job_row(job).items() if name not in added}

    read = job_rows.job_of(through_the_sdk(row), "")

    assert (read.works, read.tried_release, read.installations) == ((Work.REDEPLOY,), "", 0)


@given(jobs)
@settings(max_examples=25)
def test_a_job_of_patches_alone_offers_the_version_before_no_redeploy(job: Job) -> None:
    row = job_rows.job_row(replace(job, maintenance=None, patches=job.patches or a_release()))

    status = MaintenanceStatus(**MAINTENANCE.read(through_the_sdk(row)))

    assert not status.is_customer_initiated_maintenance_allowed


@pytest.mark.parametrize(
    ("kind", "shape", "apart"),
    [
        (Job, JOB, {"maintenance", "patches", "unsettled", "etag"}),
        (DuePatches, PATCHES, set()),
        (MaintenanceStatus, MAINTENANCE, set()),
        (Attempt, ATTEMPT, {"installed"}),
        (Installed, INSTALLED, set()),
        (Alert, ALERT, {"id", "etag"}),
    ],
)
def test_every_field_has_a_column(kind: type[Any], shape: Shape, apart: set[str]) -> None:
    """One that is added and has none would be lost at the next write."""
    assert {column.field for column in shape.columns} == {f.name for f in fields(kind)} - apart
    assert len({column.name for column in shape.columns}) == len(shape.columns)


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("state", "flying", "one of planned"),
        ("state", None, "missing"),
        ("accepted", None, "missing"),
        ("accepted", "yes", "true or false"),
        ("attempt", "1", "whole number"),
        ("attempt", True, "whole number"),
        ("vmName", 7, "text"),
        ("discoveredAt", "2026-03-02T12:00:00Z", "date and time"),
        ("claimedAt", datetime(2026, 3, 2), "date and time"),  # noqa: DTZ001 - naive on purpose
        ("pairedRegions", "[1]", "JSON array of texts"),
        ("pairedRegions", "{", "JSON"),
        ("pairedRegions", "[" * 5_000, "JSON"),
        ("unsettledOutcome", None, "missing"),
        ("policy", "another", "as its columns say"),
        ("v", 2, "version"),
        ("v", None, "version"),
    ],
)
def test_a_row_that_cannot_be_read_names_the_column(
    column: str, value: object, expected: str
) -> None:
    entity = job_rows.job_row(a_job(unsettled=an_attempt()))
    entity[column] = value

    with pytest.raises(InvalidInput, match=expected) as caught:
        job_rows.job_of(entity, "e")

    assert caught.value.problems[0].field == ("RowKey" if column == "policy" else column)


@pytest.mark.parametrize("value", ['{"a": "1"}', '{"a": true}', "[]", "x", None])
def test_a_placement_that_is_not_one_is_refused(value: str | None) -> None:
    with pytest.raises(InvalidInput, match="away"):
        job_rows.away_of(job_rows.away_row(an_away()) | {"away": value}, "e")


@pytest.mark.parametrize("value", ['[["a"]]', '[["a", 1]]', '{"a": "b"}', "["])
def test_facts_that_are_none_are_refused(value: str) -> None:
    with pytest.raises(InvalidInput, match="facts"):
        alert_rows.alert_of(alert_rows.alert_row(an_alert()) | {"facts": value}, "e")


def test_a_64_bit_integer_that_a_person_made_of_a_number_is_read() -> None:
    entity = job_rows.job_row(a_job())
    entity["attempt"] = EntityProperty(3, EdmType.INT64)

    assert job_rows.job_of(entity, "").attempt == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"discovered_at": datetime(2026, 3, 2)},  # noqa: DTZ001 - naive on purpose
        {"not_before": datetime(1500, 1, 1, tzinfo=UTC)},
        {"attempt": 2**31},
        {"request_id": "x" * 32_769},
        {"region_pairs": ("x" * 32_769,)},
        {"id": "a/b"},
        {"id": "x" * 600},
    ],
)
def test_what_does_not_fit_is_refused_before_it_is_sent(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        job_rows.job_row(a_job(**wrong))


def test_half_of_a_surrogate_pair_is_replaced() -> None:
    job = a_job(reason="broken \ud83d here", request_id="\udc00")

    read = job_rows.job_of(through_the_sdk(job_rows.job_row(job)), "")

    assert (read.reason, read.request_id) == ("broken \ufffd here", "\ufffd")


def test_a_text_is_cut_between_characters() -> None:
    assert cut("abc", 3) == "abc"
    assert cut("abcd", 3) == "ab…"
    assert cut("🗼🗼", 4) == "🗼🗼"
    assert cut("🗼🗼🗼", 4) == "🗼…"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        (True, True),
        (7, 7),
        (1.5, 1.5),
        (EntityProperty(2**40, EdmType.INT64), 2**40),
        (NOW, "2026-03-02T12:00:00Z"),
        (b"\x00\xff", "AP8="),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_a_cell_that_people_wrote_is_read_whatever_its_type(
    value: object, expected: object
) -> None:
    read = as_written(value)

    assert read == expected
    assert type(read) is type(expected)


def test_a_policy_row_without_a_status_has_an_empty_one() -> None:
    row = policy_rows.policy_of(
        {"PartitionKey": "shop", "RowKey": "web", "gap": None, "status": 3}, "e"
    )

    assert (row.columns, row.status, row.status_message) == ({}, "3", "")


def test_what_was_never_read_is_neither_removed_nor_replaced() -> None:
    with pytest.raises(ValueError, match="no ETag"):
        job_rows.change_writes(Change(removed=(a_job(),), at=NOW))
    with pytest.raises(ValueError, match="without an ETag"):
        alert_rows.alert_writes([an_alert()])


def test_the_head_sorts_before_its_jobs_and_no_policy_between_them() -> None:
    low, high = job_rows.policy_range("shop", "web")
    keys = [
        job_rows.policy_prefix("shop", "web"),
        job_rows.job_key("shop", "web", "0"),
        job_rows.job_key("shop", "web", "~"),
    ]

    assert sorted(keys) == keys
    assert all(low <= key < high for key in keys)
    assert not low <= job_rows.policy_prefix("shop", "web-2") < high
    assert job_rows.head_row(a_head())["RowKey"] == low
