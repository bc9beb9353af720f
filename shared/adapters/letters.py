"""Letters: alerts → the text of a mail, from the templates in mail_templates/."""

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from shared.adapters.letter_picture import draw
from shared.domain.alert import Alert, Mail
from shared.domain.timezones import zone_of
from shared.domain.vm_ids import VmId

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
# As `wording.utc` writes it.
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d) UTC", re.ASCII)


def write_mail(
    alerts: Sequence[Alert],
    *,
    mail_id: str,
    recipients: tuple[str, ...],
    mode: str,
    now: datetime,
    page: str = "",
) -> Mail:
    """See the port `Letters`; `page` is the page's address, which links go to."""
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
    given |= {"page": page, "zones": sorted({one.zone for one in ranked if one.zone} - {"UTC"})}
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


def local(text: str, zone: str) -> str:
    """A text with each instant in UTC preceded by what the clocks of a zone show then.

    `2026-03-09 12:00 UTC` → `Mon 2026-03-09 13:00 CET (12:00 UTC)`. An unknown zone changes nothing.
    """
    if zone in ("", "UTC"):
        return text
    try:
        clocks = zone_of(zone)
    except (OSError, ValueError):
        return text

    def both(found: re.Match[str]) -> str:
        try:
            at = datetime.fromisoformat(found[1]).replace(tzinfo=UTC).astimezone(clocks)
        except (ValueError, OverflowError):
            return found[0]
        utc = found[0][11:] if f"{at:%Y-%m-%d}" == found[1][:10] else found[0]
        return f"{at:%a %Y-%m-%d %H:%M %Z} ({utc})"

    return _INSTANT.sub(both, text)


def link(alert: Alert, page: str) -> str:
    """Where the page tells more of an alert; `""` where it has no address."""
    if not page:
        return ""
    with suppress(ValueError):
        vm = VmId.parse(alert.vm_id)
        # As the page has it: SET_3, the name of an instance, could be another VM's.
        name = f"{vm.scale_set}~{vm.instance_id}" if vm.scale_set else vm.name
        parts = (vm.subscription_id, vm.resource_group, name)
        return f"{page}#/vm/{'/'.join(quote(part, safe='~') for part in parts)}"
    if alert.policy:
        view = "policies" if alert.kind == "policy" else "rollouts"
        return f"{page}#/{view}?{urlencode({'team': alert.team, 'policy': alert.policy})}"
    return page


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
    environment.filters["local"] = local
    environment.filters["link"] = link
    environment.filters["clock"] = lambda at, zone: local(f"{at:%Y-%m-%d %H:%M} UTC", zone)
    environment.globals["draw"] = draw
    environment.filters["utc"] = lambda at: f"{at:%Y-%m-%d %H:%M} UTC"
    return environment
