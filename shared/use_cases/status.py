"""Status: what is away, what waits and why, what ended badly, and whether Baton itself is alive. Tables only."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.domain.heartbeat import Heartbeat
from shared.domain.job import Job, JobState
from shared.domain.ledger import Books, Ledger, PolicyKey
from shared.domain.mode import Mode
from shared.domain.pause import Pause, pause_of
from shared.domain.policy import Standing
from shared.domain.rules import why_not_now
from shared.ports import AlertStore, Clock, JobStore, PauseStore, PolicyStore
from shared.use_cases.discover import standings_of

_BAD_MAX = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyStatus:
    """One policy, and its rollout that acts.

    Attributes:
        rollout: Its number; 0 where nothing is open.
        counts: State → how many VMs of that rollout stand in it.
        behind: How many VMs wait in the rollouts after it.
        start: The next planned start; None if there is none.
        closes: When the first self-service window of a waiting VM closes.
        no_start: How many of all that wait have no start in the plan.
        why: What holds the next VM back; `""` where nothing waits or nothing is in its way.
        problems: What is wrong with the policy's row.
    """

    team: str
    policy: str
    rollout: int
    counts: Mapping[JobState, int]
    behind: int
    start: datetime | None
    closes: datetime | None
    no_start: int
    why: str
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Everything at a glance.

    Attributes:
        mode: BATON_MODE as the asker's settings have it.
        heartbeat: The last discovery that went through; None before the first.
        pauses: Those in force, the widest first.
        away: Jobs whose VM may be away, the longest first.
        bad: Jobs that ended badly, the newest first; at most ten.
        unsent: How many alerts wait to be mailed.
    """

    now: datetime
    mode: Mode
    heartbeat: Heartbeat | None
    pauses: tuple[Pause, ...]
    policies: tuple[PolicyStatus, ...]
    away: tuple[Job, ...]
    bad: tuple[Job, ...]
    unsent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStatus:
    """Reads it: four queries, and nothing of Azure."""

    clock: Clock
    jobs: JobStore
    policies: PolicyStore
    pauses: PauseStore
    alerts: AlertStore
    mode: Mode

    async def __call__(self) -> Status:
        """Reads it once.

        Raises:
            Retryable: The tables are busy.
        """
        books = await self.jobs.books()
        standings, _ = standings_of(await self.policies.rows(), books)
        pauses = await self.pauses.all()
        now = self.clock.now()
        return Status(
            now=now,
            mode=self.mode,
            heartbeat=await self.alerts.heartbeat(),
            pauses=tuple(pause for pause in pauses if pause.holds),
            policies=tuple(self._policies(books, standings, pauses, now)),
            away=tuple(sorted(_away(books.jobs()), key=lambda job: job.claimed_at or now)),
            bad=_bad(books.jobs()),
            unsent=len(await self.alerts.unsent()),
        )

    def _policies(
        self,
        books: Books,
        standings: Mapping[PolicyKey, Standing],
        pauses: Iterable[Pause],
        now: datetime,
    ) -> Iterator[PolicyStatus]:
        held = tuple(pauses)
        for key in sorted({*standings, *books.ledgers}):
            stands, ledger = standings.get(key), books.ledgers.get(key)
            mine = ledger.in_rollout(ledger.rollout) if ledger and ledger.rollout else ()
            waiting = [job for job in mine if job.state is JobState.PLANNED]
            yield PolicyStatus(
                team=key[0],
                policy=key[1],
                rollout=ledger.rollout if ledger else 0,
                counts=Counter(job.state for job in mine),
                behind=_behind(ledger),
                start=min(_starts(waiting), default=None),
                closes=min(map(_closes, waiting), default=None),
                no_start=_without_start(ledger),
                why=self._why(waiting, ledger, stands, pause_of(held, *key), now),
                problems=tuple(str(problem) for problem in stands.problems) if stands else (),
            )

    def _why(
        self,
        waiting: list[Job],
        ledger: Ledger | None,
        stands: Standing | None,
        pause: Pause | None,
        now: datetime,
    ) -> str:
        """What holds back the one that goes next."""
        if not waiting or not ledger:
            return str(pause) if pause else ""
        job = min(waiting, key=lambda job: (job.planned_start or _closes(job), job.vm_key))
        policy = stands.policy if stands else None
        wait = why_not_now(job, ledger, policy, self.mode, now, pause=pause)
        return f"{job.vm_name}: {wait.reason}" if wait else ""


def _away(jobs: Iterable[Job]) -> Iterator[Job]:
    return (job for job in jobs if job.state.is_begun)


def _bad(jobs: Iterable[Job]) -> tuple[Job, ...]:
    bad = [(job.ended_at, job.id, job) for job in jobs if job.state.is_bad and job.ended_at]
    return tuple(job for _, _, job in sorted(bad, reverse=True)[:_BAD_MAX])


def _behind(ledger: Ledger | None) -> int:
    if ledger is None:
        return 0
    return sum(job.rollout > ledger.rollout and not job.state.is_end for job in ledger.jobs)


def _without_start(ledger: Ledger | None) -> int:
    jobs = ledger.jobs if ledger else ()
    return sum(job.state is JobState.PLANNED and job.planned_start is None for job in jobs)


def _starts(waiting: Iterable[Job]) -> Iterator[datetime]:
    return (job.planned_start for job in waiting if job.planned_start)


def _closes(job: Job) -> datetime:
    return job.closes
