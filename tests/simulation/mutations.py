"""Ways to break the app on purpose, one or more for each promise: the proof that the checks can fail."""

import contextlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cli.simulation.arm import SimulatedArm
from cli.simulation.choose import choose
from cli.simulation.relay import SimulatedMailer
from cli.simulation.setup import PolicyWrite, Setup
from shared.adapters import outcome_rows, tables
from shared.domain import (
    hours,
    installation,
    lifecycle,
    offers,
    policy_row,
    readiness,
    rollouts,
    rules,
    staging,
    verdict,
)
from shared.domain.errors import BatonError, InvalidInput, StartUnknown
from shared.domain.go_ahead import Question
from shared.domain.job import JobState
from shared.domain.maintenance import Vm as SeenVm
from shared.domain.pace import Pace
from shared.domain.patching.columns import Patching
from shared.domain.patching.model import RebootSetting
from shared.domain.planning.model import Place
from shared.use_cases import (
    discover,
    follow_vm,
    retry_vm,
    settle,
    start_vm,
    sweep,
    tell,
)
from shared.use_cases.send_events import SendEvents
from simulator.patch_model import Patching as VmPatching
from simulator.patch_model import PatchWord
from simulator.scenario_model import Step, Vm, Word

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Mutation:
    """A broken build.

    Attributes:
        promise: What it breaks. The first to notice may be another: who is started twice is recorded wrongly too.
        says: How.
        patches: (module or class, the name in it, what stands there instead).
        word: What Azure makes of every VM's first start, where the mutation shows only then, and chance gives
            too few of those; None: as it comes.
        patched: Whether it shows where patches are due.
        of_sets: Whether it shows where there are scale sets, and many VMs may be away at once.
        install: What Azure makes of every VM's first installation; None: as it comes.
    """

    promise: str
    says: str
    patches: tuple[tuple[Any, str, Any], ...]
    word: Word | None = None
    patched: bool = False
    of_sets: bool = False
    install: PatchWord | None = None

    def setup(self, seed: int) -> Setup:
        """What it is tried on."""
        setup = choose(seed, "wild", patches=float(self.patched), sets=float(self.of_sets))
        if self.of_sets:
            setup = replace(setup, policies=tuple(map(_of_many_slots, setup.policies)))
        if self.install:
            setup = _with_first_install(setup, self.install)
        if self.word is None:
            return setup
        first = Step(self.word, timedelta(minutes=1))
        scenario = setup.scenario
        vms = tuple(replace(vm, script=(first, *vm.script)) for vm in scenario.vms)
        arm = replace(scenario.arm, offer_after_abort=True)
        return replace(setup, scenario=replace(scenario, vms=vms, arm=arm))


def _of_many_slots(row: PolicyWrite) -> PolicyWrite:
    return row if row.columns is None else replace(row, columns={**row.columns, "concurrency": 4})


def _with_first_install(setup: Setup, word: PatchWord) -> Setup:
    def patching(vm: Vm) -> VmPatching:
        return replace(vm.patching, install=(word, *vm.patching.install))

    vms = tuple(replace(vm, patching=patching(vm)) for vm in setup.scenario.vms)
    return replace(setup, scenario=replace(setup.scenario, vms=vms))


def _always(value: Any) -> Callable[..., Any]:
    return lambda *_, **__: value


async def _no_log(*_args, **_kwargs):
    return (), None


def _retries_every_abort(job, vm, again, now):
    return verdict.Verdict(then=verdict.Then.RETRY, reason="aborted", repeats="aborted")


def _by_its_last_good_version(key, _columns, good, real=policy_row.standing):
    return real(key, good, good)


def _always_open(_hours, index):
    since = hours._EPOCH + index * hours._BLOCK
    return ((since, since + hours._BLOCK),)


def _one_more_slot(*args, real=rules._slots, **kwargs):
    return [kwargs["now"], *real(*args, **kwargs)]


def _no_rest(rollout, stage, policy, *, away, now):
    return [now] * max(0, policy.concurrency - away)


