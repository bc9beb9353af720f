"""Discovery's decision, made on books in memory: decide, write, decide again."""

from dataclasses import replace
from datetime import timedelta

from shared.domain.fleet import Fleet
from shared.domain.ledger import Books, Head, Ledger
from shared.domain.policy_row import standing
from shared.domain.reconcile import reconcile
from tests.builders import NOW, SUBSCRIPTION, a_status, a_view, a_vm

KEY = ("shop", "web")
DAY = timedelta(days=1)


def vm(name="web-01", *, status="offered", tags=None, **changes):
    if status == "offered":
        status = a_status()
    return a_vm(name, tags=tags or {}, view=a_view(maintenance=status), **changes)


def fleet(*vms, absent=(), whole=True, seen_at=NOW):
    return Fleet(
        vms={item.key: item for item in vms},
        absent=frozenset(absent),
        whole=frozenset({SUBSCRIPTION}) if whole else frozenset(),
        seen_at=seen_at,
    )


def policies(**rows):
    """team_name → columns."""
    found = {}
    for name, columns in (rows or {"web": {}}).items():
        found["shop", name] = standing(("shop", name), columns, None)
    return found


def heads(standings, versions="1"):
    return {
        key: Head(team=key[0], policy=key[1], columns={}, version=versions)
        for key, stands in standings.items()
        if not stands.problems
    }


EMPTY = Books(guard="", ledgers={})


def decide(books=EMPTY, standings=None, seen=None, *, dry_run=False, now=NOW, version="1"):
    standings = policies() if standings is None else standings
    written = heads(standings, version)
    return reconcile(books, standings, written, seen or fleet(vm()), dry_run=dry_run, now=now)


def booked(plan, books=EMPTY):
    """The books after the plan was written."""
    ledgers = dict(books.ledgers)
    for key, head in plan.heads.items():
        old = ledgers.get(key)
        ledgers[key] = Ledger(head=head, jobs=old.jobs if old else ())
    for before, after in plan.moved:
        old_key, new_key = (before.team, before.policy), (after.team, after.policy)
        ledgers[old_key] = replace(
            ledgers[old_key], jobs=tuple(j for j in ledgers[old_key].jobs if j.id != before.id)
        )
        ledgers[new_key] = replace(ledgers[new_key], jobs=(*ledgers[new_key].jobs, after))
    for key, jobs in plan.jobs.items():
        ids = {job.id for job in jobs}
        kept = tuple(job for job in ledgers[key].jobs if job.id not in ids)
        ledgers[key] = replace(ledgers[key], jobs=(*kept, *jobs))
    return Books(guard="1", ledgers=ledgers)


def the_job(plan, key=KEY):
    (job,) = plan.jobs[key]
    return job


def with_job(job, key=KEY):
    head = Head(team=key[0], policy=key[1], columns={}, version="1")
    return Books(guard="1", ledgers={key: Ledger(head=head, jobs=(job,))})
