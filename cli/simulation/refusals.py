"""What the SDK raises where the simulated Azure refuses, breaks, or says nothing."""

import json
from typing import Any

from azure.core.exceptions import HttpResponseError, ServiceResponseError

from cli.simulation.faults import Fault
from cli.simulation.process import Errors
from simulator.arm.errors import ArmError


class _Answer:
    """As much of an HTTP answer as errors are read from."""

    reason = ""
    content_type = "application/json"

    def __init__(self, error: ArmError) -> None:
        self.status_code = error.status
        self.headers = dict(error.headers)
        self._body = json.dumps(error.body())

    def text(self, encoding: str | None = None) -> str:  # noqa: ARG002 - as the SDK calls it
        """The body."""
        return self._body


def sdk_error(error: ArmError) -> HttpResponseError:
    """What the SDK raises for it."""
    answer: Any = _Answer(error)
    return HttpResponseError(message=error.message, response=answer)


_THROTTLED = ArmError(429, "TooManyRequests", "slow down", {"Retry-After": "10"})
BROKEN = ArmError(503, "ServiceUnavailable", "The service is unavailable.")
ERRORS: Errors = {
    Fault.BUSY: lambda: sdk_error(_THROTTLED),
    Fault.LOST_BEFORE: lambda: sdk_error(BROKEN),
    Fault.LOST_AFTER: lambda: ServiceResponseError("connection lost"),
}
