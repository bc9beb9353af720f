"""Resource Manager's side: the emulator's own cloud on virtual time, and what it shows to whom.

A read may be a little old, an operation may be forgotten, an answer may be one that nobody can use. What is
true stands in the cloud and its journal, for the checks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from cli.simulation.faults import Faults
from cli.simulation.speed import Once
from simulator.arm import bodies
from simulator.arm.cloud import Cloud
from simulator.arm.journal import Journal
from simulator.arm.records import VmRecord
from simulator.arm.scale_set_bodies import instance_body, instance_status, scale_set_body
from simulator.arm.state import VmState
from simulator.scenario_model import ScaleSet, Scenario

Json = dict[str, Any]
_FORGETS_AFTER = timedelta(hours=1)


@dataclass
class Watched(Journal):
    """The emulator's journal; `seen` is called with each event."""

    seen: Callable[[Mapping[str, Any]], None] = field(default=lambda _: None)

    def event(self, name: str, at: datetime, /, **details: Any) -> None:
        """See Journal."""
        super().event(name, at, **details)
        self.seen({**details, "event": name, "at": at})


class Azure:
    """The cloud, caught up with the time whenever it is looked at.

    Attributes:
        unreadable: Lower-cased ids of VMs whose answers nobody can use.
        unanswered: When which VM, or list of a subscription, was asked for in vain; ids lower-cased.
        faults: Also says how old a read may be.
        read: What was decoded of bodies, by their ids; they live as long as this does.
    """

    def __init__(
        self,
        scenario: Scenario,
        t0: datetime,
        faults: Faults,
        seen: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self.journal = Watched()
        self.cloud = Cloud(scenario, t0, self.journal)
        self.journal.seen = seen
        self.unreadable: set[str] = set()
        self.unanswered: list[tuple[float, str]] = []
        self.faults = faults
        self.t0 = t0
        self.read = Once()
        self._bodies: dict[tuple[object, ...], tuple[VmState, Json]] = {}
        # Every state a VM was seen in, so that a read can show an older one.
        self._history: dict[str, list[tuple[datetime, VmState]]] = {}
        self.remember(t0)

    def at(self, seconds: float) -> datetime:
        """True time, after letting everything happen that is due by then."""
        now = self.t0 + timedelta(seconds=seconds)
        while (due := self.cloud.next_due()) is not None and due <= now:
            self.cloud.advance(due)
            self.remember(due)
        return now

    def remember(self, now: datetime) -> None:
        """Notes the states of the VMs, for reads that show an older one."""
        for key, record in self.cloud.vms.items():
            states = self._history.setdefault(key, [])
            if not states or states[-1][1] is not record.state:
                states.append((now, record.state))

    def model(self, record: VmRecord) -> Json:
        """A VM of the model list."""
        return self._once(record, "model", "", lambda: bodies.vm_model(record, shouting=True))

    def status(self, record: VmRecord, now: datetime) -> Json:
        """A VM of the status list."""
        shown, settings = self._shown(record, now), self.cloud.scenario.arm
        return self._once(
            shown, "status", _offer(shown, now), lambda: bodies.vm_status(shown, now, settings)
        )

    def whole(self, record: VmRecord, now: datetime) -> Json:
        """A VM with its instance view."""
        shown, settings = self._shown(record, now), self.cloud.scenario.arm

        def body() -> Json:
            if shown.spec.instance_id:
                whole = instance_body(shown)
                whole["properties"]["instanceView"] = instance_status(shown, now, settings)
                return whole
            whole = bodies.vm_model(shown)
            whole["properties"]["instanceView"] = bodies.instance_view(shown, now, settings)
            return whole

        return self._once(shown, "whole", _offer(shown, now), body)

    def scale_set(self, scale_set: ScaleSet) -> Json:
        """A scale set of the list of sets."""
        return scale_set_body(scale_set, 0)

    def operation(self, identity: str, now: datetime) -> tuple[int, Json, int]:
        """Status, body and Retry-After of the answer about an operation; an old one is forgotten."""
        found = self.cloud.operations.get(identity)
        if found is None or now - found.started > _FORGETS_AFTER:
            return 404, {"error": {"code": "NotFound", "message": "no such operation"}}, 0
        said = found.status(now)
        body: Json = {"status": said}
        if said == "Failed" and found.error:
            body["error"] = {"code": found.error[0], "message": found.error[1]}
        return 200, body, self.cloud.scenario.arm.retry_after if said == "InProgress" else 0

    def patched(self, identity: str, now: datetime) -> tuple[int, Json, int]:
        """The answer about an assessment or an installation, at Location; an old one is forgotten."""
        found = self.cloud.operations.get(identity)
        if found is None or now - found.started > _FORGETS_AFTER:
            return 404, {"error": {"code": "NotFound", "message": "no such operation"}}, 0
        if found.status(now) == "InProgress":
            return 202, {}, self.cloud.scenario.arm.retry_after
        return 200, dict(found.result or {}), 0

    def _shown(self, record: VmRecord, now: datetime) -> VmRecord:
        """The VM as a reader sees it: as it is, or as it was a little while ago."""
        level = self.faults.level
        if not self.faults.happens(level.stale, (now - self.t0).total_seconds()):
            return record
        then = now - timedelta(seconds=self.faults.dice.random() * level.stale_seconds)
        states = self._history[record.key]
        old = next((state for since, state in reversed(states) if since <= then), states[0][1])
        if old is record.state:
            return record
        self.faults.count("stale")
        return replace(record, state=old)

    def _once(self, record: VmRecord, kind: str, offer: str, body: Callable[[], Json]) -> Json:
        """The same state has the same body, but for the time of the agent's last word."""
        if record.key in self.unreadable:
            kind, offer = f"garbled {kind}", ""
        key = (kind, record.key, id(record.state), offer)
        if key not in self._bodies:
            garbled = {"id": record.id, "properties": "<html>502 Bad Gateway</html>"}
            # The state is kept with its body: an id is only ever that of something that lives.
            self._bodies[key] = (
                record.state,
                garbled if kind.startswith("garbled") else body(),
            )
        return self._bodies[key][1]


def _offer(record: VmRecord, now: datetime) -> str:
    """All that the time itself changes in what is shown of a state."""
    maintenance = record.state.maintenance
    is_over = maintenance is not None and now >= maintenance.end
    return f"{record.state.is_offered(now)} {is_over}"
