"""How fast Baton looks and retries, and instants that several handlers agree upon without talking."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)

# The activity log shows an event within minutes; Azure promises no bound.
LOG_IS_LATE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The intervals from the settings.

    Attributes:
        check_interval: BATON_CHECK_INTERVAL.
        redeploy_timeout: BATON_REDEPLOY_TIMEOUT.
        retry_delay: BATON_RETRY_DELAY.
    """

    check_interval: timedelta
    redeploy_timeout: timedelta
    retry_delay: timedelta

    @property
    def start_deadline(self) -> timedelta:
        """How long a start may take to be answered, from its claim."""
        return min(max(self.check_interval, timedelta(seconds=5)), timedelta(seconds=30))

    @property
    def installation_at_most(self) -> timedelta:
        """How long Azure may go on installing: short of the timeout, so that its own result comes first."""
        return self.redeploy_timeout * 3 / 4

    @property
    def quiet(self) -> timedelta:
        """After a claim with no answer: when nothing seen means that nothing was started.

        Twice the deadline, so that no request of the claiming process can still be on its way; and long
        enough for a start that Azure took and that ended without moving the VM to come to the activity log,
        whichever clocks measure it. Twenty looks are longer than that, except where a time lapse looks every
        second: there all else runs faster too. A short retry delay must not shorten it.
        """
        log_is_late = min(20 * self.check_interval, LOG_IS_LATE)
        return max(2 * self.start_deadline, log_is_late, self.retry_delay)

    @property
    def sweep_interval(self) -> timedelta:
        """How often the sweep may wake one job: seldom enough not to double its regular looks."""
        return max(4 * self.check_interval, timedelta(seconds=5))

    def next_look(
        self,
        now: datetime,
        *,
        since: datetime,
        least: timedelta = timedelta(0),
        expected: datetime | None = None,
        spread: int = 0,
    ) -> datetime:
        """When to look again at a job that was claimed at `since`, at least `least` from now.

        Before a VM is expected back one look is enough: for each VM at another time, so that somebody
        notices when they begin to fail, or to come back sooner. From then on every `check_interval`.

        Where this clock is behind the bus's, the next tick may be the one whose message brought us here; the
        bus would drop another of that id, and nobody would look before the sweep. So half a step is skipped.

        Args:
            now: Aware.
            since: When it was claimed.
            least: The least wait.
            expected: When the VM is expected back; None where nobody knows.
            spread: A number of the VM's own.
        """
        every = self.check_interval
        at = next_tick(now, every, since=since, least=max(least, every / 2))
        steps = (expected - since) // every if expected else 0
        if at >= since + steps * every:
            return at
        early = since + (1 + spread % max(steps - 1, 1)) * every
        return early if at <= early else since + steps * every


def next_tick(
    now: datetime, every: timedelta, *, since: datetime = _EPOCH, least: timedelta = timedelta(0)
) -> datetime:
    """The first instant of a grid that lies after `now`, and at least `least` after it.

    Handlers that look at one job at the same time all name the same next instant, so that their messages
    have the same id and the bus keeps one. Without that, each extra wake would start a chain of its own.

    Args:
        now: Aware.
        every: The grid's step, above zero.
        since: A point of the grid.
        least: The least wait.
    """
    steps = (now + least - since) // every + 1
    return since + steps * every


def last_tick(now: datetime, every: timedelta, *, since: datetime = _EPOCH) -> datetime:
    """The last instant of the grid that is not after `now`."""
    return since + (now - since) // every * every
