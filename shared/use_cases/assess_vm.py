"""One VM's assessment: asked for once, and looked at until it ends or never does."""

import logging
import uuid
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.domain.durations import format_duration
from shared.domain.errors import BatonError, Refused, Retryable, StartUnknown
from shared.domain.patching.observe import ASSESSMENT_TIMEOUT, assessed, failed
from shared.domain.patching.record import PatchRecord
from shared.domain.patching.results import Assessment
from shared.ports import Clock, Patches, PatchOperation

log = logging.getLogger("baton.patches")

_ANSWER_WITHIN = timedelta(seconds=30)
_IDS = uuid.UUID("5b1fd6a5-6f1e-4f55-9c0e-6a2f0d4f7c11")


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessVm:
    """Starts and follows assessments. It writes nothing: the record that it gives back is the caller's to keep."""

    clock: Clock
    patches: Patches

    async def start(self, record: PatchRecord) -> PatchRecord:
        """Asks for an assessment; the record says that it is under way, or why it is not."""
        now = self.clock.now()
        request_id = str(uuid.uuid5(_IDS, f"{record.key} {now.isoformat()}"))
        asked = replace(record, assessing_since=now)
        try:
            accepted = await self.patches.start_assessment(
                record.vm_id, request_id=request_id, within=_ANSWER_WITHIN
            )
        except StartUnknown as unknown:  # its instance view will tell
            return replace(asked, assessment_problem=str(unknown))
        except Refused as refused:
            why = f"Azure refused an assessment: {refused}"
            # What may pass is no failure: the next look asks again.
            return (
                replace(record, assessment_problem=why) if refused.may_pass else failed(asked, why)
            )
        except BatonError as error:
            return failed(asked, str(error))
        extra = {"action": "assessment_started", "vm": record.vm_id}
        log.info("An assessment of %s began", record.vm_name, extra=extra)
        return replace(asked, assessing_url=accepted.operation_url)

    async def follow(self, record: PatchRecord) -> PatchRecord:
        """Looks once at an assessment that is under way."""
        now = self.clock.now()
        try:
            seen = await self.patches.assessment(record.assessing_url)
        except Retryable as busy:
            log.info("An assessment was not looked at: %s", busy, extra={"action": "arm_busy"})
            seen = None
        if seen and seen.result and seen.operation.status != "inProgress":
            return assessed(record, seen.result, now)
        if seen and seen.operation.status != "inProgress":
            return failed(record, _why(seen))
        if record.assessing_since and now - record.assessing_since > ASSESSMENT_TIMEOUT:
            limit = format_duration(ASSESSMENT_TIMEOUT)
            return failed(record, f"an assessment did not end within {limit}")
        return record


def _why(seen: PatchOperation[Assessment]) -> str:
    operation = seen.operation
    if operation.status == "failed":
        return f"the assessment failed: {operation.code}: {operation.message}"
    if operation.status == "succeeded":
        return "the assessment ended without a result"
    return (
        "Azure does not show the assessment any more; the app's identity needs "
        "Microsoft.Compute/locations/operations/read on the subscription"
    )