def _all_in_one_stage(self, jobs):
    return [replace(job, stage=1) for job in jobs]


def _back_as_azure_says(job, vm, said):
    return verdict._end(JobState.COMPLETED, said, verified=True)


async def _takes_silence_for_a_yes(self, outgoing, events, *, until, real=SendEvents._send):
    done, busy = await real(self, outgoing, events, until=until)
    return (list(events), None) if busy else (done, None)


_numbers = itertools.count()


def _another_row_each_time(job, attempt, real=outcome_rows.outcome_row):
    row = real(job, attempt)
    return {**row, "RowKey": f"{row['RowKey']}-{next(_numbers)}"}


def _another_event_each_time(*_parts):
    return f"event-{next(_numbers)}"


def _whatever_stands_there(write, real=tables._operation):
    return real(replace(write, etag=""))


async def _told_nobody(*_args, **_kwargs):
    return None


async def _never_asked(self, mail, *, again, real=SimulatedMailer.send):
    return await real(self, mail, again=False)


async def _no_sweep(self):
    return None


def _whatever_ended(job, _vm, _now):
    return "" if job.state.is_end and not job.unsettled else "not yet"


async def _settles_at_once(self, job, _ledger=None, **_before):
    """As if the outcome, the mail and the next VM needed no second try after a crash."""
    return replace(job, unsettled=None)


def _one_wrong_row_stops_all(key, columns, good, real=policy_row.standing):
    found = real(key, columns, good)
    if found.problems:
        raise InvalidInput("policy", found.problems)
    return found


def _due_whatever_the_row_says(available, policy, real=offers.due_patches):
    return real(available, policy and replace(policy, patching=Patching.INSTALL))


def _may_always_reboot(job, policy, *, at_most, real=installation.request_for):
    request = real(job, policy, at_most=at_most)
    return replace(
        request, reboot_setting=RebootSetting.IF_REQUIRED, exclude_kbs_requiring_reboot=False
    )


async def _sends_it_again(self, vm_id, *, request_id, within, real=SimulatedArm.start_maintenance):
    try:
        return await real(self, vm_id, request_id=request_id, within=within)
    except StartUnknown:
        return await real(self, vm_id, request_id=request_id, within=within)


async def _starts_its_whole_set(
    self, vm_id, *, request_id, within, real=SimulatedArm.start_maintenance
):
    accepted = await real(self, vm_id, request_id=request_id, within=within)
    prefix = vm_id.lower().rpartition("/")[0]
    for key, record in list(self.azure.cloud.vms.items()):
        if record.spec.instance_id and key.startswith(prefix) and key != vm_id.lower():
            with contextlib.suppress(BatonError):
                await real(self, key, request_id=request_id, within=within)
    return accepted


