"""What earlier discoveries know of a VM."""

from datetime import timedelta

from shared.domain.heartbeat import LeftAlone
from shared.domain.job import JobState
from shared.domain.known import is_new, known_of
from tests.builders import NOW, OFFERED, a_job, a_status, a_view, a_vm

HOUR = timedelta(hours=1)
OVER = a_status(opens=NOW - 9 * HOUR, closes=NOW - HOUR)
VM = a_vm("web-1")


def ended(**other):
    return a_job("web-1", state=JobState.COMPLETED, ended_at=NOW, verified_at=NOW, **other)


def alone(closes):
    return LeftAlone(vm_id=VM.id, location="westeurope", closes=closes, reason="no policy")


def test_open_jobs_and_maintenances_that_are_not_over_are_known():
    assert known_of([a_job("web-1", vm=a_vm(view=a_view(maintenance=OVER)))], [], NOW)
    assert known_of([ended()], [], NOW)[VM.key].job == ended()
    assert known_of([], [alone(NOW + HOUR)], NOW)[VM.key].closes == NOW + HOUR


def test_what_is_over_is_forgotten():
    over = ended(vm=a_vm(view=a_view(maintenance=OVER)))

    assert known_of([over], [alone(NOW)], NOW) == {}


def test_an_open_job_counts_and_not_one_that_ended():
    job = a_job("web-1", id="another")

    assert known_of([job, ended()], [], NOW)[VM.key].job == job


def test_a_list_tells_enough_if_it_says_what_an_open_job_knows():
    known = known_of([a_job("web-1")], [], NOW)[VM.key]

    assert known.is_told_by(a_view(agent_ready=False))
    assert not known.is_told_by(a_view(maintenance=None))
    assert not known.is_told_by(a_view(maintenance=a_status(allowed=False)))
    assert not known_of([ended()], [], NOW)[VM.key].is_told_by(a_view())


def test_a_maintenance_is_new_where_nothing_is_known_or_it_closes_later():
    known = known_of([ended()], [], NOW)[VM.key]

    assert is_new(OFFERED, None, NOW)
    assert not is_new(OFFERED, known, NOW)
    assert is_new(a_status(closes=NOW + timedelta(days=30)), known, NOW)
    assert not is_new(OVER, None, NOW)
