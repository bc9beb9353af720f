"""Tables as they look in the middle of a maintenance, written by the app's own adapters."""

import asyncio
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from shared.adapters.table_alerts import TableAlerts
from shared.adapters.table_jobs import TableJobs
from shared.adapters.table_outcomes import TableOutcomes
from shared.adapters.table_patches import TablePatches
from shared.adapters.table_policies import TablePolicies
from shared.adapters.tables import TableService, connect_tables
from shared.domain.alert import AlertState
from shared.domain.heartbeat import Heartbeat, LeftAlone
from shared.domain.job import Job, JobState
from shared.domain.ledger import Change, Head
from shared.domain.patching.record import PatchRecord, PatchState
from shared.ports import JobStore, PolicyRow
from tests.builders import SUBSCRIPTION, a_job, a_status, a_vm, a_vm_id, an_alert, an_attempt
from tests.patch_builders import a_patch, a_patch_record, a_summary

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
AT_ONCE = 95


@dataclass
class Policy:
    """A policy's row, and its jobs."""

    team: str
    name: str
    columns: Mapping[str, object]
    jobs: list[Job] = field(default_factory=list)

    def changes(self, at: datetime) -> Iterator[Change]:
        """Its head and jobs as transactions; each but the first needs the head's ETag of the one before."""
        head = Head(team=self.team, policy=self.name, columns=self.columns, version="1")
        for start in range(0, len(self.jobs), AT_ONCE):
            yield Change(heads=(head,), jobs=tuple(self.jobs[start : start + AT_ONCE]), at=at)


async def keep(jobs: JobStore, policy: Policy, at: datetime) -> None:
    """Writes a policy's head and jobs."""
    etag = ""
    for change in policy.changes(at):
        head = replace(change.heads[0], etag=etag)
        etag = (await jobs.commit(replace(change, heads=(head,)))).heads[head.key]


def a_fleet(now: datetime, *, vms: int) -> list[Policy]:
    """Five policies: on its way, asking for a go-ahead, waiting for approval, halted, done."""
    now = now.replace(microsecond=0)
    zone = {"timeZone": "Europe/Amsterdam", "owners": "team@example.com"}
    shop = Policy(
        "shop", "tiers", {"match": "name:shop-*", "sequence": "tag:tier", "concurrency": 2, **zone}
    )
    erp = Policy(
        "erp",
        "all",
        {"match": "name:erp-*", "approval": "required", "freezes": _day(now, 3), **zone},
    )
    lab = Policy("lab", "tests", {"match": "name:lab-*", "gap": "5m", **zone})
    old = Policy("intra", "web", {"match": "name:intra-*", "concurrency": 4, **zone})
    asks = {"goAhead": "2h", "goAheadDefault": "skip"}
    pay = Policy("shop", "payments", {"match": "name:pay-*", "concurrency": 2, **asks, **zone})
    closes = now + timedelta(days=6)
    shop.jobs += _on_its_way(now, closes, max(vms - 42, 12))
    pay.jobs += [
        _job("shop", "payments", f"pay-0{n}", closes, planned_start=now, asked_at=now - n * MINUTE)
        for n in (1, 2)
    ]
    erp.jobs += [
        _job(
            "erp",
            "all",
            f"erp-{n:02}",
            closes,
            planned_start=now + timedelta(days=1, minutes=40 * n),
        )
        for n in range(18)
    ]
    erp.jobs += [
        _job(
            "erp",
            "all",
            f"erp-sql-{n}",
            now + 9 * HOUR,
            planned_start=None,
            reason="the windows leave no 25m before its self-service window closes; a longer window would free it",
        )
        for n in range(2)
    ]
    failed = {"state": JobState.FAILED, "started_at": now - HOUR, "ended_at": now - 50 * MINUTE}
    lab.jobs.append(
        _job(
            "lab",
            "tests",
            "lab-01",
            closes,
            reason="Azure's operation failed: AllocationFailed",
            **failed,
        )
    )
    lab.jobs += [
        _job("lab", "tests", f"lab-{n:02}", closes, planned_start=now + n * HOUR)
        for n in range(2, 10)
    ]
    old.jobs += [
        _done("intra", "web", f"intra-{n:02}", closes, now - timedelta(days=1) + n * MINUTE)
        for n in range(11)
    ]
    return [shop, pay, erp, lab, old]


