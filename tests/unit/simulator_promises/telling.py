"""Rollouts told in seconds, good ones and spoilt ones, and what the promises make of them."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from simulator.promises import Evidence, judge
from simulator.promises.model import (
    Approval,
    Event,
    Machine,
    PolicyEdit,
    Row,
    SeenMail,
    Start,
    Window,
)

T0 = datetime(2026, 12, 1, 12, tzinfo=UTC)
RULES = {
    "estimate": "3s",
    "match": "tag:owner=shop",
    "sequence": "tag:tier=db; tag:tier=web",
    "gap": "2s",
    "stageGap": "3s",
}


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


@dataclass
class Run:
    """A rollout told in seconds: two databases, then two web servers, one at a time, two seconds apart."""

    machines: dict[str, Machine] = field(default_factory=dict)
    windows: list[Window] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    edits: list[PolicyEdit] = field(default_factory=list)
    mails: list[SeenMail] = field(default_factory=list)
    results: dict[str, tuple[str, str]] = field(default_factory=dict)
    approvals: tuple[Approval, ...] | None = None

    def vm(self, name: str, tier: str, **more) -> None:
        self.machines[name] = Machine(
            key=name,
            name=name,
            resource_group="rg-shop",
            subscription="s1",
            location=more.pop("location", "westeurope"),
            tags={"owner": "shop", "tier": tier},
            **more,
        )
        self.windows.append(Window(vm=name, since=T0, start=at(-60), end=at(600), is_new=True))

    def redeploy(self, name: str, start: float, back: float) -> None:
        self.begin(name, start)
        self.event(name, back, "completed")
        self.event(name, back, "back")
        self.row(name, back + 0.5, "completed", started=start, code="MaintenanceCompleted")

    def begin(self, name: str, start: float, **more) -> None:
        more = {"accepted": True, "maintenance": f"{name}#1", **more}
        self.starts.append(Start(vm=name, at=at(start), **more))

    def event(self, name: str, moment: float, what: str) -> None:
        self.events.append(Event(vm=name, at=at(moment), name=what, maintenance=f"{name}#1"))

    def row(
        self, name: str, ended: float, outcome: str, started: float | None = None, **more
    ) -> None:
        self.rows.append(
            Row(
                job=more.pop("job", f"{name}-job"),
                vm=name,
                name=name,
                team="shop",
                policy="tiers",
                attempt=more.pop("attempt", 1),
                outcome=outcome,
                terminal=more.pop("terminal", True),
                ended=at(ended),
                started=None if started is None else at(started),
                **more,
            )
        )

    def policy(self, moment: float, **columns) -> None:
        self.edits.append(PolicyEdit(at=at(moment), team="shop", name="tiers", columns=columns))

    def mail(self, message_id: str, text: str) -> None:
        self.mails.append(SeenMail(message_id=message_id, subject="Baton", text=text))

    def evidence(self) -> Evidence:
        return Evidence(
            machines=self.machines,
            windows=tuple(sorted(self.windows, key=lambda each: each.since)),
            starts=tuple(sorted(self.starts, key=lambda each: each.at)),
            events=tuple(sorted(self.events, key=lambda each: each.at)),
            rows=tuple(sorted(self.rows, key=lambda each: each.ended)),
            edits=tuple(self.edits),
            mails=tuple(self.mails),
            results=self.results,
            approvals=self.approvals,
            pairs={
                "westeurope": frozenset({"northeurope"}),
                "northeurope": frozenset({"westeurope"}),
            },
        )


def a_run(**rules) -> Run:
    run = Run()
    run.policy(0, **{**RULES, **rules})
    for name in ("db-1", "db-2"):
        run.vm(name, "db")
    for name in ("web-1", "web-2"):
        run.vm(name, "web")
    run.redeploy("db-1", 1, 4)
    run.redeploy("db-2", 7, 10)
    run.redeploy("web-1", 14, 17)
    run.redeploy("web-2", 20, 23)
    return run


def broken(run: Run) -> dict[str, tuple[str, ...]]:
    """The promises that were not kept, and what is said about each."""
    return {v.promise: v.violations for v in judge(run.evidence()) if not v.held}


def a_failed_run(**rules) -> Run:
    run = a_run(**rules)
    run.rows = [
        replace(row, outcome="aborted", code="MaintenanceAborted") if row.vm == "db-2" else row
        for row in run.rows
    ]
    run.events = [
        replace(event, name="aborted") if (event.vm, event.name) == ("db-2", "completed") else event
        for event in run.events
    ]
    run.mail("<1@baton>", "db-2 was aborted")
    return run
