"""The first contact in dry run: one mail that shows what Baton would do, before anybody lets it."""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.domain.alert import Alert, event_id
from shared.domain.job import Job
from shared.domain.mode import Mode
from shared.domain.reconcile import Plan
from shared.ports import AlertStore, Clock
from shared.use_cases.see_fleet import Sight
from shared.use_cases.tell import Tell
from shared.use_cases.wording import utc

# A mail is read; the whole of a large plan is looked at.
_LINES_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstContact:
    """Mails the preview: with the first discovery, and with the first that has something to show."""

    clock: Clock
    alerts: AlertStore
    tell: Tell
    mode: Mode

    async def __call__(self, plan: Plan, sight: Sight) -> None:
        """Mails it, each of the two once."""
        if self.mode is not Mode.DRY_RUN:
            return
        lines = list(_lines(plan, sight))
        if lines or await self.alerts.heartbeat() is None:
            await self.tell(self._preview(plan, sight, lines))

    def _preview(self, plan: Plan, sight: Sight, lines: list[tuple[str, str]]) -> Alert:
        more = len(lines) - _LINES_MAX
        rest = [("And more", f"{more} VMs; ./baton plan shows them all")] if more > 0 else []
        unread = [("Not read", f"{name}: {why}") for name, why in sorted(sight.failed.items())]
        return Alert(
            id=event_id("preview", "offered" if lines else "nothing"),
            kind="preview",
            subject=_vms(len(lines)),
            reason=_summary(plan, sight, len(lines)),
            next_step=(
                "Nothing is done to any VM. ./baton plan shows this as of now, ./baton explain VM says why of "
                "one. When it is as you want it, set BATON_MODE to live (docs/operate.md)."
            ),
            raised_at=self.clock.now(),
            facts=(*unread, *lines[:_LINES_MAX], *rest),
        )


def _summary(plan: Plan, sight: Sight, offered: int) -> str:
    seen = f"Baton sees {_vms(sight.count)}"
    if not offered:
        return f"{seen}, and Azure offers none of them a maintenance now."
    starts = [job.planned_start for job in plan.planned if job.planned_start]
    when = f" between {utc(min(starts))} and {utc(max(starts))}" if starts else ""
    return (
        f"{seen}, and Azure offers {offered} of them a maintenance. If it were live it would start "
        f"{len(starts)}{when}; {len(plan.no_fit)} have no start, {len(plan.unmatched)} no policy."
    )


def _lines(plan: Plan, sight: Sight) -> Iterator[tuple[str, str]]:
    """(VM, what would become of it): those with a start in their order, then those without."""
    told = [job for job in plan.planned if job.planned_start]
    for job in sorted(told, key=lambda job: (job.planned_start, job.vm_key)):
        when = utc(job.planned_start) if job.planned_start else ""
        yield _name(job), f"{when}, {job.team}/{job.policy} stage {job.stage}"
    for job in sorted(plan.planned, key=lambda job: job.vm_key):
        if not job.planned_start:
            yield _name(job), f"no start, {job.team}/{job.policy}: {job.reason}"
    for key, why in sorted(plan.unmatched.items()):
        vm = sight.fleet.vms[key]
        yield f"{vm.name} ({vm.resource_group})", f"left alone: {why}"


def _vms(count: int) -> str:
    return "1 VM" if count == 1 else f"{count} VMs"


def _name(job: Job) -> str:
    return f"{job.vm_name} ({job.resource_group})"
