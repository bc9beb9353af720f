"""The outside as the use cases are wired to it."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.ports import (
    AlertStore,
    Bus,
    Clock,
    JobStore,
    Letters,
    Mailer,
    OutcomeStore,
    Patches,
    PatchStore,
    PauseStore,
    PolicyStore,
    VirtualMachines,
    Wake,
)
from shared.use_cases.send_events import Outgoing


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Every port, implemented.

    Attributes:
        mailer: None where no mail service is set.
        outgoing: None where no receiver of events is set.
        decode: A message's body → the wake in it; raises InvalidInput.
    """

    clock: Clock
    vms: VirtualMachines
    patches: Patches
    policies: PolicyStore
    jobs: JobStore
    pauses: PauseStore
    outcomes: OutcomeStore
    alerts: AlertStore
    patch_store: PatchStore
    bus: Bus
    mailer: Mailer | None
    letters: Letters
    decode: Callable[[bytes], Wake]
    jitter: Callable[[], float]
    outgoing: Outgoing | None = None
