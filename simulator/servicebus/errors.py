"""What the broker refuses, in Azure's words: a condition for links, a status for management."""

from typing import Final

LOCK_LOST: Final = "com.microsoft:message-lock-lost"
NOT_FOUND: Final = "com.microsoft:message-not-found"
SESSION_LOCK_LOST: Final = "com.microsoft:session-lock-lost"
SESSION_CANNOT_BE_LOCKED: Final = "com.microsoft:session-cannot-be-locked"
TIMEOUT: Final = "com.microsoft:timeout"
SERVER_BUSY: Final = "com.microsoft:server-busy"
ARGUMENT: Final = "com.microsoft:argument-error"
ENTITY_NOT_FOUND: Final = "amqp:not-found"
NOT_ALLOWED: Final = "amqp:not-allowed"
NOT_IMPLEMENTED: Final = "amqp:not-implemented"
UNAUTHORIZED: Final = "amqp:unauthorized-access"
TOO_LARGE: Final = "amqp:link:message-size-exceeded"
DECODE: Final = "amqp:decode-error"
FRAMING: Final = "amqp:connection:framing-error"

_STATUSES: Final = {
    LOCK_LOST: 410,
    NOT_FOUND: 404,
    SESSION_LOCK_LOST: 410,
    SESSION_CANNOT_BE_LOCKED: 409,
    TIMEOUT: 408,
    SERVER_BUSY: 503,
    ENTITY_NOT_FOUND: 404,
    UNAUTHORIZED: 401,
    NOT_IMPLEMENTED: 501,
    TOO_LARGE: 413,
}


class BrokerError(Exception):
    """A refusal the client is told of; whatever it asked for has not been applied.

    Attributes:
        condition: the AMQP error condition, by which the SDK chooses its exception.
        description: a sentence for people.
    """

    def __init__(self, condition: str, description: str) -> None:
        super().__init__(condition, description)
        self.condition = condition
        self.description = description

    @property
    def status(self) -> int:
        """The status code of a management response; 400 for whatever is the caller's fault."""
        return _STATUSES.get(self.condition, 400)
