"""Reads the same row, the same policy, the same answer once: the decoders are Baton's own, and pure.

Without it a simulation spends two thirds of its time reading again what did not change.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from shared.adapters import job_rows
from shared.domain import policy_row
from shared.domain.errors import InvalidInput
from shared.domain.ledger import PolicyKey
from shared.domain.policy import Policy


@contextmanager
def everything_read_once() -> Iterator[None]:
    """While it lasts, a job's or head's row of one ETag and a policy's columns are read once."""
    job_of, head_of, parse = job_rows.job_of, job_rows.head_of, policy_row.parse_policy
    known_rows, known_policies = Once(), Once()

    def job_once(entity: Mapping[str, object], etag: str) -> Any:
        return known_rows(etag, lambda: job_of(entity, etag))

    def head_once(entity: Mapping[str, object], etag: str) -> Any:
        return known_rows(etag, lambda: head_of(entity, etag))

    def policy_once(key: PolicyKey, columns: Mapping[str, object]) -> Policy:
        found: Policy = known_policies((key, *columns.items()), lambda: parse(key, columns))
        return found

    with ExitStack() as patched:
        patched.enter_context(_replaced(job_rows, "job_of", job_once))
        patched.enter_context(_replaced(job_rows, "head_of", head_once))
        patched.enter_context(_replaced(policy_row, "parse_policy", policy_once))
        yield


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
