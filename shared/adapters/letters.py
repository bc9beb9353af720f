"""Letters: alerts → the text of a mail, from the templates in mail_templates/."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from shared.domain.alert import Alert, Mail

if TYPE_CHECKING:
    import jinja2

_FOLDER = Path(__file__).parent / "mail_templates"
# The order in which a reader should meet them, and what they are called in a subject.
_KINDS = {
    "preview": "previewed",
    "failed": "failed",
    "timedOut": "timed out",
    "aborted": "aborted",
    "missed": "missed",
    "noFit": "without a start",
    "approval": "waiting for approval",
    "planned": "planned",
    "done": "done",
    "unmatched": "without a policy",
    "preflight": "to be looked at",
    "baseline": "is a baseline that was not planned",
    "patch": "behind in patching",
    "deadLettered": "not handled",
    "job": "row not readable",
    "policy": "wrong policy",
    "events": "did not take events",
    "subscription": "not read",
    "vm": "not readable",
    "test": "as a test",
}
_OF_VMS = ("failed", "timedOut", "aborted", "missed")
_NEWS = ("planned", "done")


def write_mail(
    alerts: Sequence[Alert],
    *,
    mail_id: str,
    recipients: tuple[str, ...],
    mode: str,
    now: datetime,
) -> Mail:
    """See the port `Letters`."""
    order = list(_KINDS)
    ranked = sorted(
        alerts,
        key=lambda alert: (
            order.index(alert.kind) if alert.kind in order else len(order),
            alert.team,
            alert.subject,
        ),
    )
    subject = _subject(ranked, now)
    given = {"alerts": ranked, "kinds": _KINDS, "subject": subject, "mode": mode, "now": now}
    return Mail(
        id=mail_id,
        recipients=recipients,
        subject=subject,
        text=_templates().get_template("alerts.txt.j2").render(given),
        html=_templates().get_template("alerts.html.j2").render(given),
        at=now,
    )


def _subject(alerts: Sequence[Alert], now: datetime) -> str:
    """`Baton: shop-web-02 aborted (shop), by 2026-03-09 12:00 UTC`: what, whose, and until when one can act.

    Of several it has the counts: `Baton: 3 VMs need attention: 2 aborted, 1 missed (shop)`.
    """
    deadlines = [alert.deadline for alert in alerts if alert.deadline and alert.deadline > now]
    until = f", by {min(deadlines):%Y-%m-%d %H:%M} UTC" if deadlines else ""
    return _what(alerts) + until


def _what(alerts: Sequence[Alert]) -> str:
    teams = sorted({alert.team for alert in alerts if alert.team})
    whose = f" ({', '.join(teams[:3])}{' and others' if len(teams) > 3 else ''})" if teams else ""
    if len(alerts) == 1:
        return (
            f"Baton: {clean(alerts[0].subject)} {_KINDS.get(alerts[0].kind, alerts[0].kind)}{whose}"
        )
    counts = Counter(alert.kind for alert in alerts)
    parts = ", ".join(
        f"{counts[kind]} {_KINDS.get(kind, kind)}"
        for kind in (*_KINDS, *sorted(counts.keys() - _KINDS.keys()))
        if counts[kind]
    )
    if set(counts) <= set(_NEWS):
        return f"Baton: {parts}{whose}"
    what = "VMs need" if set(counts) <= set(_OF_VMS) else "events need"
    return f"Baton: {len(alerts)} {what} attention: {parts}{whose}"


def clean(value: object) -> str:
    """A value without control characters or line breaks: nothing in it can forge a line or a header."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", str(value)).strip()


@cache
def _templates() -> "jinja2.Environment":
    import jinja2  # noqa: PLC0415 - only a process that mails pays for it

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=jinja2.select_autoescape(("html.j2",)),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters["clean"] = clean
    environment.filters["utc"] = lambda at: f"{at:%Y-%m-%d %H:%M} UTC"
    return environment