def _on_its_way(now: datetime, closes: datetime, vms: int) -> Iterator[Job]:
    """Three stages: the first is done, the second half, of the third nothing."""
    third = vms // 3
    for n in range(third):
        yield _done("shop", "tiers", f"shop-db-{n:03}", closes, now - 6 * HOUR + n * MINUTE)
    for n in range(third // 2):
        yield _done(
            "shop", "tiers", f"shop-app-{n:03}", closes, now - 3 * HOUR + n * MINUTE, stage=2
        )
    for n in range(third // 2, third // 2 + 2):
        away = {
            "state": JobState.REDEPLOYING,
            "claimed_at": now - 9 * MINUTE,
            "started_at": now - 8 * MINUTE,
        }
        yield _job("shop", "tiers", f"shop-app-{n:03}", closes, stage=2, **away)
    for n in range(third // 2 + 2, third):
        at = now + 20 * MINUTE + n * MINUTE
        yield _job("shop", "tiers", f"shop-app-{n:03}", closes, stage=2, planned_start=at)
    for n in range(vms - 2 * third):
        at = now + 6 * HOUR + n * MINUTE
        yield _job("shop", "tiers", f"shop-web-{n:03}", closes, stage=3, planned_start=at)


def _job(team: str, policy: str, name: str, closes: datetime, **other: object) -> Job:
    status = a_status(opens=closes - timedelta(days=20), closes=closes)
    vm = a_vm(name, resource_group=f"rg-{team}")
    return a_job(
        vm=vm,
        team=team,
        policy=policy,
        maintenance=status,
        discovered_at=closes - timedelta(days=19),
        **other,
    )


def _done(
    team: str, policy: str, name: str, closes: datetime, start: datetime, **other: object
) -> Job:
    end = start + 7 * MINUTE
    times = {
        "claimed_at": start,
        "started_at": start,
        "verified_at": end,
        "ended_at": end,
        "planned_start": start,
    }
    reason = "Azure reports MaintenanceCompleted, and the VM runs again"
    return _job(
        team,
        policy,
        name,
        closes,
        state=JobState.COMPLETED,
        reason=reason,
        accepted=True,
        **times,
        **other,
    )


def _day(now: datetime, ahead: int) -> str:
    return f"{now + timedelta(days=ahead):%Y-%m-%d}"


def seed_now(connection_string: str, *, vms: int) -> None:
    """Writes all of it as of now, from a thread of its own: a browser has the event loop of this one."""

    async def write() -> None:
        tables = connect_tables(connection_string, None, None, "Baton")
        await seed(tables, datetime.now(UTC), vms=vms)  # noqa: TID251 - the page asks the clock
        await tables.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(write())).result()


async def seed(tables: TableService, now: datetime, *, vms: int) -> None:
    """Writes all of it."""
    jobs, policies, alerts = TableJobs(tables), TablePolicies(tables), TableAlerts(tables)
    for policy in a_fleet(now, vms=vms):
        await policies.write(
            PolicyRow(team=policy.team, policy=policy.name, columns=policy.columns)
        )
        await keep(jobs, policy, now)
    await policies.write(
        PolicyRow(team="lab", policy="new", columns={"match": "name:new-*", "freeze": "2026-12-24"})
    )
    await _trouble(tables, alerts, now)
    for record in _patches(now):
        await TablePatches(tables).keep(record)
    seen = {
        "vms": vms + 60,
        "changed": 3,
        "unmatched": 3,
        "unreadable": 0,
        "failed_subscriptions": 0,
    }
    await alerts.beat(Heartbeat(at=now, **seen))


def _patches(now: datetime) -> Iterator[PatchRecord]:
    """Of six VMs of the lab: one is late, two lack something, two nothing, one cannot have Hotpatch."""
    day, ago = timedelta(days=1), {"last_modified_time": now - HOUR}
    lacks = {"due_since": now - 12 * day, "azure_installs_by": now + 18 * day}
    late = {"due_since": now - 33 * day, "azure_installs_by": now - 3 * day}
    due, all_well = a_summary(2, **ago), a_summary(0, **ago)
    found = (a_patch("5068966"), a_patch("5069000"))
    yield _record(
        1,
        PatchState.OVERDUE,
        "2 critical or security patches are missing since "
        f"{now - 33 * day:%Y-%m-%d}; Azure was to install by itself until {now - 3 * day:%Y-%m-%d}.",
        assessment=due,
        patches=found,
        **late,
    )
    for n in (2, 3):
        yield _record(
            n,
            PatchState.DUE,
            f"2 critical or security patches are missing since {now - 12 * day:%Y-%m-%d}; Azure installs by itself until {now + 18 * day:%Y-%m-%d} (18 days left).",
            assessment=due,
            patches=found,
            **lacks,
        )
    for n in (4, 5):
        yield _record(
            n,
            PatchState.COMPLIANT,
            f"No critical or security patch was missing on {now:%Y-%m-%d}.",
            assessment=all_well,
        )
    yield _record(
        6, PatchState.NOT_ELIGIBLE, "Its image is not one of Azure Edition.", assessment=all_well
    )


def _record(number: int, state: PatchState, reason: str, **other: object) -> PatchRecord:
    vm = a_vm(f"lab-{number:02}", resource_group="rg-lab")
    record = a_patch_record(vm, state=state, reason=reason, **other)
    return replace(record, team="lab", policy="tests")


async def _trouble(tables: TableService, alerts: TableAlerts, now: datetime) -> None:
    failed = a_job(vm=a_vm("lab-01", resource_group="rg-lab"), team="lab", policy="tests")
    attempt = an_attempt(
        outcome="failed",
        reason="Azure's operation failed: AllocationFailed",
        ended_at=now - 50 * MINUTE,
        started_at=now - HOUR,
        verified_at=None,
        last_operation_result_code="MaintenanceAborted",
        last_operation_message="There is no capacity for the size of this VM now.",
    )
    await TableOutcomes(tables).add(failed, attempt)
    facts = (("VM", "lab-01 (resource group rg-lab, westeurope)"), ("Subscription", SUBSCRIPTION))
    await alerts.add(
        an_alert(
            "lab-01",
            subject="lab-01",
            team="lab",
            policy="tests",
            facts=facts,
            state=AlertState.MAILED,
            reason=attempt.reason,
            raised_at=now - 50 * MINUTE,
            note="mailed to team@example.com",
        )
    )
    await alerts.keep_left_alone(
        [
            LeftAlone(
                vm_id=a_vm_id(f"test-{n}", group="rg-test"),
                location="westeurope",
                closes=now + n * HOUR,
                reason="no enabled policy matches it",
            )
            for n in range(1, 4)
        ]
    )
