"""Policies: what a team asked for, and which VM follows which."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from shared.domain.errors import Problem
from shared.domain.go_ahead import GoAhead
from shared.domain.hours import Hours
from shared.domain.ledger import PolicyKey
from shared.domain.maintenance import Vm
from shared.domain.patching.columns import Patching
from shared.domain.patching.model import RebootSetting
from shared.domain.selector import Selector


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy whose every column is right; docs/policies.md has the columns.

    Attributes:
        stages: Selectors of `sequence`, in order; empty where it is `tag:NAME` or not given.
        stage_tag: Lower-cased NAME of `sequence` `tag:NAME`, else `""`.
        halts: `onFailure` is `halt`.
        retries_aborted: `retryAborted`.
        hours: Its `windows` minus its `freezes`, in its `timeZone`.
        lead: The least time from the discovery of a VM's maintenance to its start.
        needs_approval: `approval` is `required`.
        go_ahead: `goAhead` and `goAheadDefault`; None where no go-ahead is asked for.
        owners: Mail addresses, lower-cased and sorted.
        patch_classifications: `patchClassifications`, in Azure's words.
        kb_include, kb_exclude: KB numbers, digits alone; no number is in both.
        reboot_setting: `IfRequired` or `Never`.
    """

    team: str
    name: str
    enabled: bool
    priority: int
    match: Selector
    exclude: Selector | None
    stages: tuple[Selector, ...]
    stage_tag: str
    gap: timedelta
    stage_gap: timedelta
    concurrency: int
    estimate: timedelta
    halts: bool
    retries: int
    retries_aborted: bool
    hours: Hours
    lead: timedelta
    needs_approval: bool
    go_ahead: GoAhead | None
    owners: tuple[str, ...]
    patching: Patching
    patch_classifications: tuple[str, ...]
    kb_include: tuple[str, ...]
    kb_exclude: tuple[str, ...]
    reboot_setting: RebootSetting

    @property
    def key(self) -> PolicyKey:
        """(team, name)."""
        return self.team, self.name

    def takes(self, vm: Vm) -> bool:
        """Whether the policy, by itself, wants the VM."""
        return self.enabled and wants(self.match, self.exclude, vm)

    def staged(self, vms: Iterable[Vm]) -> dict[str, int]:
        """The stages of a rollout's VMs, from 1, by VM key; VMs in none go last."""
        if not self.stage_tag:
            return {vm.key: self.stage_by_selector(vm) for vm in vms}
        numbers = {vm.key: self.stage_number(vm) for vm in vms}
        return dict(zip(numbers, ranked(numbers.values()), strict=True))

    def stage_by_selector(self, vm: Vm) -> int:
        """The stage of the first selector of `sequence` that holds, from 1; without one, the last."""
        for index, stage in enumerate(self.stages, start=1):
            if stage.matches(vm):
                return index
        return len(self.stages) + 1

    def stage_number(self, vm: Vm) -> int | None:
        """The whole number in the VM's sequence tag; None without one."""
        for name, value in vm.tags.items():
            if name.lower() == self.stage_tag and re.fullmatch(r"\s*-?[0-9]{1,9}\s*", value):
                return int(value)
        return None


def ranked(numbers: Iterable[int | None]) -> list[int]:
    """The stages, from 1, of VMs with these numbers in their sequence tag; those without one go last."""
    given = list(numbers)
    present = sorted({number for number in given if number is not None})
    ranks = {number: rank for rank, number in enumerate(present, start=1)}
    return [len(ranks) + 1 if number is None else ranks[number] for number in given]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A policy row as it counts now.

    Attributes:
        policy: What it acts under: itself, or its last good version while it is wrong; None if it has
            none and so starts nothing.
        problems: What is wrong with the row.
        claim: Of a wrong row with no good version: priority, match and exclude, if they can be read.
            It keeps its VMs from other policies.
    """

    key: PolicyKey
    policy: Policy | None
    problems: tuple[Problem, ...] = ()
    claim: tuple[int, Selector, Selector | None] | None = None

    @property
    def priority(self) -> int:
        """The priority by which it competes."""
        return self.policy.priority if self.policy else self.claim[0] if self.claim else 0

    @property
    def match(self) -> Selector | None:
        """The VMs it is about, if that can be read."""
        return self.policy.match if self.policy else self.claim[1] if self.claim else None

    def takes(self, vm: Vm) -> bool:
        """Whether it wants the VM."""
        if self.policy:
            return self.policy.takes(vm)
        return self.claim is not None and wants(self.claim[1], self.claim[2], vm)


def wants(match: Selector, exclude: Selector | None, vm: Vm) -> bool:
    """Whether a VM is matched and not excluded; `exclude` always wins."""
    return match.matches(vm) and not (exclude and exclude.matches(vm))
