"""One simulation, from its setup to its verdict."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta

from cli.simulation.acts import Acts
from cli.simulation.checks.watch import Violation
from cli.simulation.deployment import Deployment
from cli.simulation.evidence import evidence_of, is_still
from cli.simulation.faults import Faults
from cli.simulation.setup import Setup
from cli.simulation.site import Site
from cli.simulation.speed import everything_read_once
from simulator.promises import judge


class World:
    """The app and everything around it."""

    def __init__(self, setup: Setup, faults: Faults | None = None) -> None:
        """`faults`: others than the setup's own, for a test that says which request fails."""
        self.site = Site(setup, faults)
        self.deployment = Deployment(self.site)
        self._acts = Acts(self.site, self.deployment)

    @property
    def violations(self) -> list[Violation]:
        """What was broken; the run ends soon after the first."""
        return self.site.watch.violations

    def run(self, *, is_silent: bool = True) -> None:
        """Runs until everything is done with, a promise is broken, or it should long have ended.

        Args:
            is_silent: Whether nothing is logged.
        """
        with everything_read_once(), _no_logs() if is_silent else nullcontext():
            self.site.loop.run(self._live())

    async def _live(self) -> None:
        site = self.site
        self._acts.begin()
        self.deployment.begin()
        closed = max(site.setup.closes(), timedelta(seconds=site.calm))
        deadline = (closed + self.deployment.longest()).total_seconds()
        round_of_timers = max(site.setup.discovery, site.setup.sweep).total_seconds()
        quiet_rounds = 0
        while not self.violations and quiet_rounds < 2 and site.loop.time() < deadline:
            await asyncio.sleep(round_of_timers + 1)
            site.azure.at(site.loop.time())
            quiet_rounds = quiet_rounds + 1 if self._is_over() else 0
        if not self.violations:
            site.watch.finish(
                site.now, is_roomy=site.setup.is_roomy, are_told=site.setup.tells_events
            )
        if not self.violations and is_still(site.setup):
            self._judge()

    def _is_over(self) -> bool:
        waiting = self.deployment.broker.has_due(self.site.loop.time())
        return self.site.loop.time() >= self.site.calm and not waiting and self.site.is_settled()

    def _judge(self) -> None:
        """The demo's own judge looks at all of it once more."""
        site = self.site
        evidence = evidence_of(site.setup, site.azure, site.account, site.relay)
        # It does not know that a plan may give a VM up for a rollout.
        behind = any(job.rollout > 1 for job in site.watch.facts.jobs.values())
        verdicts = [v for v in judge(evidence) if not behind or v.promise not in ("P3", "P4")]
        site.watch.judged(site.now, verdicts)


@contextmanager
def _no_logs() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
