"""Following an installation of patches that Azure took: how it goes, and what came of it."""

import logging
from dataclasses import dataclass

from shared.domain.installation import InstallationLook, came_to, judge_installation
from shared.domain.job import Job
from shared.domain.patching.results import Installation
from shared.domain.verdict import Then
from shared.ports import Operation, PatchOperation
from shared.use_cases.steps import Steps

log = logging.getLogger("baton.redeploy")


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAtInstallation:
    """A REDEPLOYING job with patches: ask how their installation goes, and conclude it when it is over."""

    steps: Steps

    async def __call__(self, job: Job) -> None:
        """Looks, and leaves a message for the next look or writes what came of it.

        Raises:
            Stale: Something changed meanwhile; the step is to be done anew.
        """
        asked = await self._asked(job)
        operation = asked.operation
        since = job.started_at or job.discovered_at
        in_time = self.steps.clock.now() - since < self.steps.pace.redeploy_timeout
        if operation.status == "inProgress" and in_time:
            await self.steps.look_later(job, least=operation.retry_after)
            return
        look = InstallationLook(
            vm=await self.steps.vm(job),
            operation=operation.status,
            code=operation.code,
            message=operation.message,
            result=asked.result,
        )
        now = self.steps.clock.now()
        timeout = self.steps.pace.redeploy_timeout
        verdict = judge_installation(job, look, now=now, timeout=timeout)
        if verdict.then is Then.LOOK_AGAIN or verdict.outcome is None:
            log.info(
                "%s is not patched yet: %s",
                job.vm_name,
                verdict.reason,
                extra={"action": "redeploy_running", **job.log_context()},
            )
            await self.steps.look_later(job)
            return
        done = job.after_installation(
            verdict.outcome,
            now=now,
            reason=verdict.reason,
            installed=came_to(job, look),
            verified=verdict.verified,
        )
        await self.steps.conclude(done, before=job)

    async def _asked(self, job: Job) -> PatchOperation[Installation]:
        if not job.operation_url:
            return PatchOperation(operation=Operation(status="unknown"))
        return await self.steps.patches.installation(job.operation_url)
