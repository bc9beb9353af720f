"""Watching patches: how each VM stands whose policy says so, kept in `BatonPatches`."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.domain.assignment import Assigner
from shared.domain.errors import BatonError
from shared.domain.maintenance import Vm
from shared.domain.patching.columns import Patching
from shared.domain.patching.observe import ASSESS_AFTER, observed, wants_assessment
from shared.domain.patching.record import PatchRecord, PatchState
from shared.domain.policy import Policy
from shared.ports import Clock, JobStore, PatchStore, PolicyStore, VirtualMachines
from shared.use_cases.assess_vm import AssessVm
from shared.use_cases.discover import standings_of
from shared.use_cases.report_patches import ReportPatches, Watched
from shared.use_cases.see_fleet import SeeFleet, Sight

log = logging.getLogger("baton.patches")

_AT_ONCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchPatches:
    """Looks at the patches of every VM whose policy has `patching` other than none.

    Attributes:
        acts: Whether it may ask for assessments: in BATON_MODE live alone.
        assess_after: An assessment that is older is made anew.
        assessments_max: In one run. Compute lets a subscription have 200 a minute; nobody else should be hurt.
    """

    clock: Clock
    policies: PolicyStore
    jobs: JobStore
    vms: VirtualMachines
    store: PatchStore
    see: SeeFleet
    assess: AssessVm
    report: ReportPatches
    acts: bool
    assess_after: timedelta = ASSESS_AFTER
    assessments_max: int = 100

    async def __call__(self) -> None:
        """Looks once. One bad VM, policy or subscription never stops the others.

        Raises:
            Retryable: The tables are busy; the next run starts anew.
        """
        standings, _ = standings_of(await self.policies.rows(), await self.jobs.books())
        before = {record.key: record for record in await self.store.records()}
        watching = [s for s in standings.values() if s.policy and _watches(s.policy)]
        if not watching:
            await self._forget(before)
            return
        assign = Assigner(standings.values())

        def watched_by(vm: Vm) -> Policy | None:
            policy = assign(vm).policy
            return policy if policy and _watches(policy) else None

        sight = await self.see((), keeps=lambda vm: watched_by(vm) is not None, asks_vms=False)
        found = ((vm, watched_by(vm)) for vm in sight.fleet.vms.values())
        wanted = {vm.key: (vm, policy) for vm, policy in found if policy}
        looked = await self._look_at_all(wanted, before)
        await self._unseen(sight, wanted, before)
        await self.report(looked)
        counts = Counter(str(one.record.state) for one in looked)
        extra = {"action": "patches_watched", **counts}
        log.info("Looked at the patches of %d VMs", len(looked), extra=extra)

    async def _look_at_all(
        self, wanted: Mapping[str, tuple[Vm, Policy]], before: Mapping[str, PatchRecord]
    ) -> list[Watched]:
        """Those that were assessed longest ago first: assessments are counted out."""
        at_once = asyncio.Semaphore(_AT_ONCE)
        left = iter(range(self.assessments_max if self.acts else 0))

        async def one(vm: Vm, policy: Policy) -> Watched | None:
            async with at_once:
                try:
                    return await self._look(vm, policy, before.get(vm.key), left)
                except BatonError as error:
                    extra = {"action": "patches_unwatched", "vm": vm.id}
                    log.warning("The patches of %s: %s", vm.name, error, extra=extra)
                    return None

        order = sorted(wanted, key=lambda key: _asked(before.get(key)))
        looked = await asyncio.gather(*(one(*wanted[key]) for key in order))
        return [each for each in looked if each]

    async def _look(
        self, vm: Vm, policy: Policy, known: PatchRecord | None, left: Iterator[int]
    ) -> Watched:
        if known and known.assessing_url:
            known = await self.assess.follow(known)
        told = vm.patch_status and vm.view and vm.view.agent_ready
        if not told and not vm.is_uniform:
            vm = await self._own(vm)
        record = observed(vm, known, key=policy.key, now=self.clock.now())
        now, after = self.clock.now(), self.assess_after
        wants = wants_assessment(vm, record, now, after=after)
        if wants and next(left, None) is not None:
            record = await self.assess.start(record)
        await self.store.keep(record)
        return Watched(vm=vm, policy=policy, record=record)

    async def _own(self, vm: Vm) -> Vm:
        """The VM with its own view: the status list tells nothing of its agent, and perhaps nothing of patches."""
        try:
            return await self.vms.get(vm.id)
        except BatonError as error:
            extra = {"action": "vm_unread", "vm": vm.id}
            log.warning("%s was not read: %s", vm.name, error, extra=extra)
            return vm

    async def _unseen(
        self,
        sight: Sight,
        wanted: Mapping[str, tuple[Vm, Policy]],
        before: Mapping[str, PatchRecord],
    ) -> None:
        """VMs with a record that were not looked at: unreadable, gone, or no longer watched."""
        problems = {item.vm_id.lower(): item.problem for item in sight.unreadable}
        for key, record in before.items():
            if key in wanted:
                continue
            if key in problems:
                reason = f"Azure's answer about it cannot be used: {problems[key]}."
                await self.store.keep(replace(record, state=PatchState.UNKNOWN, reason=reason))
            elif key in sight.fleet.vms or record.subscription_id.lower() in sight.fleet.whole:
                await self.store.forget(record.vm_id)

    async def _forget(self, records: Mapping[str, PatchRecord]) -> None:
        for record in records.values():
            await self.store.forget(record.vm_id)


def _watches(policy: Policy) -> bool:
    return policy.enabled and policy.patching is not Patching.NONE


def _asked(record: PatchRecord | None) -> str:
    return record.assessing_since.isoformat() if record and record.assessing_since else ""
