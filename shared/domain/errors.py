"""Every error Baton raises on purpose, and what its type tells the caller to do.

BatonError
├── InvalidInput        a person or Azure sent something unusable: name it, go on with the rest
│   └── Unknown         a person named something that does not exist
├── Declined            a person asked for what a promise forbids: say why
│   └── Outdated        a person asked on the strength of what is no longer so: show them what is
├── Stale               somebody wrote first: read again, decide again
├── Retryable           the same step may succeed later: leave a message for then
│   └── StartUnknown    performMaintenance was sent and no answer came: look before doing anything
└── Terminal            it will never succeed: record it, tell people, settle
    ├── VmNotFound      Azure says that the VM does not exist
    └── Refused         Azure refused performMaintenance before accepting it
"""

from dataclasses import dataclass
from datetime import timedelta


class BatonError(Exception):
    """Base of all; only triggers and the command line catch it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One unusable value.

    Attributes:
        field: The setting, column, key or ARM property.
        value: What stood there, as text (`""` when nothing did).
        expected: What is accepted instead, with an example: the fix.
    """

    field: str
    value: str
    expected: str

    def __str__(self) -> str:
        return f"{self.field} is {shown(self.value)}; expected {self.expected}"


class InvalidInput(BatonError):
    """One or more values cannot be used; all of them are listed at once."""

    def __init__(self, where: str, problems: tuple[Problem, ...]) -> None:
        self.where = where
        self.problems = problems
        super().__init__(f"{where}: " + "; ".join(str(problem) for problem in problems))


class Unknown(InvalidInput):
    """A person named a VM, a team or a policy that Baton does not know."""


class Declined(BatonError):
    """What a person asked for is not done, because a promise forbids it; the message says which and why."""


class Outdated(Declined):
    """What the person saw when they asked has changed since; nothing is done."""


class Stale(BatonError):
    """A conditional write lost: the row is no longer what was read."""


class Retryable(BatonError):
    """The step may succeed later.

    Attributes:
        retry_after: The least wait that the service asked for; None if it asked for none.
    """

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class StartUnknown(Retryable):
    """The start was sent and its answer was lost, or could mean either."""


class Terminal(BatonError):
    """The step will never succeed as it is."""


class VmNotFound(Terminal):
    """ARM answers 404 for the VM itself."""


class Refused(Terminal):
    """ARM refused performMaintenance, so that nothing was started.

    Attributes:
        status: HTTP status.
        code: ARM's error code, verbatim.
        message: ARM's message, verbatim.
        may_pass: True where waiting can help: throttled, or another operation is running.
        retry_after: What ARM asked to wait; None if nothing.
        correlation_id: ARM's x-ms-correlation-request-id.
    """

    def __init__(
        self,
        *,
        status: int,
        code: str,
        message: str,
        may_pass: bool,
        retry_after: timedelta | None = None,
        correlation_id: str = "",
    ) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.may_pass = may_pass
        self.retry_after = retry_after
        self.correlation_id = correlation_id
        super().__init__(f"{status} {code}: {message}")


def shown(value: object) -> str:
    """A value as an error should show it: quoted, one line, at most 120 characters."""
    text = repr(str(value))
    return text if len(text) <= 120 else text[:117] + "..."
