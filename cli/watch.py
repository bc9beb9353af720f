"""What `./baton demo` sees of a running rollout: the app's own tables, and Azure's side of it."""

import asyncio
import json
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.adapters.table_alerts import TableAlerts
from shared.adapters.table_jobs import TableJobs
from shared.adapters.tables import connect_tables
from shared.domain.job import Job
from shared.domain.ledger import Ledger
from shared.domain.rules import next_turns
from shared.use_cases.settle import good_policy
from simulator.laptop import LaptopCloud

_LINES_MAX = 200
_HTTP_SECONDS = 5


@dataclass(frozen=True, kw_only=True)
class View:
    """One moment of a rollout.

    Attributes:
        ledgers: every policy with its jobs, by team and name.
        next_starts: job id to the first instant at which it may start.
        places: VM key to Azure's last word on it (`away`, `back`, ...) and when.
        outcomes: rows of the outcome table.
        unsent: alerts that are in no sent mail yet.
        mails: how many mails came in.
        lines: what the app logged last, oldest first.
    """

    now: datetime
    began: datetime
    ledgers: Sequence[Ledger] = ()
    next_starts: Mapping[str, datetime] = field(default_factory=dict)
    places: Mapping[str, tuple[str, datetime]] = field(default_factory=dict)
    outcomes: Sequence[Mapping[str, Any]] = ()
    unsent: int = 0
    mails: int = 0
    lines: Sequence[str] = ()

    @property
    def jobs(self) -> list[Job]:
        """Every job of every policy."""
        return [job for ledger in self.ledgers for job in ledger.jobs]

    @property
    def is_over(self) -> bool:
        """Whether every job has ended and been recorded, and every alert mailed."""
        settled = all(job.state.is_end and job.unsettled is None for job in self.jobs)
        return bool(self.jobs) and settled and not self.unsent


class Watcher:
    """Looks at a laptop cloud again and again. Keeps what it read of the logs."""

    def __init__(self, cloud: LaptopCloud, began: datetime) -> None:
        """Watch this cloud; nothing is read yet."""
        self._cloud = cloud
        self._began = began
        prefix = cloud.settings.get("BATON_TABLE_PREFIX", "Baton")
        self._tables = connect_tables(cloud.tables, None, None, prefix)
        self._jobs = TableJobs(self._tables)
        self._alerts = TableAlerts(self._tables)
        self._seen_to = 0
        self._places: dict[str, tuple[str, datetime]] = {}
        self._lines: list[str] = []
        self._read_to = 0

    async def look(self, now: datetime) -> View:
        """Everything as it is now."""
        books = await self._jobs.books()
        unsent = await self._alerts.unsent()
        records, mails, outcomes = await asyncio.gather(
            asyncio.to_thread(
                get_json, f"{self._cloud.arm_url}/_emulator/log?since={self._seen_to}"
            ),
            asyncio.to_thread(get_json, f"{self._cloud.mail_url}/mails"),
            asyncio.to_thread(self._cloud.outcomes),
        )
        self._follow(records)
        self._tail()
        ledgers = [books.ledgers[key] for key in sorted(books.ledgers)]
        return View(
            now=now,
            began=self._began,
            ledgers=ledgers,
            next_starts={
                turn.job.id: turn.at
                for ledger in ledgers
                if (policy := good_policy(ledger))
                for turn in next_turns(ledger, policy, now)
            },
            places=dict(self._places),
            outcomes=outcomes,
            unsent=len(unsent),
            mails=len(mails),
            lines=tuple(self._lines),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._tables.close()

    def _follow(self, records: list[dict[str, Any]]) -> None:
        for record in records:
            self._seen_to = record["seq"]
            if record["kind"] == "event" and "vmId" in record:
                at = datetime.fromisoformat(record["time"])
                self._places[record["vmId"]] = record["event"], at

    def _tail(self) -> None:
        """Take up the complete lines that the host wrote since the last look."""
        if self._cloud.host is None:
            return
        written = self._cloud.host.output().rpartition("\n")[0]
        fresh, self._read_to = written[self._read_to :], len(written)
        self._lines += filter(None, map(_sentence, fresh.splitlines()))
        del self._lines[:-_LINES_MAX]


def get_json(url: str) -> Any:
    """What an emulator answers to a GET."""
    with urllib.request.urlopen(url, timeout=_HTTP_SECONDS) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def _sentence(line: str) -> str:
    """The sentence of one of the app's own log lines; empty for any other line."""
    try:
        entry = json.loads(line)
    except json.JSONDecodeError:
        return ""
    if not isinstance(entry, dict) or "action" not in entry:
        return ""
    return f"{str(entry.get('time', ''))[11:19]} {entry.get('message', '')}"
