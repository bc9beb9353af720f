"""Which log lines feed which metrics, as data; docs/operate.md is the same for people, whose alert rules rely on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What a line with this action adds to a metric.

    Attributes:
        value: The line's field that is counted, set or recorded, a list by its length; `""` counts the line.
        by: The line's fields that are dimensions.
        fixed: Further dimensions.
    """

    action: str
    metric: str
    kind: Literal["counter", "gauge", "histogram"] = "counter"
    value: str = ""
    unit: str = "1"
    by: tuple[str, ...] = ()
    fixed: Mapping[str, str] = field(default_factory=dict)


MEASURES = (
    Measure(action="discovered", metric="baton.discoveries"),
    *(
        Measure(
            action="discovered",
            metric="baton.vms",
            kind="gauge",
            value="vms" if kind == "seen" else kind,
            fixed={"kind": kind},
        )
        for kind in ("seen", "unmatched", "unreadable")
    ),
    Measure(
        action="discovered",
        metric="baton.subscriptions.failed",
        kind="gauge",
        value="failedSubscriptions",
    ),
    Measure(
        action="discovery_silent",
        metric="baton.discoveries.silence",
        kind="gauge",
        value="minutes",
        unit="min",
    ),
    Measure(action="jobs_counted", metric="baton.jobs", kind="gauge", value="jobs", by=("state",)),
    Measure(action="jobs_late", metric="baton.jobs.late", kind="gauge", value="jobs"),
    Measure(
        action="redeploy_accepted",
        metric="baton.starts.lag",
        kind="histogram",
        value="lagSeconds",
        unit="s",
        by=("team", "policy"),
    ),
    Measure(
        action="outcome_recorded",
        metric="baton.outcomes",
        by=("outcome", "terminal", "team", "policy"),
    ),
    Measure(action="alert_raised", metric="baton.alerts.raised", by=("kind",)),
    Measure(action="mail_sent", metric="baton.alerts.mailed", value="alerts"),
    Measure(action="mail_refused", metric="baton.alerts.failed", value="alerts"),
    *(
        Measure(action=action, metric="baton.mails", fixed={"result": result})
        for action, result in (
            ("mail_sent", "sent"),
            ("mail_taken", "taken"),
            ("mail_put_off", "putOff"),
            ("mail_refused", "refused"),
            ("mail_held", "held"),
        )
    ),
    Measure(action="dead_letter", metric="baton.deadLetters", by=("queue",)),
    Measure(action="arm_called", metric="baton.arm.calls", by=("method", "status")),
    Measure(action="hint_taken", metric="baton.hints", fixed={"result": "taken"}),
    Measure(action="hint_refused", metric="baton.hints", fixed={"result": "refused"}),
)
