"""Reads the same row, the same policy, the same answer once: the decoders are Baton's own, and pure.

Without it a simulation spends two thirds of its time reading again what did not change.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from azure import servicebus

from cli.simulation.bus import Message
from shared.adapters import (
    alert_rows,
    event_rows,
    job_rows,
    policy_rows,
    table_patches,
    table_pauses,
)
from shared.domain import policy_row
from shared.domain.errors import InvalidInput
from shared.domain.ledger import PolicyKey
from shared.domain.policy import Policy

# An ETag is that of one row, as it was once; but two of these may read the same row.
_OF_ROWS = (
    (job_rows, "job_of"),
    (job_rows, "head_of"),
    (job_rows, "away_of"),
    (alert_rows, "alert_of"),
    (alert_rows, "heartbeat_of"),
    (alert_rows, "left_alone_of"),
    (policy_rows, "policy_of"),
    (event_rows, "event_of"),
    (event_rows, "lease_of"),
    (table_patches, "patch_of"),
    (table_pauses, "pause_of_row"),
)


@contextmanager
def everything_read_once() -> Iterator[None]:
    """While it lasts, a row of one ETag and a policy's columns are read once, and messages are light."""
    parse, known_policies = policy_row.parse_policy, Once()

    def policy_once(key: PolicyKey, columns: Mapping[str, object]) -> Policy:
        found: Policy = known_policies((key, *columns.items()), lambda: parse(key, columns))
        return found

    with ExitStack() as patched:
        for module, name in _OF_ROWS:
            patched.enter_context(_replaced(module, name, _row_once(getattr(module, name))))
        patched.enter_context(_replaced(policy_row, "parse_policy", policy_once))
        patched.enter_context(_replaced(servicebus, "ServiceBusMessage", Message))
        yield


def _row_once(read: Callable[[Mapping[str, object], str], Any]) -> Callable[..., Any]:
    known = Once()
    return lambda entity, etag: known(etag, lambda: read(entity, etag))


class Once(dict[object, Any]):
    """What a pure function gave, or why it could not; by what it was given."""

    def __call__(self, key: object, read: Callable[[], Any]) -> Any:
        """What `read` gives for this key."""
        if key not in self:
            try:
                self[key] = read()
            except InvalidInput as wrong:
                self[key] = wrong
        found = self[key]
        if isinstance(found, InvalidInput):
            raise found
        return found


@contextmanager
def _replaced(module: Any, name: str, by: object) -> Iterator[None]:
    was = getattr(module, name)
    setattr(module, name, by)
    try:
        yield
    finally:
        setattr(module, name, was)
