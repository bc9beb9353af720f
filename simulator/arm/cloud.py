"""The state of the emulated cloud and the rules by which it changes.

Every method takes ``now``; nothing here asks a clock. What has become due since the last call is
caught up with by ``advance``, in order of time, before anything else is looked at.
"""

import heapq
import itertools
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from simulator.arm import locations
from simulator.arm.course import Start, plan_course
from simulator.arm.features import Features
from simulator.arm.journal import Journal
from simulator.arm.operations import REDEPLOY, REDEPLOY_INSTANCE, Operation, Refusal, Request
from simulator.arm.patch_course import initial_state
from simulator.arm.records import NAMESPACE, SubscriptionRecord, VmRecord, compute_id, vm_id
from simulator.arm.state import Change, Maintenance, VmState
from simulator.arm.throttle import Throttle
from simulator.arm.verdict import Verdict, refusal_of_script, refusal_of_state
from simulator.patch_model import Release
from simulator.scenario_model import (
    AvailabilitySet,
    Edit,
    Location,
    ScaleSet,
    Scenario,
    Vm,
    VmEdit,
    Word,
)
from simulator.scenario_table import ScenarioError, resolve

REFUSALS_MAX: Final = 10_000
"""Beyond any test; a client that asks in a loop must not fill the memory."""

_PREEMPTED: Final = (
    "OperationPreempted",
    "Operation execution has been preempted by a more recent operation.",
)


