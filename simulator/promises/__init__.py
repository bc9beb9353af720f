"""An independent verdict on the promises P1 to P7.

It knows what Resource Manager, the tables and the mail sink saw, and shares no code with the app: an
error made twice would look like a promise kept.
"""

from simulator.promises.model import Evidence, Verdict
from simulator.promises.order import slots, stages
from simulator.promises.patches import patches
from simulator.promises.placement import placement
from simulator.promises.records import alerts, outcomes
from simulator.promises.starts import allowed, once

__all__ = ["Evidence", "Verdict", "judge"]


def judge(evidence: Evidence) -> list[Verdict]:
    """The verdict on each promise, P1 first; on patches too where any were released."""
    promises = (once, allowed, stages, slots, placement, outcomes, alerts)
    verdicts = [promise(evidence) for promise in promises]
    return [*verdicts, patches(evidence)] if evidence.releases else verdicts
