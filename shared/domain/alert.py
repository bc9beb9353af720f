"""Alerts: what a person must be told, gathered into few mails."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class AlertState(StrEnum):
    """Where an alert stands."""

    RAISED = "raised"
    MAILING = "mailing"
    MAILED = "mailed"
    RECORDED = "recorded"  # nobody to mail it to, or no mail service set


@dataclass(frozen=True, slots=True)
class Span:
    """From an instant to another: when a VM, or a stage of them, is away."""

    label: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One event that a person must know of.

    Attributes:
        id: Derived from the event, so that the same event is one row, whoever raises it.
        kind: `failed`, `aborted`, `timedOut`, `missed`, `deadLettered`; `planned`, `done` for the owners;
            `noFit`, `approval`, `unmatched`, `preflight`, `preview`, `patch`, `baseline` while there is time to
            act; `policy`, `subscription`, `vm`, `job` of what is unreadable;
            `events` that nobody took; `test` once a month.
        subject: What it is about, short: a VM's name, `team/policy`, a subscription.
        team, policy: Whose; `""` where it concerns nobody in particular.
        reason: What happened, a sentence.
        next_step: What happens next, and what the reader can do.
        facts: Label → value, in the order of importance, all as text.
        recipients: Sorted, lower-cased addresses.
        mail_id: The mail it went into, once that is decided.
        leased_until: While MAILING: until when that mail is one handler's to send.
        tries: How often sending was tried.
        tried_at: When last.
        taken_at: When the mail service took it without saying yet what becomes of it.
        deadline: Until when somebody can still do something about it; None where that is not known.
        vm_id: The VM's ARM id, where it is about one.
        zone: The time zone of its policy, an IANA name; `""` where no policy has a say.
        spans: What can be drawn along time.
    """

    id: str
    kind: str
    subject: str
    reason: str
    raised_at: datetime
    team: str = ""
    policy: str = ""
    next_step: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    recipients: tuple[str, ...] = ()
    state: AlertState = AlertState.RAISED
    mail_id: str = ""
    leased_until: datetime | None = None
    tries: int = 0
    tried_at: datetime | None = None
    taken_at: datetime | None = None
    deadline: datetime | None = None
    note: str = ""
    vm_id: str = ""
    zone: str = ""
    spans: tuple[Span, ...] = ()
    etag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail, ready to send.

    Attributes:
        id: Becomes the Message-ID, the same at every try, so that mail systems drop a repeat.
        calendars: (file name, iCalendar document), attached.
    """

    id: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    html: str
    at: datetime
    calendars: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of a mail that the mail service took.

    Attributes:
        refused: The recipients that will not get it, each with why.
        look_after: The service cannot say yet whether it goes out: send the same mail again after that,
            and it tells. None where it has gone out.
    """

    refused: Sequence[str] = ()
    look_after: timedelta | None = None


def event_id(kind: str, *parts: str) -> str:
    """The id of an event: the same parts give the same id."""
    digest = hashlib.sha256("\n".join((kind, *parts)).encode()).hexdigest()[:20]
    return f"{kind}-{digest}"


def mail_id(alerts: Iterable[Alert]) -> str:
    """The id of the mail that carries exactly these alerts."""
    joined = "\n".join(sorted(alert.id for alert in alerts))
    return hashlib.sha256(joined.encode()).hexdigest()[:24]
