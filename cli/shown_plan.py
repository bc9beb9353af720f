"""A plan as it is shown, wherever it came from: as JSON, as tables, as a picture."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cli.picture import Bar, Lane, Left, Picture
from shared.domain.durations import format_duration
from shared.domain.ledger import PolicyKey
from shared.domain.policy import Policy
from shared.domain.preflight import Finding
from shared.domain.vm_ids import name_of

_AROUND = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownJob:
    """An offered VM that has a policy.

    Attributes:
        start, end: When it is planned to be away, or is; None where no start fits.
        reason: Why none fits, or what else there is to say.
        work: What of patches is to be done, with its redeploy or without; `""` of a redeploy alone.
        closes: The end of its self-service window.
        findings: What to know before it starts.
        rollout: Of its policy; later ones begin when the first is done.
        state: A job's state.
    """

    vm_id: str
    vm: str
    team: str
    policy: str
    stage: int
    start: datetime | None
    end: datetime | None
    reason: str
    closes: datetime | None
    findings: tuple[Finding, ...] = ()
    rollout: int = 1
    state: str = "planned"
    work: str = ""

    @property
    def key(self) -> PolicyKey:
        """(team, policy name)."""
        return self.team, self.policy


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownVm:
    """A VM without a policy, or one that could not be read."""

    vm_id: str
    reason: str

    @property
    def vm(self) -> str:
        """Its name."""
        return name_of(self.vm_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownError:
    """What is wrong with a policy row."""

    team: str
    policy: str
    column: str
    message: str

    def __str__(self) -> str:
        return f"{self.team}/{self.policy}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPlan:
    """A plan.

    Attributes:
        jobs: In the order of VM ids.
        policies: Those of the jobs.
        notes: What else a reader should know.
    """

    now: datetime
    jobs: tuple[ShownJob, ...]
    unmatched: tuple[ShownVm, ...] = ()
    errors: tuple[ShownError, ...] = ()
    policies: Mapping[PolicyKey, Policy] = field(default_factory=dict)
    unreadable: tuple[ShownVm, ...] = ()
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Its first five keys, and theirs, are the outer contract of `./baton plan --json`."""
        return {
            "now": utc(self.now),
            "jobs": [_job_json(job) for job in self.jobs],
            "unmatched": [_vm_json(vm) for vm in self.unmatched],
            "policyErrors": [
                {
                    "team": error.team,
                    "policy": error.policy,
                    "column": error.column,
                    "message": error.message,
                }
                for error in self.errors
            ],
            "findings": [
                {"vmId": job.vm_id, "kind": each.kind, "serious": each.serious, "text": each.text}
                for job in self.jobs
                for each in job.findings
            ],
            "unreadable": [_vm_json(vm) for vm in self.unreadable],
            "notes": list(self.notes),
        }

    def picture(self, title: str) -> Picture:
        """The same, to be drawn."""
        bars: dict[tuple[PolicyKey, int], list[Bar]] = defaultdict(list)
        for job in self.jobs:
            if job.start and job.end:
                bars[job.key, job.rollout].append(_bar(job, job.start, job.end))
        return Picture(
            title=title,
            now=self.now,
            lanes=tuple(
                self._lane(key, rollout, bars[key, rollout]) for key, rollout in sorted(bars)
            ),
            unplaced=tuple(
                Left(vm=job.vm, vm_id=job.vm_id, reason=job.reason, policy="/".join(job.key))
                for job in self.jobs
                if not job.start
            ),
            unmatched=tuple(
                Left(vm=one.vm, vm_id=one.vm_id, reason=one.reason) for one in self.unmatched
            ),
            findings=tuple(self._findings()),
            errors=tuple(map(str, self.errors)),
            notes=(*self.notes, *(f"{one.vm}: {one.reason}" for one in self.unreadable)),
        )

    def _findings(self) -> Iterator[Left]:
        """A fleet's findings are many: those of one kind have one text, the serious before the others."""
        told: dict[tuple[bool, str], list[tuple[ShownJob, str]]] = defaultdict(list)
        for job in self.jobs:
            for each in job.findings:
                told[not each.serious, each.kind].append((job, each.text))
        for _, found in sorted(told.items()):
            (first, text), alike = found[0], len({text for _, text in found}) == 1
            reason = text if alike else f"for example {first.vm}: {text}"
            yield from (Left(vm=job.vm, vm_id=job.vm_id, reason=reason) for job, _ in found)

    def _lane(self, key: PolicyKey, rollout: int, bars: Sequence[Bar]) -> Lane:
        policy, name = self.policies.get(key), "/".join(key)
        if rollout > min(job.rollout for job in self.jobs if job.key == key):
            name += f", rollout {rollout}"
        if policy is None:
            return Lane(name=name, bars=tuple(bars))
        hours = policy.hours
        since = min(bar.start for bar in bars) - _AROUND
        until = max(max(bar.end, bar.closes or bar.end) for bar in bars) + _AROUND
        opened = hours.without_freezes().intervals(since, until)
        return Lane(
            name=name,
            bars=tuple(bars),
            facts=facts(policy, len({bar.stage for bar in bars})),
            zone=hours.zone_name,
            windows=opened if hours.has_windows else None,
            freezes=tuple((freeze.start, freeze.end) for freeze in hours.freezes),
        )


def utc(at: datetime) -> str:
    """`2026-12-01T22:00:00Z`, with a fraction only where there is one."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def facts(policy: Policy, stages: int) -> tuple[str, ...]:
    """What a reader should know of a policy."""
    together = "one" if policy.concurrency == 1 else str(policy.concurrency)
    hours = policy.hours
    found = [
        "1 stage" if stages == 1 else f"{stages} stages",
        f"{together} at a time, gap {format_duration(policy.gap)}",
        f"{hours.text} {hours.zone_name}" if hours.has_windows else "at any time",
    ]
    if policy.needs_approval:
        found.append("needs approval")
    if ask := policy.go_ahead:
        found.append(f"asks for a go-ahead ({format_duration(ask.wait)}, then {ask.default})")
    return tuple(found)


def _bar(job: ShownJob, start: datetime, end: datetime) -> Bar:
    return Bar(
        vm=job.vm,
        vm_id=job.vm_id,
        stage=job.stage,
        start=start,
        end=end,
        closes=job.closes,
        state=job.state,
        note="; ".join(filter(None, (job.work, job.reason))),
    )


def _job_json(job: ShownJob) -> dict[str, Any]:
    return {
        "vmId": job.vm_id,
        "team": job.team,
        "policy": job.policy,
        "stage": job.stage,
        "start": utc(job.start) if job.start else None,
        "end": utc(job.end) if job.end else None,
        "reason": job.reason,
        **({"work": job.work} if job.work else {}),
    }


def _vm_json(vm: ShownVm) -> dict[str, Any]:
    return {"vmId": vm.vm_id, "reason": vm.reason}
