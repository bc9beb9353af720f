"""Whether Baton is well: facts → findings, each with its fix. `./baton doctor` gathers the facts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.alert import Alert
from shared.domain.heartbeat import Heartbeat
from shared.domain.mode import Mode

# A minute is what every rule survives (P8); shared keys and tokens fail from five on.
_CLOCK_OFF_MAX = timedelta(minutes=1)
# Three discoveries of the default schedule, as the sweep has it.
_SILENT = timedelta(minutes=15)
# Digest, back-off and a busy service together take less.
_UNSENT_MAX = timedelta(hours=1)
_PYTHONS = ((3, 11), (3, 12))

# What the code relies on (simulator/servicebus/default-config.json).
_LOCK_MIN = timedelta(minutes=1)
_DELIVERIES_MIN = 10
_DUPLICATES_MIN = timedelta(minutes=10)
_TIME_TO_LIVE_MIN = timedelta(days=1)


class State(StrEnum):
    """What a finding says of its subject."""

    BROKEN = "broken"  # Baton does not work, or not as it should
    UNKNOWN = "unknown"  # could not be looked at from here
    NOTE = "note"  # works, and there is something to know
    OK = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found out about one thing.

    Attributes:
        name: What it is about, the same at every run: `queue redeploy-jobs`.
        says: What was found, a sentence.
        fix: What to do; `""` where there is nothing to do.
    """

    name: str
    state: State
    says: str
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueProperties:
    """A queue's properties, in Azure's names and Python's spelling."""

    lock_duration: timedelta
    max_delivery_count: int
    default_message_time_to_live: timedelta
    requires_duplicate_detection: bool
    duplicate_detection_history_time_window: timedelta
    requires_session: bool
    dead_lettering_on_message_expiration: bool
    forwards: bool
    status: str


def python_version(version: tuple[int, int]) -> Finding:
    """Whether this Python is one that Flex Consumption runs and the pinned packages support."""
    told = ".".join(map(str, version))
    if version in _PYTHONS:
        return Finding(name="python", state=State.OK, says=f"Python {told}")
    return Finding(
        name="python",
        state=State.BROKEN,
        says=f"Python {told}, which the pinned packages do not support",
        fix="Use Python 3.11 or 3.12: on Azure the Function App's runtime version (docs/adr/0006)",
    )


def packages(pinned: Mapping[str, str], installed: Mapping[str, str]) -> Finding:
    """Whether the packages are those that were tested.

    Args:
        pinned: Name → version, as locked.
        installed: Name → version; a name that is not there is not installed.
    """
    other = [
        f"{name} is {installed.get(name, 'not installed')}, locked is {version}"
        for name, version in sorted(pinned.items())
        if installed.get(name) != version
    ]
    if not other:
        told = f"{len(pinned)} packages, each at its locked version"
        return Finding(name="packages", state=State.OK, says=told)
    fix = "Delete .venv and run ./baton again; on Azure deploy again, with a remote build"
    return Finding(name="packages", state=State.BROKEN, says="; ".join(other), fix=fix)


def mode(value: Mode) -> Finding:
    """What Baton does with its plans."""
    says = {
        Mode.LIVE: "live: Baton redeploys VMs",
        Mode.DRY_RUN: "dryRun: Baton plans, records and announces, and redeploys nothing",
        Mode.PAUSED: "paused: what runs is finished, and nothing starts",
    }[value]
    if value is Mode.LIVE:
        return Finding(name="mode", state=State.OK, says=says)
    fix = "Set BATON_MODE to live once the plan is as you want it (./baton plan)"
    return Finding(name="mode", state=State.NOTE, says=says, fix=fix)


def clock(here: datetime, azure: datetime) -> Finding:
    """Whether this machine's clock and Azure's agree."""
    off = here - azure
    if abs(off) <= _CLOCK_OFF_MAX:
        return Finding(name="clock", state=State.OK, says="within a minute of Azure's")
    which = "ahead of" if off > timedelta(0) else "behind"
    return Finding(
        name="clock",
        state=State.BROKEN,
        says=f"this clock is {abs(off).total_seconds():.0f} s {which} Azure's",
        fix="Synchronise this machine's clock (timedatectl set-ntp true)",
    )


