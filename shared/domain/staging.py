"""Who of a policy goes in which stage, and who may still join a rollout that has begun."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.domain.job import Job, JobState
from shared.domain.maintenance import Vm
from shared.domain.policy import Policy, ranked


@dataclass(frozen=True, slots=True)
class Staging:
    """The stages by what the policy and the VMs' tags say now.

    Attributes:
        vms: VM key → VM as seen; one that was not seen keeps its stage.
    """

    policy: Policy
    vms: Mapping[str, Vm]

    def staged(self, jobs: Sequence[Job]) -> list[Job]:
        """The jobs of one rollout, all of them, each in its stage."""
        if self.policy.stage_tag:
            numbered = [self._numbered(job) for job in jobs]
            stages = ranked(job.sequence_number for job in numbered)
            return [job.having(stage=stage) for job, stage in zip(numbered, stages, strict=True)]
        return [
            job.having(stage=self.policy.stage_by_selector(self.vms[job.vm_key]))
            if job.vm_key in self.vms
            else job
            for job in jobs
        ]

    def may_join(self, job: Job, begun: Sequence[Job]) -> bool:
        """Whether one that was announced later may still join the rollout that acts."""
        if job.state is not JobState.PLANNED:
            return False
        if not any(other.state.is_end or other.has_begun for other in begun):
            return True
        stages = {other.id: other.stage for other in self.staged([*begun, job])}
        stage = stages[job.id]
        peers = [other for other in begun if stages[other.id] == stage]
        if peers and all(other.state.is_end for other in peers):
            return False
        return not any(stages[other.id] > stage and other.has_begun for other in begun)

    def _numbered(self, job: Job) -> Job:
        """The job with the number in its VM's sequence tag; one that was not seen keeps what it had."""
        vm = self.vms.get(job.vm_key)
        return job.having(sequence_number=self.policy.stage_number(vm)) if vm else job
