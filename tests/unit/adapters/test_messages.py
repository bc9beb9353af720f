"""Bodies of messages: what Baton sends comes back, and anything else is refused by field."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.job_rows import job_row
from shared.adapters.messages import decode, encode
from shared.adapters.service_bus import _wake_message, wake_id
from shared.domain.errors import InvalidInput
from shared.domain.trace import trace_of
from shared.ports import Wake, WakeAt
from tests.builders import a_job

GOOD = {"v": 1, "team": "shop", "policy": "web", "job": "web-1-20260302-0a1b2c3d4e"}
AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

NAMES = st.text(st.characters(codec="utf-8").filter(str.isprintable), min_size=1, max_size=128)


def refused_fields(body):
    with pytest.raises(InvalidInput) as raised:
        decode(body)
    return [problem.field for problem in raised.value.problems]


@given(team=NAMES, policy=NAMES, job_id=NAMES)
def test_what_is_encoded_is_decoded(team, policy, job_id):
    wake = Wake(team=team, policy=policy, job_id=job_id)

    assert decode(encode(wake)) == wake


@given(st.binary(max_size=5000))
def test_hostile_bytes_are_refused_and_never_crash(body):
    assert refused_fields(body)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.just([])
            for name in GOOD
        },
    )
)
def test_hostile_json_is_decoded_or_refused(fields):
    try:
        decode(json.dumps(fields).encode())
    except InvalidInput as refused:
        assert refused.problems


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"", ["body"]),
        (b"\xff", ["body"]),
        (b"[]", ["body"]),
        (b"null", ["body"]),
        (b"[" * 4000, ["body"]),
        (b'{"v":1,"team":"' + b"x" * 5000 + b'"}', ["body"]),
        (b"{}", ["v"]),
        (b'{"v":2}', ["v"]),
        (b'{"v":true}', ["v"]),
        (b'{"v":1.0}', ["v"]),
        (b'{"v":"1"}', ["v"]),
        (b'{"v":1}', ["team", "policy", "job"]),
    ],
)
def test_a_body_that_is_no_wake_is_refused(body, fields):
    assert refused_fields(body) == fields


@pytest.mark.parametrize("value", [None, "", 3, True, [], "a\nb", "\u0000", "\ud800", "x" * 201])
@pytest.mark.parametrize("field", ["team", "policy", "job"])
def test_a_bad_field_is_named(field, value):
    assert refused_fields(json.dumps(GOOD | {field: value}).encode()) == [field]


def test_a_field_of_a_newer_baton_is_passed_over():
    assert decode(json.dumps(GOOD | {"colour": "blue"}).encode()).team == "shop"


def wake_at(*, at=AT, cause="due", **names):
    return WakeAt(
        wake=Wake(**({"team": "t", "policy": "p", "job_id": "j"} | names)), at=at, cause=cause
    )


def test_the_same_job_instant_and_cause_have_one_id():
    elsewhere = AT.astimezone(tz=None)

    assert wake_id(wake_at()) == wake_id(wake_at(at=elsewhere))
    assert wake_id(wake_at()).startswith("j.due.20260302T120000.")


@pytest.mark.parametrize(
    "other",
    [
        wake_at(at=AT + timedelta(milliseconds=1)),
        wake_at(cause="sweep"),
        wake_at(job_id="j2"),
        wake_at(policy="p2"),
        wake_at(team="t2"),
    ],
)
def test_another_job_instant_or_cause_has_another_id(other):
    assert wake_id(other) != wake_id(wake_at())


@given(job_id=NAMES, cause=NAMES)
def test_an_id_fits_the_service(job_id, cause):
    assert len(wake_id(wake_at(job_id=job_id, cause=cause))) <= 128


def test_a_wake_carries_its_jobs_trace_as_azures_sdks_hand_one_on():
    job = a_job()
    message = _wake_message(wake_at(job_id=job.id), AT)

    traceparent = f"00-{job_row(job)['traceId']}-{trace_of(job.id).span_id}-01"
    assert message.application_properties == {
        "traceparent": traceparent,
        "Diagnostic-Id": traceparent,
    }