def heartbeat(last: Heartbeat | None, now: datetime) -> Finding:
    """Whether discovery ran lately."""
    fix = (
        "Is the Function App running, and what is the last error of its function discover? "
        "With a slower BATON_DISCOVERY_SCHEDULE compare with that"
    )
    if last is None:
        says = "no discovery has ever gone through"
        return Finding(name="heartbeat", state=State.BROKEN, says=says, fix=fix)
    minutes = (now - last.at) / timedelta(minutes=1)
    says = f"the last discovery went through {minutes:.0f} min ago and saw {last.vms} VMs"
    if now - last.at >= _SILENT:
        return Finding(name="heartbeat", state=State.BROKEN, says=says, fix=fix)
    if last.failed_subscriptions:
        says += f"; {last.failed_subscriptions} subscriptions could not be read whole"
        fix = "See rights and subscriptions here, or ./baton plan for the reason"
        return Finding(name="heartbeat", state=State.NOTE, says=says, fix=fix)
    return Finding(name="heartbeat", state=State.OK, says=says)


def unsent_alerts(unsent: Sequence[Alert], now: datetime) -> Finding:
    """Whether alerts wait for their mail longer than they should."""
    late = [alert for alert in unsent if now - alert.raised_at >= _UNSENT_MAX]
    if not late:
        says = f"{len(unsent)} wait for their mail, none for long" if unsent else "none waits"
        return Finding(name="alerts", state=State.OK, says=says)
    why = next((alert.note for alert in late if alert.note), "no mail was tried")
    return Finding(
        name="alerts",
        state=State.BROKEN,
        says=f"{len(late)} wait for their mail for over an hour: {why}",
        fix="See mail and the dead letters of the alerts queue here, and whether the app runs",
    )


def dead_letters(queue: str, count: int, reason: str) -> Finding:
    """Whether messages were given up.

    Args:
        queue: Its name.
        count: How many there are, as far as was counted.
        reason: The oldest one's.
    """
    name = f"dead letters {queue}"
    if not count:
        return Finding(name=name, state=State.OK, says="none")
    return Finding(
        name=name,
        state=State.BROKEN,
        says=f"{count} wait, the oldest because of {reason or 'no reason given'}",
        fix="The running app empties the queue and mails what was in it: see that it runs, and "
        "mend what the log says under that message id (docs/runbook.md, deadLettered)",
    )


def queue(name: str, found: QueueProperties) -> Finding:
    """Whether a queue's properties are those that the code relies on."""
    wrong = list(_wrong_properties(found))
    if not wrong:
        says = "lock, delivery count, duplicate detection and time to live as they should be"
        return Finding(name=f"queue {name}", state=State.OK, says=says)
    unchangeable = found.requires_session or not found.requires_duplicate_detection
    fix = (
        "Delete the queue and deploy it again: requiresDuplicateDetection and requiresSession are "
        "set when a queue is made. What was in it the sweep sends again"
        if unchangeable
        else f"az servicebus queue update --name {name} ..., or deploy the infrastructure again"
    )
    return Finding(name=f"queue {name}", state=State.BROKEN, says="; ".join(wrong), fix=fix)


def _wrong_properties(found: QueueProperties) -> Iterator[str]:
    if not found.requires_duplicate_detection:
        yield "requiresDuplicateDetection is false, so every wake-up is handled as often as it is sent"
    elif found.duplicate_detection_history_time_window < _DUPLICATES_MIN:
        window = _told(found.duplicate_detection_history_time_window)
        yield f"duplicateDetectionHistoryTimeWindow is {window}, at least 10 min are needed"
    if found.requires_session:
        yield "requiresSession is true, and Baton's messages have no session"
    if found.lock_duration < _LOCK_MIN:
        lock = _told(found.lock_duration)
        yield f"lockDuration is {lock}, at least 1 min is needed: a slow handler loses its message"
    if found.max_delivery_count < _DELIVERIES_MIN:
        count = found.max_delivery_count
        yield f"maxDeliveryCount is {count}, at least 10 are needed to outlive a busy table service"
    if found.default_message_time_to_live < _TIME_TO_LIVE_MIN:
        span = _told(found.default_message_time_to_live)
        yield f"defaultMessageTimeToLive is {span}, at least 1 day is needed"
    if found.dead_lettering_on_message_expiration:
        yield "deadLetteringOnMessageExpiration is true, so a wake-up too many is mailed as a failure"
    if found.forwards:
        yield "it forwards its messages or dead letters, and Baton reads them here"
    if found.status != "Active":
        yield f"status is {found.status}, not Active"


def _told(span: timedelta) -> str:
    seconds = span.total_seconds()
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
