"""Preview: what the next discovery would decide; nothing is written."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.job import Job
from shared.domain.ledger import Books, Ledger, PolicyKey
from shared.domain.mode import Mode
from shared.domain.pause import Pause
from shared.domain.policy import Standing
from shared.domain.reconcile import Plan, reconcile
from shared.ports import Clock, JobStore, PauseStore, PolicyRow, PolicyStore
from shared.use_cases.discover import standings_of
from shared.use_cases.see_fleet import SeeFleet, Sight


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """A discovery's decision, and what it was made of.

    Attributes:
        ledgers: Every policy's jobs as they would be.
        standings: Every policy row as it counts.
        pauses: Every row of the pauses.
    """

    now: datetime
    ledgers: Mapping[PolicyKey, Ledger]
    standings: Mapping[PolicyKey, Standing]
    plan: Plan
    sight: Sight
    pauses: Sequence[Pause] = ()

    def jobs(self) -> list[Job]:
        """Every open job, in the order of VM ids."""
        found = [job for ledger in self.ledgers.values() for job in ledger.jobs]
        return sorted((job for job in found if not job.state.is_end), key=lambda job: job.vm_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Reads all that a discovery reads, and decides as it does."""

    clock: Clock
    policies: PolicyStore
    jobs: JobStore
    pauses: PauseStore
    see: SeeFleet
    mode: Mode

    async def __call__(self, *, now: datetime | None = None) -> Foresight:
        """Looks once.

        Args:
            now: The instant of the decision; the clock's unless given.

        Raises:
            Retryable: The tables are busy.
        """
        books = await self.jobs.books()
        sight = await self.see(books.jobs())
        rows = await self.policies.rows()
        seen = foresee(books, rows, sight, mode=self.mode, now=now or self.clock.now())
        return replace(seen, pauses=await self.pauses.all())


def foresee(
    books: Books, rows: Sequence[PolicyRow], sight: Sight, *, mode: Mode, now: datetime
) -> Foresight:
    """What a discovery would decide on what was read."""
    standings, heads = standings_of(rows, books)
    plan = reconcile(books, standings, heads, sight.fleet, dry_run=mode is Mode.DRY_RUN, now=now)
    return Foresight(
        now=now, ledgers=_after(books, plan), standings=standings, plan=plan, sight=sight
    )


def _after(books: Books, plan: Plan) -> dict[PolicyKey, Ledger]:
    """The books as they would be once the plan is written."""
    jobs = {job.id: job for job in books.jobs()}
    jobs |= {job.id: job for changed in plan.jobs.values() for job in changed}
    jobs |= {after.id: after for _, after in plan.moved}
    mine: dict[PolicyKey, list[Job]] = defaultdict(list)
    for job in jobs.values():
        mine[job.team, job.policy].append(job)
    heads = {key: ledger.head for key, ledger in books.ledgers.items()} | plan.heads
    unread = {key: ledger.unread for key, ledger in books.ledgers.items()}
    return {
        key: Ledger(head=head, jobs=tuple(mine[key]), unread=unread.get(key, ()))
        for key, head in heads.items()
    }
