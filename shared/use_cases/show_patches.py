"""How the watched VMs stand in patching, for the API and the page. From `BatonPatches` alone."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.patching.record import WORST_FIRST, PatchRecord
from shared.use_cases.look import Kept
from shared.use_cases.show import Wanted
from shared.use_cases.shown_patches import PatchesPage, ShownPatches


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowPatches:
    """Answers from one read of the table, which many share."""

    records: Kept[Sequence[PatchRecord]]

    async def __call__(self, wanted: Wanted, *, skip: int, limit: int) -> PatchesPage:
        """The watched VMs that are wanted.

        Raises:
            Retryable: The tables are busy.
        """
        found = [
            record
            for record in await self.records()
            if wanted.wants(
                record.team,
                record.policy,
                record.vm_name,
                record.resource_group,
                record.subscription_id,
            )
        ]
        counts = Counter(record.state for record in found)
        kept = [record for record in found if wanted.patches in (None, record.state)]
        kept.sort(key=lambda one: (WORST_FIRST.index(one.state), one.vm_name, one.key))
        return PatchesPage(
            counts={str(state): counts[state] for state in WORST_FIRST},
            skip=skip,
            total=len(kept),
            items=tuple(map(show_patches, kept[skip : skip + limit])),
        )


def show_patches(record: PatchRecord) -> ShownPatches:
    """A record as it is shown."""
    return ShownPatches(
        vm_id=record.vm_id,
        vm=record.vm_name,
        resource_group=record.resource_group,
        subscription_id=record.subscription_id,
        location=record.location,
        team=record.team,
        policy=record.policy,
        state=record.state,
        due=record.due_count,
        kbs=tuple(f"KB{patch.kb_id}" for patch in record.due_patches if patch.kb_id),
        due_since=record.due_since,
        azure_installs_by=record.azure_installs_by,
        assessed_at=record.assessment.at if record.assessment else None,
        reason=record.reason,
    )
