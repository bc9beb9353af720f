"""The course of one accepted performMaintenance: what happens to the VM, and when."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from simulator.arm.state import Change, Maintenance, VmState
from simulator.scenario_model import Word

ABORTED_ERROR: Final = (
    "InternalExecutionError",
    "An internal execution error occurred. Please retry later.",
)
RETRY_LATER_ERROR: Final = (
    "AllocationFailed",
    "Allocation failed. We do not have sufficient capacity for the requested VM size here.",
)
FAILED_ERROR: Final = ("VMRedeploymentFailed", "Redeploying the VM failed.")

# Where in a VM's time away each power state begins, as parts of that time. Read off nothing:
# Azure publishes none. What matters to a client is the order, and that each can be seen.
STOPPED_AT: Final = 0.2
STARTING_AT: Final = 0.5
RUNNING_AT: Final = 0.8
REFUSED_AT: Final = 0.4

# Azure accepts first and stops the VM after; a client that looks in between must not be fooled.
_LAG: Final = 0.1
_LAG_SECONDS_MAX: Final = 0.3


@dataclass(frozen=True, slots=True)
class Course:
    """Everything one accepted request leads to.

    Attributes:
        changes: in order of time.
        ends_at: when the operation ends; None for never.
        error: code and message of an operation that ends Failed.
    """

    changes: tuple[Change, ...]
    ends_at: datetime | None
    error: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """An accepted request: what the course depends on.

    Attributes:
        vm: the lower-cased id of the VM.
        maintenance: the id of the maintenance it was accepted for.
        at: the instant of acceptance.
        away: how long the VM will be away.
        reports: whether its agent reports once it runs.
        offers_after_abort: which of Azure's two texts about an aborted maintenance holds.
    """

    vm: str
    maintenance: str
    at: datetime
    away: timedelta
    reports: bool
    offers_after_abort: bool = False

    def change(self, at: datetime, apply: Callable[[VmState], VmState], event: str = "") -> Change:
        """A change of this VM, brought about by this attempt."""
        return Change(at, self.vm, apply, event, self.maintenance)


def plan_course(word: Word, start: Start) -> Course:
    """What an accepted request leads to, by the scenario's word for it.

    Raises:
        ValueError: the word is one that is not accepted.
    """
    away_at = start.at + min(start.away * _LAG, timedelta(seconds=_LAG_SECONDS_MAX))
    refused_at = away_at + start.away * REFUSED_AT
    match word:
        case Word.MAINTENANCE_COMPLETED | Word.DROP_AFTER:
            return _moved(start, away_at, reports=start.reports)
        case Word.AGENT_LOST:
            return _moved(start, away_at, reports=False, is_lost=True)
        case Word.HANG:
            return Course(tuple(_goes_away(start, away_at)), None)
        case Word.LIE_COMPLETED:
            return _unmoved(start, refused_at, _settle(start, None))
        case Word.FAILED_OPERATION:
            settle = _settle(start, None, provisioning="Failed")
            return _unmoved(start, refused_at, settle, error=FAILED_ERROR)
        case Word.RETRY_LATER:
            settle = _settle(start, "RetryLater", RETRY_LATER_ERROR[1])
            return _unmoved(start, refused_at, settle, "retryLater", RETRY_LATER_ERROR)
        case Word.MAINTENANCE_ABORTED:
            settle = _settle(
                start,
                "MaintenanceAborted",
                ABORTED_ERROR[1],
                is_closed=not start.offers_after_abort,
            )
            return _unmoved(start, refused_at, settle, "aborted", ABORTED_ERROR)
        case _:
            raise ValueError(f"{word} is not accepted, so that nothing follows from it")


def _goes_away(start: Start, away_at: datetime) -> Iterator[Change]:
    def stopping(state: VmState) -> VmState:
        return replace(state, power="stopping", is_agent_ready=False, agent_since=away_at)

    def stopped(state: VmState) -> VmState:
        return replace(state, power="stopped")

    yield start.change(away_at, stopping, "away")
    yield start.change(away_at + start.away * STOPPED_AT, stopped)


def _moved(start: Start, away_at: datetime, *, reports: bool, is_lost: bool = False) -> Course:
    running_at = away_at + start.away * RUNNING_AT
    ready_at = away_at + start.away
    done = _settle(start, "MaintenanceCompleted", is_closed=True)

    def starting(state: VmState) -> VmState:
        return replace(state, power="starting", moves=state.moves + 1)

    def running(state: VmState) -> VmState:
        patches = state.patches.rebooted()
        return replace(done(running_at)(state), power="running", patches=patches)

    def ready(state: VmState) -> VmState:
        return replace(state, is_agent_ready=True, agent_since=ready_at)

    def unchanged(state: VmState) -> VmState:
        return state

    changes = [
        *_goes_away(start, away_at),
        start.change(away_at + start.away * STARTING_AT, starting, "moved"),
        start.change(running_at, running, "completed"),
    ]
    if reports:
        changes += [
            start.change(ready_at, ready, "agentReady"),
            start.change(ready_at, unchanged, "back"),
        ]
    elif not is_lost:
        # Its agent never reported: running is as far back as this VM ever was.
        changes.append(start.change(running_at, unchanged, "back"))
    return Course(tuple(changes), running_at)


def _unmoved(
    start: Start,
    at: datetime,
    settle: "_Settle",
    event: str = "",
    error: tuple[str, str] | None = None,
) -> Course:
    return Course((start.change(at, settle(at), event),), at, error)


_Settle = Callable[[datetime], Callable[[VmState], VmState]]


def _settle(
    start: Start,
    code: str | None,
    message: str | None = None,
    *,
    provisioning: str = "Succeeded",
    is_closed: bool = False,
) -> _Settle:
    """The end of an operation: nothing runs any more, and the maintenance has its result.

    ``code`` None leaves the result as it was.
    """

    def result(maintenance: Maintenance | None) -> Maintenance | None:
        # Withdrawn, or another one by now: this attempt says nothing about that one.
        if code is None or maintenance is None or maintenance.id != start.maintenance:
            return maintenance
        return replace(maintenance, code=code, message=message, is_closed=is_closed)

    def at(instant: datetime) -> Callable[[VmState], VmState]:
        return lambda state: replace(
            state,
            operation="",
            provisioning=provisioning,
            provisioning_since=instant,
            maintenance=result(state.maintenance),
        )

    return at
