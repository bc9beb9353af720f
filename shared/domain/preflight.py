"""Preflight: what about a VM makes its redeploy costlier, or less certain, than it looks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from shared.domain.maintenance import Vm
from shared.domain.vm_size import has_temporary_disk

# Azure itself leaves this much between two update domains of a set.
_AZURES_PAUSE = timedelta(minutes=30)


class FindingKind(StrEnum):
    """What was found."""

    TEMPORARY_DISK = "temporaryDisk"
    EPHEMERAL_OS_DISK = "ephemeralOsDisk"
    DYNAMIC_ADDRESS = "dynamicAddress"
    AUTO_SHUTDOWN = "autoShutdown"
    STOPPED = "stopped"
    UPDATING = "updating"
    FAILED_PROVISIONING = "failedProvisioning"
    AGENT_NOT_READY = "agentNotReady"
    AVAILABILITY_SET = "availabilitySet"
    SCHEDULED_EVENTS = "scheduledEvents"
    NOT_CHECKED = "notChecked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to know before a VM is redeployed.

    Attributes:
        serious: Whether somebody should be told even if they never look at the plan.
        text: What happens, and what the reader can do; whole sentences that leave the VM's name out.
    """

    kind: FindingKind
    serious: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What stands around the VMs of a subscription.

    Attributes:
        dynamic_addresses: Network interface id, lower-cased → its dynamic public address.
        shutdowns: VM key → when auto-shutdown stops it, as people read it.
        unread: What could not be read, and why; a sentence each.
    """

    dynamic_addresses: Mapping[str, str] = field(default_factory=dict)
    shutdowns: Mapping[str, str] = field(default_factory=dict)
    unread: tuple[str, ...] = ()


NOT_READ = Surroundings(unread=("public addresses and auto-shutdown schedules were not read",))


def findings(vm: Vm, surroundings: Surroundings, *, gap: timedelta) -> tuple[Finding, ...]:
    """What is found on a VM that is to be redeployed, the serious first.

    Args:
        vm: With its instance view, and not while Baton redeploys it: then it is stopped and updating.
        surroundings: Of its subscription.
        gap: Its policy's.
    """
    found = [
        *_disks(vm),
        *_address(vm, surroundings),
        *_shutdown(vm, surroundings),
        *_state(vm),
        *_set(vm, gap),
        *_scheduled_events(vm),
        *_not_checked(vm, surroundings),
    ]
    return tuple(sorted(found, key=lambda finding: not finding.serious))


def _disks(vm: Vm) -> Iterator[Finding]:
    if vm.os_disk_ephemeral:
        yield _serious(
            FindingKind.EPHEMERAL_OS_DISK,
            "Its OS disk is ephemeral: the redeploy makes it anew from the image, and everything"
            " written to it is lost. Save what is needed, or exclude the VM from its policy.",
        )
    has = has_temporary_disk(vm.vm_size)
    if has is not False:
        size = f"Its size {vm.vm_size}" if vm.vm_size else "Its size, which ARM does not tell,"
        yield _note(
            FindingKind.TEMPORARY_DISK,
            f"{size} {'has' if has else 'may have'} a temporary disk: the redeploy empties it. Keep"
            " there only what may be lost, such as a page file.",
        )


def _address(vm: Vm, surroundings: Surroundings) -> Iterator[Finding]:
    dynamic = surroundings.dynamic_addresses
    addresses = [dynamic[nic] for nic in vm.network_interfaces or () if nic in dynamic]
    if addresses:
        yield _serious(
            FindingKind.DYNAMIC_ADDRESS,
            f"Its public address {', '.join(addresses)} is dynamic: the redeploy changes it. Make it"
            " static, or tell those who use it.",
        )


def _shutdown(vm: Vm, surroundings: Surroundings) -> Iterator[Finding]:
    if at := surroundings.shutdowns.get(vm.key):
        yield _serious(
            FindingKind.AUTO_SHUTDOWN,
            f"Auto-shutdown stops it daily at {at}: it may do so amid the redeploy, and the next"
            " start may bring the VM into a maintenance again, or out of this one. Switch auto-shutdown"
            " off until the maintenance is done, or keep its time out of the policy's windows.",
        )


def _state(vm: Vm) -> Iterator[Finding]:
    provisioning = vm.provisioning_state.lower()
    if provisioning == "failed":
        yield _note(
            FindingKind.FAILED_PROVISIONING,
            "Its last change failed (provisioningState Failed), so that the redeploy may fail too."
            " Look at its activity log; az vm reapply often mends it.",
        )
    elif provisioning not in ("", "succeeded"):
        yield _serious(
            FindingKind.UPDATING,
            f"It is being changed, perhaps resized (provisioningState {vm.provisioning_state}): until"
            " that ends Azure refuses the redeploy, and a resize may take the maintenance away. Wait"
            " for the end, and don't resize it before it is redeployed.",
        )
    power = vm.view.power_state if vm.view else None
    if power and power != "running":
        yield _serious(
            FindingKind.STOPPED,
            f"It does not run (PowerState/{power}): Azure advises against the redeploy of a VM that is"
            " shut down, and a redeploy powers it on. Start it before its turn, or exclude it from its"
            " policy.",
        )
    elif power and vm.view and not vm.view.agent_ready:
        yield _note(
            FindingKind.AGENT_NOT_READY,
            "Its VM agent is not ready, so that Baton can't tell by it that the VM is back and goes by"
            " the power state alone. Mend the agent, or look at the VM yourself after the redeploy.",
        )


def _set(vm: Vm, gap: timedelta) -> Iterator[Finding]:
    if vm.availability_set and gap <= _AZURES_PAUSE:
        yield _note(
            FindingKind.AVAILABILITY_SET,
            f"It is in the availability set {vm.availability_set.rsplit('/', 1)[-1]}, which is better"
            " left to Azure: in the scheduled window Azure goes update domain by update domain, with"
            " 30 minutes between them. Exclude it, or give the policy a gap of more than 30 minutes.",
        )


def _scheduled_events(vm: Vm) -> Iterator[Finding]:
    if vm.redeploy_awaits_approval:
        yield _serious(
            FindingKind.SCHEDULED_EVENTS,
            "Its scheduledEventsPolicy makes an accepted redeploy wait for approval, 10 minutes and"
            " more, so that it may begin late and overrun its window. Approve the event, or set"
            " userInitiatedRedeploy.automaticallyApprove.",
        )


def _not_checked(vm: Vm, surroundings: Surroundings) -> Iterator[Finding]:
    unread = [
        what
        for what, value in (
            ("whether its OS disk is ephemeral", vm.os_disk_ephemeral),
            ("its network interfaces", vm.network_interfaces),
            ("its scheduledEventsPolicy", vm.redeploy_awaits_approval),
            ("its power state", vm.view and vm.view.power_state),
        )
        if value is None
    ]
    if unread:
        text = f"ARM's answer does not tell {', '.join(unread)}. Look at the VM in the portal."
        yield _note(FindingKind.NOT_CHECKED, f"Not checked: {text}")
    for sentence in surroundings.unread:
        yield _note(FindingKind.NOT_CHECKED, f"Not checked: {sentence}")


def _serious(kind: FindingKind, text: str) -> Finding:
    return Finding(kind=kind, serious=True, text=text)


def _note(kind: FindingKind, text: str) -> Finding:
    return Finding(kind=kind, serious=False, text=text)
