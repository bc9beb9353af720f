"""What a person must do about patches, told by mail once: who falls behind, and an unplanned baseline."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.alert import Alert, event_id
from shared.domain.maintenance import Vm
from shared.domain.patching.calendar import Release, last_release, unplanned_baseline
from shared.domain.patching.columns import Patching
from shared.domain.patching.model import PatchOperationStatus
from shared.domain.patching.record import PatchRecord, PatchState
from shared.domain.patching.results import AvailablePatch
from shared.domain.policy import Policy
from shared.ports import Clock
from shared.use_cases.tell import Tell
from shared.use_cases.wording import utc

_FAILURES = 3
_VMS_NAMED = 20
_NEXT_STEPS = {
    PatchState.OVERDUE: "Look at why Azure did not install it; `./baton hotpatch history` has what was tried.",
    PatchState.NOT_ENROLLED: "Enrol it, or set its policy's patching to none.",
    PatchState.NOT_ELIGIBLE: "It gets no hotpatches. Recreate it, or set its policy's patching to none.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A VM that was looked at."""

    vm: Vm
    policy: Policy
    record: PatchRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPatches:
    """Tells people. The same event is told once, whatever run sees it."""

    clock: Clock
    tell: Tell

    async def __call__(self, looked: Sequence[Watched]) -> None:
        """Tells of every VM that needs somebody, and of a baseline that nobody planned."""
        for one in looked:
            for identity, reason, next_step in _events(one):
                await self._of_vm(one, identity, reason, next_step)
        release = last_release(self.clock.now())
        affected: dict[str, list[tuple[Watched, AvailablePatch]]] = defaultdict(list)
        for one in looked:
            for patch in unplanned_baseline(
                one.record.due_patches, release, compliant_at=_enrolled_and_compliant(one.record)
            ):
                affected[patch.kb_id].append((one, patch))
        for kb, hits in sorted(affected.items()):
            await self._of_baseline(release, kb, hits)

    async def _of_vm(
        self, one: Watched, identity: tuple[str, ...], reason: str, next_step: str
    ) -> None:
        record = one.record
        facts = (
            ("VM", f"{record.vm_name} (resource group {record.resource_group}, {record.location})"),
            ("Policy", f"{record.team}/{record.policy}"),
            ("State", str(record.state)),
            ("Image", record.image),
            ("Azure installs by itself until", _instant(record)),
            ("Subscription", record.subscription_id),
        )
        await self.tell(
            Alert(
                id=event_id("patch", record.key, *identity),
                kind="patch",
                subject=record.vm_name,
                reason=reason,
                next_step=next_step,
                raised_at=self.clock.now(),
                team=record.team,
                policy=record.policy,
                facts=tuple((label, value) for label, value in facts if value),
                recipients=one.policy.owners,
                vm_id=record.vm_id,
                zone=one.policy.hours.zone_name,
            )
        )

    async def _of_baseline(
        self, release: Release, kb: str, hits: Sequence[tuple[Watched, AvailablePatch]]
    ) -> None:
        patch = hits[0][1]
        names = [one.vm.name for one, _ in hits]
        more = f" and {len(names) - _VMS_NAMED} others" if len(names) > _VMS_NAMED else ""
        await self.tell(
            Alert(
                id=event_id("baseline", release.month, kb),
                kind="baseline",
                subject=f"KB{kb} of {release.month}",
                reason=(
                    f"In {release.month}, a hotpatch month, VMs with Hotpatch are offered a security patch that "
                    "needs a reboot: Microsoft released a baseline that was not planned."
                ),
                next_step=(
                    "Where patching is install, Baton installs it in the order, gaps and hours of a reboot. "
                    "Elsewhere Azure reboots the VMs by itself, in their off-peak hours."
                ),
                raised_at=self.clock.now(),
                facts=(
                    ("Patch", patch.name or f"KB{kb}"),
                    ("rebootBehavior", str(patch.reboot_behavior)),
                    ("Seen on", ", ".join(names[:_VMS_NAMED]) + more),
                ),
                recipients=tuple(sorted({owner for one, _ in hits for owner in one.policy.owners})),
            )
        )


def _events(one: Watched) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """(identity, reason, next step) of each thing that a person must know of a VM."""
    record = one.record
    if record.state is PatchState.OVERDUE:
        yield ("overdue", _instant(record)), record.reason, _NEXT_STEPS[record.state]
    elif record.state in (PatchState.NOT_ELIGIBLE, PatchState.NOT_ENROLLED):
        yield (str(record.state), record.reason), record.reason, _NEXT_STEPS[record.state]
    if record.assessment_failures >= _FAILURES:
        reason = (
            f"Its last {record.assessment_failures} assessments came to nothing, so that nobody knows what it "
            f"lacks: {record.assessment_problem}."
        )
        identity = ("assessment", f"{record.seen_at or ''!s}"[:7])
        yield (
            identity,
            reason,
            "Look at the VM's agent and its Windows Update; Baton goes on asking.",
        )
    last = record.installation
    # Of a policy that installs, the job tells of its own failures.
    observes = one.policy.patching is Patching.OBSERVE
    if observes and last and last.status == PatchOperationStatus.FAILED:
        error = f": {last.error}" if last.error else ""
        reason = f"An installation of patches failed{error}."
        yield (
            ("installation", last.installation_activity_id),
            reason,
            "Azure tries again by itself.",
        )


def _enrolled_and_compliant(record: PatchRecord) -> datetime | None:
    """When an enrolled VM was last compliant; another one's offers say nothing of Hotpatch."""
    outside = (PatchState.NOT_ELIGIBLE, PatchState.NOT_ENROLLED)
    return None if record.state in outside else record.compliant_at


def _instant(record: PatchRecord) -> str:
    return utc(record.azure_installs_by) if record.azure_installs_by else ""
