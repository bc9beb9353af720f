"""How VMs stand in patching, as the API and the page show it; docs/openapi.json is made from these types."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.domain.patching.record import PatchState


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPatches:
    """How a VM stands in patching.

    Attributes:
        due: How many critical and security patches are missing, as Azure counts.
        kbs: Those of them that the last assessment named.
        azure_installs_by: Until when Azure installs by itself what is due; None where nothing is.
        assessed_at: When Azure last looked what is missing; None if never.
        reason: Why it stands so.
    """

    vm_id: str
    vm: str
    resource_group: str
    subscription_id: str
    location: str
    team: str
    policy: str
    state: PatchState
    due: int
    kbs: tuple[str, ...]
    due_since: datetime | None
    azure_installs_by: datetime | None
    assessed_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchesPage:
    """A part of the list, the worst first.

    Attributes:
        counts: State → how many VMs, whichever state was asked for.
        skip, total: As in a Page.
    """

    counts: Mapping[str, int]
    skip: int
    total: int
    items: tuple[ShownPatches, ...]