MUTATIONS = (
    Mutation(
        "P1",
        "it tries again after every abort",
        ((verdict, "_aborted", _retries_every_abort),),
        word=Word.MAINTENANCE_ABORTED,
    ),
    Mutation(
        "P1",
        "a maintenance that was done may be done again",
        ((offers, "_may_follow", _always(True)),),
    ),
    Mutation(
        "P1",
        "a start without an answer is planned again at once",
        ((Pace, "quiet", property(_always(timedelta(0)))),),
        word=Word.DROP_AFTER,
    ),
    Mutation(
        "P1",
        "a start without an answer is sent once more, as an SDK would",
        ((SimulatedArm, "start_maintenance", _sends_it_again),),
    ),
    Mutation(
        "P2",
        "the policy's row is not read again at the start",
        ((start_vm, "standing", _by_its_last_good_version),),
    ),
    Mutation(
        "P1",
        "whoever is asked for is tried again, whatever became of its start",
        ((retry_vm, "why_not_again", _whatever_ended),),
    ),
    Mutation("P2", "a pause holds nothing", ((start_vm, "pause_of", _always(None)),)),
    Mutation("P2", "windows and freezes do not count", ((hours, "_block", _always_open),)),
    Mutation("P2", "nobody needs to approve", ((rules, "is_approved", _always(True)),)),
    Mutation("P3", "all VMs are of one stage", ((staging.Staging, "staged", _all_in_one_stage),)),
    Mutation(
        "P3",
        "a failure halts nothing",
        ((rules, "halted_by", _always(None)), (rollouts, "halted_by", _always(None))),
    ),
    Mutation("P4", "there is a slot more", ((rules, "_slots", _one_more_slot),)),
    Mutation("P4", "a slot needs no rest", ((rules, "_slots", _no_rest),)),
    Mutation("P4", "stages follow at once", ((rules, "_stage_opens", _always(_LONG_AGO)),)),
    Mutation(
        "P5",
        "placement does not count",
        ((rules, "placement_conflict", _always("")), (rules, "place_of_job", _always(Place()))),
    ),
    Mutation(
        "P5",
        "a scale set keeps nothing apart",
        ((SeenVm, "domain_set", property(lambda vm: vm.availability_set)),),
        of_sets=True,
    ),
    Mutation(
        "P5",
        "all of a flexible set stand in one fault domain",
        ((SeenVm, "domain", property(lambda vm: vm.view.update_domain if vm.is_uniform else 0)),),
        of_sets=True,
    ),
    Mutation(
        "P1",
        "the start of an instance is that of its whole set",
        ((SimulatedArm, "start_maintenance", _starts_its_whole_set),),
        of_sets=True,
    ),
    Mutation(
        "P6",
        "an outcome that is written again is another row",
        ((outcome_rows, "outcome_row", _another_row_each_time),),
    ),
    Mutation(
        "P6",
        "a VM is back as soon as Azure is done",
        ((verdict, "_back", _back_as_azure_says),),
    ),
    Mutation(
        "P6",
        "an end that a crash left unrecorded is forgotten",
        ((settle.Settle, "__call__", _settles_at_once),),
    ),
    Mutation("P7", "nobody is told", ((tell.Tell, "__call__", _told_nobody),)),
    Mutation(
        "P7",
        "a mail service is never asked what it took",
        ((SimulatedMailer, "send", _never_asked),),
    ),
    Mutation(
        "P7",
        "an event has another id each time",
        ((settle, "event_id", _another_event_each_time),),
    ),
    Mutation(
        "P8",
        "rows are replaced whatever stands there",
        ((tables, "_operation", _whatever_stands_there),),
    ),
    Mutation("P8", "nothing is swept", ((sweep.Sweep, "__call__", _no_sweep),)),
    Mutation(
        "P8",
        "a lost answer counts as a refusal",
        (
            (follow_vm, "shows_acceptance", _always(False)),
            (follow_vm.FindOut, "_logged", _no_log),
        ),
        word=Word.DROP_AFTER,
    ),
    Mutation(
        "P1",
        "a release that was tried may be tried again",
        ((offers, "is_new_release", _always(True)),),
        patched=True,
    ),
    Mutation(
        "P1",
        "a redeploy does not wait for an installation that hangs",
        ((readiness, "is_installing", _always(False)),),
        patched=True,
        install=PatchWord.HANG,
    ),
    Mutation(
        "P2",
        "patches are installed whatever the row says of them",
        (
            (offers, "due_patches", _due_whatever_the_row_says),
            (readiness, "_of_patches", _always(())),
        ),
        patched=True,
    ),
    Mutation(
        "P4",
        "an installation may reboot a VM that holds no slot",
        ((start_vm, "request_for", _may_always_reboot),),
        patched=True,
    ),
    Mutation(
        "P2",
        "a VM that asked for a go-ahead starts without one",
        ((start_vm, "question", _always(Question.START)),),
    ),
    Mutation(
        "events",
        "an event that nobody took is forgotten",
        ((SendEvents, "_send", _takes_silence_for_a_yes),),
    ),
    Mutation(
        "events",
        "that a VM is away is not told",
        ((lifecycle, "away", _always(())),),
    ),
    Mutation("P9", "one wrong row stops all", ((discover, "standing", _one_wrong_row_stops_all),)),
)
