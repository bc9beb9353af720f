"""What a scenario file says, as frozen data. Moments stay relative to the start (T0)."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from simulator.patch_model import Patching, Release
from simulator.scenario_table import Moment, resolve


class Word(enum.StrEnum):
    """What a scenario makes of one performMaintenance that Azure's own rules would let pass."""

    MAINTENANCE_COMPLETED = "MaintenanceCompleted"
    MAINTENANCE_ABORTED = "MaintenanceAborted"
    RETRY_LATER = "RetryLater"
    REFUSE_409 = "Refuse409"
    BUSY_409 = "Busy409"
    THROTTLE_429 = "Throttle429"
    ERROR_503 = "Error503"
    DROP_AFTER = "DropAfter"
    DROP_BEFORE = "DropBefore"
    HANG = "Hang"
    AGENT_LOST = "AgentLost"
    FAILED_OPERATION = "FailedOperation"
    LIE_COMPLETED = "LieCompleted"

    @property
    def is_accepted(self) -> bool:
        """Whether Azure takes the request on, so that a maintenance attempt begins."""
        return self not in _NOT_ACCEPTED


_NOT_ACCEPTED: Final = frozenset(
    {Word.REFUSE_409, Word.BUSY_409, Word.THROTTLE_429, Word.ERROR_503, Word.DROP_BEFORE}
)


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a VM's script. ``delay`` is the Retry-After of a ``Throttle429``."""

    word: Word
    delay: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a subscription: ``kind`` is empty when nothing is.

    ``delay`` is how long a ``slow`` one thinks, and the Retry-After of a ``throttled`` one.
    """

    kind: str = ""
    delay: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Windows:
    """The self-service window (``pre_…``) and the scheduled window of one maintenance."""

    pre_start: Moment
    pre_end: Moment
    start: Moment
    end: Moment

    def at(self, t0: datetime) -> tuple[datetime, datetime, datetime, datetime]:
        """The four instants in a scenario started at ``t0``, in the order of the attributes."""
        return (
            resolve(self.pre_start, t0),
            resolve(self.pre_end, t0),
            resolve(self.start, t0),
            resolve(self.end, t0),
        )


@dataclass(frozen=True, slots=True)
class ArmSettings:
    """How the Resource Manager emulator behaves where Azure is unclear or differs by region."""

    page_size: int = 200
    status_list_carries_maintenance: bool = True
    operation_header: str = "both"
    drop_status_when_done: bool = False
    offer_after_abort: bool = False
    retry_after: int = 1
    id_case: str = "mixed"
    throttle_scale: float = 1.0
    activity_log_delay: timedelta = timedelta()
    status_list_carries_patches: bool = True


@dataclass(frozen=True, slots=True)
class Location:
    """A region. ``pair`` is empty where it has none; ``zones`` is how many it has."""

    name: str
    display_name: str
    geography: str
    pair: str = ""
    zones: int = 3


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription and what is wrong with it.

    Attributes:
        denied: the rights that the one identity lacks in it.
        features: how it has the preview features of Hotpatch: ``gone``, ``open``, ``stuck``,
            ``registered``; with ``open`` a registration takes ``feature_seconds``.
        zone_rotation: by how much its zone numbers are shifted; None: by its place in the file.
        tenant: that of the customer who delegated it to ours by Lighthouse; empty where it is ours.
    """

    id: str
    name: str
    fault: Fault = Fault()
    denied: frozenset[str] = frozenset()
    zone_rotation: int | None = None
    features: str = "gone"
    feature_seconds: float = 1.0
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class AvailabilitySet:
    """An availability set; VMs name it by ``name`` within their resource group."""

    name: str
    resource_group: str
    subscription: str
    location: str
    update_domains: int = 5


@dataclass(frozen=True, slots=True)
class ScaleSet:
    """A scale set; its instances are VMs that name it by ``name`` within their resource group.

    Attributes:
        mode: its ``orchestrationMode``, ``uniform`` or ``flexible``.
        update_domains: over how many Azure spreads a uniform one's instances.
        fault_domains: its ``platformFaultDomainCount``; 1 is max spreading.
        host_group: the group of dedicated hosts that its instances run in, empty for none.
        tags: its own; instances begin with the same.
    """

    name: str
    resource_group: str
    subscription: str
    location: str
    mode: str = "uniform"
    update_domains: int = 5
    fault_domains: int = 5
    zones: tuple[str, ...] = ()
    size: str = "Standard_D2s_v5"
    host_group: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AutoShutdown:
    """A DevTest Labs schedule: ``time`` as ``1900``, ``time_zone`` by its Windows name."""

    time: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Vm:
    """A VM as it is at T0, and the script of what its redeploys lead to.

    Attributes:
        public_address: ``static``, ``dynamic``, or empty for none.
        scheduled_events: what its ``scheduledEventsPolicy`` does with a redeploy: ``approve``,
            ``wait``, or empty for no policy.
        host_group: the group of dedicated hosts that it runs in, empty for none; ``host`` where it
            names one host of the group itself.
        scale_set: the name of its scale set, empty for none.
        instance_id: its number in a uniform scale set, empty for any other VM.
    """

    name: str
    resource_group: str
    subscription: str
    location: str
    zone: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    availability_set: str = ""
    update_domain: int = 0
    power: str = "running"
    agent: str = "ready"
    size: str = "Standard_D2s_v5"
    ephemeral_os_disk: bool = False
    public_address: str = ""
    auto_shutdown: AutoShutdown | None = None
    scheduled_events: str = ""
    maintenance: Windows | None = None
    script: tuple[Step, ...] = (Step(Word.MAINTENANCE_COMPLETED),)
    redeploy_seconds: float = 3.0
    os: str = "Windows"
    image: str = "MicrosoftWindowsServer:WindowsServer:2022-datacenter-g2"
    patching: Patching = field(default_factory=Patching)
    host_group: str = ""
    host: str = ""
    scale_set: str = ""
    instance_id: str = ""
    fault_domain: int = 0


@dataclass(frozen=True, slots=True)
class VmEdit:
    """What happens to a VM while the scenario runs. None and False mean: stays as it is.

    Attributes:
        windows: the moments to move, by key of ``Windows``; on a VM without an open maintenance
            all four, which announces a new one.
    """

    name: str
    resource_group: str = ""
    delete: bool = False
    withdraw: bool = False
    windows: Mapping[str, Moment] = field(default_factory=dict)
    tags: Mapping[str, str] | None = None
    power: str = ""
    agent: str = ""
    script: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Edit:
    """Something that happens at ``at``: to a policy row, a VM, or a subscription."""

    at: Moment
    policy: Mapping[str, Any] | None = None
    vm: VmEdit | None = None
    subscription: tuple[str, Fault] | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole scenario file. ``other`` holds the tables of other processes, unread.

    Attributes:
        faults: by service, as ``simulator.faults`` reads them.
    """

    name: str
    title: str
    settings: Mapping[str, str]
    arm: ArmSettings
    locations: tuple[Location, ...]
    subscriptions: tuple[Subscription, ...]
    availability_sets: tuple[AvailabilitySet, ...]
    vms: tuple[Vm, ...]
    policies: tuple[Mapping[str, Any], ...]
    edits: tuple[Edit, ...]
    faults: Mapping[str, str]
    expect: Mapping[str, Any]
    other: Mapping[str, Any]
    releases: tuple[Release, ...] = ()
    scale_sets: tuple[ScaleSet, ...] = ()
