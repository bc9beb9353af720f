"""Ways to break the app on purpose, one or more for each promise, and in how many simulations each shows."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.adapters import rows, tables
from shared.domain import hours, reconcile, rollouts, rules, verdict
from shared.domain.errors import InvalidInput
from shared.domain.job import JobState
from shared.domain.ledger import Away
from shared.domain.pace import Pace
from shared.use_cases import discover, follow_vm, settle, start_vm, sweep, tell

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Mutation:
    """A broken build.

    Attributes:
        promise: What it breaks.
        says: How.
        within: In so many simulations it is caught.
        patches: (module or class, the name in it, what stands there instead).
    """

    def __init__(self, promise: str, says: str, within: int, *patches: tuple[Any, str, Any]) -> None:
        self.promise = promise
        self.says = says
        self.within = within
        self.patches = patches


def _always(value: Any) -> Callable[..., Any]:
    return lambda *_, **__: value


def _retries_every_abort(job, vm, again, now):
    return verdict.Verdict(then=verdict.Then.RETRY, reason="aborted", repeats="aborted")


def _by_its_last_good_version(key, _columns, good, real=start_vm.standing):
    return real(key, good, good)


def _one_more_slot(*args, real=rules._slots, **kwargs):
    return [kwargs["now"], *real(*args, **kwargs)]


def _no_rest(rollout, stage, policy, *, away, now):
    return [now] * max(0, policy.concurrency - away)


def _all_in_one_stage(self, jobs):
    return [replace(job, stage=1) for job in jobs]


def _back_as_azure_says(job, vm, said):
    return verdict._end(JobState.COMPLETED, said, verified=True)


_numbers = itertools.count()


def _another_row_each_time(job, attempt, real=rows.outcome_row):
    row = real(job, attempt)
    return {**row, "RowKey": f"{row['RowKey']}-{next(_numbers)}"}


def _another_event_each_time(*_parts):
    return f"event-{next(_numbers)}"


def _whatever_stands_there(write, real=tables._operation):
    return real(replace(write, etag=""))


async def _told_nobody(self, alert):
    return None


async def _no_sweep(self):
    return None


async def _nobody_is_away(self, availability_set):
    return Away(availability_set=availability_set)


async def _settles_at_once(self, job):
    """As if the outcome, the mail and the next VM needed no second try after a crash."""
    return replace(job, unsettled=None)


def _one_wrong_row_stops_all(key, columns, good, real=discover.standing):
    found = real(key, columns, good)
    if found.problems:
        raise InvalidInput("policy", found.problems)
    return found


def _plans_nobody_after_the_first(group, real=rollouts.plan_group):
    plan = real(group)
    for lane in plan.lanes.values():
        for key in sorted(lane.starts)[1:]:
            del lane.starts[key]
    return plan


MUTATIONS = (
    Mutation("P1", "it tries again after every abort", 200, (verdict, "_aborted", _retries_every_abort)),
    Mutation("P1", "a maintenance that was done may be done again", 200, (reconcile._Reconciler, "_may_follow", _always(True))),
    Mutation("P1", "a start without an answer is planned again at once", 200, (Pace, "quiet", property(_always(timedelta(0))))),
    Mutation("P2", "the policy's row is not read again at the start", 200, (start_vm, "standing", _by_its_last_good_version)),
    Mutation(
        "P2",
        "windows and freezes do not count",
        200,
        (hours.Hours, "next_start", lambda _self, at, _length, _until: at),
        (hours.Hours, "why_closed", _always("")),
    ),
    Mutation("P2", "nobody needs to approve", 200, (rules, "is_approved", _always(True))),
    Mutation("P3", "all VMs are of one stage", 100, (rollouts._Policy, "_staged", _all_in_one_stage)),
    Mutation("P3", "a failure halts nothing", 200, (rules, "halted_by", _always(None))),
    Mutation("P4", "there is a slot more", 100, (rules, "_slots", _one_more_slot)),
    Mutation("P4", "a slot needs no rest", 200, (rules, "_slots", _no_rest)),
    Mutation("P4", "stages follow at once", 300, (rules, "_stage_opens", _always(_LONG_AGO))),
    Mutation("P5", "placement does not count", 100, (rules, "placement_conflict", _always(""))),
    Mutation("P6", "a repeated outcome is another row", 50, (rows, "outcome_row", _another_row_each_time)),
    Mutation("P6", "it is back as soon as Azure is done", 100, (verdict, "_back", _back_as_azure_says)),
    Mutation("P6", "an outcome is not recorded again after a crash", 20, (settle.Settle, "__call__", _settles_at_once)),
    Mutation("P7", "nobody is told", 50, (tell.Tell, "__call__", _told_nobody)),
    Mutation("P7", "an event has another id each time", 100, (settle, "event_id", _another_event_each_time)),
    Mutation("P8", "rows are replaced whatever stands there", 100, (tables, "_operation", _whatever_stands_there)),
    Mutation("P8", "nothing is swept", 50, (sweep.Sweep, "__call__", _no_sweep)),
    Mutation("P8", "a lost answer counts as a refusal", 200, (follow_vm, "shows_acceptance", _always(False))),
    Mutation("P9", "one wrong row stops all", 100, (discover, "standing", _one_wrong_row_stops_all)),
    Mutation("plan", "only one VM of a rollout gets a start", 100, (rollouts, "plan_group", _plans_nobody_after_the_first)),
)
