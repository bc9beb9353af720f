"""A job's place in the traces, computed from its id: whoever handles it, at whatever time, names the same."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """W3C trace context.

    Attributes:
        trace_id: 32 hex digits.
        span_id: 16 hex digits; of the trace's root, the job itself.
    """

    trace_id: str
    span_id: str

    @property
    def parent(self) -> str:
        """As the header `traceparent` has it, sampled."""
        return f"00-{self.trace_id}-{self.span_id}-01"


def trace_of(job_id: str) -> Trace:
    """The trace of a job, from its discovery to its outcome."""
    digest = hashlib.sha256(f"trace\n{job_id}".encode()).hexdigest()
    return Trace(trace_id=digest[:32], span_id=digest[32:48])
