"""Timer triggers, with what Azure keeps of each: its last run and its next, so that a missed one is made up.

After the timers extension's TimerListener and ScheduleMonitor. The status is written after a run, so a
host killed in the middle of one is past due when it starts again.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Self

from azure.functions.timer import TimerRequest

from simulator.host.dispatch import Dispatcher
from simulator.host.index import Function, HostError
from simulator.host.ncrontab import Schedule, ScheduleError, parse_schedule

log = logging.getLogger("host.timers")

_MONITORED_FROM: Final = timedelta(minutes=1)
"""Azure keeps no status of a schedule that fires more often than this."""
_SLEEP_SECONDS_MAX: Final = 30.0
"""The event loop's clock stands still while a laptop sleeps: the wall clock is looked at this often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What is kept of a timer between runs.

    Attributes:
        last: When it last ran; None: never.
        next: When it is due.
        updated: When this was written.
    """

    last: datetime | None
    next: datetime
    updated: datetime

    def under(self, schedule: Schedule) -> Self:
        """With `next` by a schedule that may have been edited since this was written."""
        return replace(self, next=schedule.after(self.last or self.updated))

    def as_dict(self) -> dict[str, str | None]:
        """As Azure spells it."""
        return {
            "Last": self.last.isoformat() if self.last else None,
            "Next": self.next.isoformat(),
            "LastUpdated": self.updated.isoformat(),
        }


class StatusFile:
    """Where a timer's status is kept: a small file where Azure has a blob."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Status | None:
        """The status; None where there is none that can be read."""
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            return Status(
                last=_instant(kept["Last"]) if kept["Last"] else None,
                next=_instant(kept["Next"]),
                updated=_instant(kept["LastUpdated"]),
            )
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("%s cannot be read, its timer starts anew: %r", self._path, error)
            return None

    def write(self, status: Status) -> None:
        """Keeps it, whole or not at all. A full disk costs the status, not the timer."""
        fresh = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text(json.dumps(status.as_dict()), encoding="utf-8")
            fresh.replace(self._path)
        except OSError as error:
            log.warning("%s cannot be written: %r", self._path, error)


class Timer:
    """One timer trigger. Never two scheduled runs of it at once."""

    def __init__(
        self, function: Function, dispatcher: Dispatcher, folder: Path, now: Callable[[], datetime]
    ) -> None:
        """Read the schedule.

        Raises:
            HostError: It is no NCRONTAB expression, or names an app setting that is not set.
        """
        self.function = function
        try:
            self._schedule = parse_schedule(function.setting("schedule"))
            often = self._schedule.shortest_gap(now()) < _MONITORED_FROM
        except ScheduleError as error:
            raise HostError(f"function {function.name}: schedule: {error}") from error
        monitored = function.trigger.get("useMonitor") is not False and not often
        self._file = StatusFile(folder / f"{function.name}.json") if monitored else None
        self._at_startup = function.trigger.get("runOnStartup") is True
        self._dispatcher = dispatcher
        self._now = now
        self._running = asyncio.Lock()
        self._stopping = False

    async def stop(self, within: float) -> None:
        """Fires no more, and gives a run that goes on so many seconds to end."""
        self._stopping = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within), self._running:
                pass

    async def run(self) -> None:
        """Fires until `stop`, or until cancelled."""
        status = self._at_start(self._now())
        if status.next < self._now():
            status = await self._fire(status, past_due=True)
        elif self._at_startup:
            status = await self._fire(status, past_due=False)
        while not self._stopping:
            # A run that outlasted its next occurrence is followed at once, by one run for all it missed.
            await self._until(status.next)
            if self._stopping:
                return
            status = await self._fire(status, past_due=False)

    def _at_start(self, now: datetime) -> Status:
        """The kept status, under today's schedule; a first one where there is none."""
        kept = self._file.read() if self._file else None
        if kept:
            return kept.under(self._schedule)
        first = Status(last=None, next=self._schedule.after(now), updated=now)
        self._keep(first)
        return first

    async def _fire(self, status: Status, *, past_due: bool) -> Status:
        """Runs the function once; its next occurrence counts from the start of this run."""
        began = self._now()
        request = TimerRequest(
            past_due=past_due, schedule_status=status.as_dict(), schedule={"AdjustForDST": True}
        )
        async with self._running:
            with contextlib.suppress(Exception):  # the dispatcher logged it
                await self._dispatcher.invoke(self.function, request)
        fresh = Status(last=began, next=self._schedule.after(began), updated=self._now())
        self._keep(fresh)
        return fresh

    def _keep(self, status: Status) -> None:
        if self._file:
            self._file.write(status)

    async def _until(self, due: datetime) -> None:
        """Never returns early: the same second must not fire twice."""
        while (wait := (due - self._now()).total_seconds()) > 0:  # noqa: ASYNC110 - time is no event
            await asyncio.sleep(min(wait, _SLEEP_SECONDS_MAX))


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text} has no offset from UTC")
    return instant