@dataclass
class Cloud:
    """Everything Resource Manager knows. Lookups go by lower-cased ids and names."""

    scenario: Scenario
    t0: datetime
    journal: Journal = field(default_factory=Journal)
    subscriptions: dict[str, SubscriptionRecord] = field(init=False)
    locations: dict[str, Location] = field(init=False)
    groups: dict[tuple[str, str], tuple[str, str]] = field(init=False, default_factory=dict)
    availability_sets: dict[str, AvailabilitySet] = field(init=False, default_factory=dict)
    scale_sets: dict[str, ScaleSet] = field(init=False, default_factory=dict)
    vms: dict[str, VmRecord] = field(init=False, default_factory=dict)
    operations: dict[str, Operation] = field(init=False, default_factory=dict)
    refusals: "deque[Refusal]" = field(
        init=False, default_factory=lambda: deque(maxlen=REFUSALS_MAX)
    )
    throttle: Throttle = field(init=False)
    releases: "list[tuple[datetime, Release]]" = field(init=False)
    _due: list[tuple[datetime, int, Change | Edit]] = field(init=False, default_factory=list)
    _order: "itertools.count[int]" = field(init=False, default_factory=itertools.count)

    def __post_init__(self) -> None:
        if self.t0.tzinfo is None:
            raise ValueError("t0 has no offset from UTC")
        self.throttle = Throttle(self.scenario.arm.throttle_scale)
        released = [(resolve(it.at, self.t0), it) for it in self.scenario.releases]
        self.releases = sorted(released, key=lambda pair: pair[0])
        self.subscriptions = {
            it.id.lower(): SubscriptionRecord(
                it.id,
                it.name,
                it.fault,
                it.denied,
                place if it.zone_rotation is None else it.zone_rotation,
                Features(it.id, it.features, it.feature_seconds),
                it.tenant,
            )
            for place, it in enumerate(self.scenario.subscriptions)
        }
        self.locations = {it.name: it for it in (*locations.BUILT_IN, *self.scenario.locations)}
        for it in self.scenario.availability_sets:
            self._know_group(it.subscription, it.resource_group, it.location)
            self.availability_sets[compute_id(it, "availabilitySets").lower()] = it
        for each in self.scenario.scale_sets:
            self._know_group(each.subscription, each.resource_group, each.location)
            self.scale_sets[compute_id(each, "virtualMachineScaleSets").lower()] = each
        for vm in self.scenario.vms:
            self.add_vm(vm, self.t0)
        for edit in self.scenario.edits:
            self.schedule(resolve(edit.at, self.t0), edit)

    def advance(self, now: datetime) -> None:
        """Let everything happen that is due by ``now``, each thing at its own instant."""
        while self._due and self._due[0][0] <= now:
            at, _, what = heapq.heappop(self._due)
            if isinstance(what, Change):
                self._change(what)
            else:
                self._edit(what, at)

    def next_due(self) -> datetime | None:
        """When the next thing happens that is known of."""
        return self._due[0][0] if self._due else None

    def add_vm(self, vm: Vm, now: datetime) -> VmRecord:
        """Create a VM as the scenario describes it.

        Raises:
            ScenarioError: no such subscription or region, or the name is taken.
        """
        identity = vm_id(vm)
        for wrong, text in (
            (
                vm.subscription.lower() not in self.subscriptions,
                f"subscription {vm.subscription!r}",
            ),
            (vm.location not in self.locations, f"location {vm.location!r}; add a [[location]]"),
        ):
            if wrong:
                raise ScenarioError(f"[[vm]] {vm.name}: unknown {text}")
        if identity.lower() in self.vms:
            raise ScenarioError(f"[[vm]] {vm.name}: there is one already in {vm.resource_group}")
        self._know_group(vm.subscription, vm.resource_group, vm.location)
        state = VmState(
            power=vm.power,
            is_agent_ready=vm.agent == "ready" and vm.power == "running",
            agent_since=now - timedelta(days=3),
            provisioning_since=now - timedelta(days=3),
            tags=dict(vm.tags),
        )
        record = VmRecord(vm, identity, state, vm.script)
        patches = initial_state(vm.patching, self.releases, self.t0, record.key)
        record.state = replace(state, patches=patches)
        self.vms[record.key] = record
        if vm.maintenance is not None:
            self._announce(record, dict(zip(_KEYS, vm.maintenance.at(self.t0), strict=True)))
        return record

    def edit_vm(self, edit: VmEdit, now: datetime) -> None:
        """Change a VM from outside, as Azure or its owner would.

        Raises:
            ScenarioError: no such VM, several of that name, or windows that cannot be.
        """
        record = self.find_vm(edit.name, edit.resource_group)
        if edit.delete:
            self._delete(record, now)
            return
        if edit.withdraw:
            self._event("withdrawn", record, now)
            record.state = replace(record.state, maintenance=None)
        if edit.windows:
            self._move_windows(record, edit, now)
        if edit.tags is not None:
            record.state = replace(record.state, tags=dict(edit.tags))
        if edit.script:
            record.script, record.step = edit.script, 0
        if edit.power:
            patches = record.state.patches
            patches = patches.rebooted() if edit.power == "running" else patches
            record.state = replace(record.state, power=edit.power, patches=patches)
        if edit.power or edit.agent:
            record.spec = replace(record.spec, agent=edit.agent or record.spec.agent)
            ready = record.state.power == "running" and record.spec.agent == "ready"
            record.state = replace(record.state, is_agent_ready=ready, agent_since=now)

    def find_vm(self, name: str, resource_group: str = "") -> VmRecord:
        """The only VM of that name.

        Raises:
            ScenarioError: there is none, or several.
        """
        hits = [
            record
            for record in self.vms.values()
            if record.spec.name.lower() == name.lower()
            and resource_group.lower() in {"", record.spec.resource_group.lower()}
        ]
        if len(hits) != 1:
            raise ScenarioError(
                f"vm {name!r}: {len(hits)} VMs have this name; "
                "name one, with its resource_group where two share the name"
            )
        return hits[0]

    def perform_maintenance(self, record: VmRecord, now: datetime, request: Request) -> Verdict:
        """Answer one performMaintenance: Azure's rules first, then the scenario's script."""
        maintenance = record.state.maintenance
        identity = maintenance.id if maintenance else ""
        refusal = refusal_of_state(record.spec.name, record.state, now)
        if refusal is not None or maintenance is None:
            return self._refuse(
                record, now, request, Verdict(*(refusal or ("", None)), maintenance=identity)
            )
        step = record.script[min(record.step, len(record.script) - 1)]
        record.step += 1
        if not step.word.is_accepted:
            reason, error = refusal_of_script(record.spec.name, step)
            return self._refuse(
                record, now, request, Verdict(reason, error, step.word, maintenance=identity)
            )
        operation = self._accept(record, maintenance, step.word, now, request)
        return Verdict(word=step.word, operation=operation, maintenance=identity)

    def _accept(
        self, record: VmRecord, open_: Maintenance, word: Word, now: datetime, request: Request
    ) -> Operation:
        start = Start(
            vm=record.key,
            maintenance=open_.id,
            at=now,
            away=timedelta(seconds=record.spec.redeploy_seconds),
            reports=record.spec.agent == "ready",
            offers_after_abort=self.scenario.arm.offer_after_abort,
        )
        course = plan_course(word, start)
        operation = Operation(
            id=str(uuid.uuid5(NAMESPACE, f"{record.key}#operation{len(self.operations)}")),
            vm=record.id,
            location=record.spec.location,
            started=now,
            ends_at=course.ends_at,
            error=course.error,
            request=request,
            action=_action(record),
        )
        self.operations[operation.id] = operation
        record.state = replace(
            record.state,
            operation=operation.id,
            provisioning="Updating",
            provisioning_since=now,
            maintenance=replace(open_, accepted=open_.accepted + 1),
        )
        for change in course.changes:
            self.schedule(change.at, change)
        return operation

    def _refuse(
        self, record: VmRecord, now: datetime, request: Request, verdict: Verdict
    ) -> Verdict:
        if verdict.error is not None:
            self.refusals.append(
                Refusal(
                    record.id,
                    now,
                    verdict.error.status,
                    verdict.error.code,
                    verdict.error.message,
                    request,
                    _action(record),
                )
            )
        return verdict

    def _change(self, change: Change) -> None:
        record = self.vms[change.vm]
        record.state = change.apply(record.state)
        if not change.event:
            return
        details: dict[str, object] = {"maintenanceId": change.maintenance, **change.details}
        if change.event == "moved":
            details |= {"temporaryDiskLost": True, "ipAddress": record.address}
        self._event(change.event, record, change.at, **details)

    def _edit(self, edit: Edit, at: datetime) -> None:
        if edit.vm is not None:
            try:
                self.edit_vm(edit.vm, at)
            except ScenarioError as error:
                # Only now known to be impossible: the VM is gone, or the windows would cross.
                self.journal.event("editFailed", at, reason=str(error))
        if edit.subscription is not None:
            identity, fault = edit.subscription
            self.subscriptions[identity.lower()].fault = fault

    def _delete(self, record: VmRecord, now: datetime) -> None:
        self._event("deleted", record, now)
        running = self.operations.get(record.state.operation)
        if running is not None:
            self.operations[running.id] = replace(running, ends_at=now, error=_PREEMPTED)
        del self.vms[record.key]
        self._due = [
            item
            for item in self._due
            if not (isinstance(item[2], Change) and item[2].vm == record.key)
        ]
        heapq.heapify(self._due)

    def _move_windows(self, record: VmRecord, edit: VmEdit, now: datetime) -> None:
        moved = {key: resolve(moment, self.t0) for key, moment in edit.windows.items()}
        current = record.state.maintenance
        if current is not None and not current.is_closed:
            updated = current.moved_to(moved)
            _check_order(record.spec.name, updated)
            record.state = replace(record.state, maintenance=updated)
            self._event("windowMoved", record, now, **_windows(updated))
            return
        missing = [key for key in _KEYS if key not in moved]
        if missing:
            raise ScenarioError(
                f"vm {record.spec.name}: a new maintenance needs {', '.join(missing)} too"
            )
        self._announce(record, moved)
        announced = record.state.maintenance
        if announced is not None:
            self._event("announced", record, now, **_windows(announced))

    def _announce(self, record: VmRecord, windows: Mapping[str, datetime]) -> None:
        record.announced += 1
        maintenance = Maintenance(
            id=str(uuid.uuid5(NAMESPACE, f"{record.key}#{record.announced}")),
            pre_start=windows["pre_start"],
            pre_end=windows["pre_end"],
            start=windows["start"],
            end=windows["end"],
        )
        _check_order(record.spec.name, maintenance)
        record.state = replace(record.state, maintenance=maintenance)

    def _event(self, name: str, record: VmRecord, at: datetime, **details: object) -> None:
        maintenance = record.state.maintenance
        of_vm = {
            "vmId": record.key,
            "name": record.spec.name,
            "maintenanceId": maintenance.id if maintenance else "",
        }
        self.journal.event(name, at, **{**of_vm, **details})

    def schedule(self, at: datetime, what: Change | Edit) -> None:
        """Have something happen at an instant."""
        heapq.heappush(self._due, (at, next(self._order), what))

    def _know_group(self, subscription: str, group: str, location: str) -> None:
        self.groups.setdefault((subscription.lower(), group.lower()), (group, location))


_KEYS: Final = ("pre_start", "pre_end", "start", "end")


def _action(record: VmRecord) -> str:
    return REDEPLOY_INSTANCE if record.spec.instance_id else REDEPLOY


def _windows(maintenance: Maintenance) -> dict[str, str]:
    return {key: getattr(maintenance, key).isoformat() for key in _KEYS}


def _check_order(vm_name: str, maintenance: Maintenance) -> None:
    if not maintenance.pre_start < maintenance.pre_end <= maintenance.start < maintenance.end:
        raise ScenarioError(
            f"vm {vm_name}: maintenance {_windows(maintenance)}: "
            "the windows must follow one another: pre_start < pre_end <= start < end"
        )
