"""The operations of a queue's `$management` node."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from simulator.servicebus.codec import Array, Int, Long, Timestamp
from simulator.servicebus.content import Content
from simulator.servicebus.errors import ARGUMENT, LOCK_LOST, SESSION_LOCK_LOST, BrokerError
from simulator.servicebus.messages import Disposition, Instant, Message
from simulator.servicebus.queue import DESCRIPTION, REASON, Queue

Body = Mapping[str, Any]
Answer = dict[str, Any] | None
"""None is "no content", the service's word for an empty result."""

_RECEIVE_AND_DELETE: Final = 0
_YEAR_10000: Final = 253_402_300_800_000
"""`last-updated-time` from here on asks for sessions with anything in them, not for recent states."""


def _schedule(queue: Queue, body: Body, now: Instant) -> Answer:
    entries = _required(body, "messages", list)
    contents = [Content.parse(_required(entry, "message", bytes)) for entry in entries]
    if any(content.scheduled_for is None for content in contents):
        raise BrokerError(ARGUMENT, "x-opt-scheduled-enqueue-time: missing from a message.")
    numbers = queue.send(contents, now)
    return {"sequence-numbers": Array(Long, tuple(map(Long, numbers)))}


def _cancel(queue: Queue, body: Body, now: Instant) -> Answer:
    queue.cancel(_numbers(body), now)
    return {}


def _peek(queue: Queue, body: Body, _now: Instant) -> Answer:
    start = _required(body, "from-sequence-number", int)
    count = _required(body, "message-count", int)
    messages = queue.peek(start, count, body.get("session-id"))
    return {"messages": [{"message": it.render()} for it in messages]} if messages else None


def _receive_deferred(queue: Queue, body: Body, now: Instant) -> Answer:
    if queue.options.requires_session:
        queue.sessions.held(_required(body, "session-id", str))
    if body.get("receiver-settle-mode") == _RECEIVE_AND_DELETE:
        return {
            "messages": [{"message": it.render()} for it in queue.take_deferred(_numbers(body))]
        }
    return {"messages": [_locked(it) for it in queue.lock_deferred(_numbers(body), now)]}


def _locked(message: Message) -> dict[str, Any]:
    token = message.lock.token if message.lock else None
    return {"lock-token": token, "message": message.render()}


def _renew_locks(queue: Queue, body: Body, now: Instant) -> Answer:
    ends = queue.renew(_tokens(body), now)
    return {"expirations": Array(Timestamp, tuple(map(Timestamp, ends)))}


def _update_disposition(queue: Queue, body: Body, now: Instant) -> Answer:
    status = _required(body, "disposition-status", str)
    try:
        disposition = Disposition(status)
    except ValueError as error:
        raise BrokerError(ARGUMENT, f"disposition-status: '{status}' is not known.") from error
    names = {REASON: "deadletter-reason", DESCRIPTION: "deadletter-description"}
    properties = {ours: body[theirs] for ours, theirs in names.items() if body.get(theirs)}
    try:
        for token in _tokens(body):
            queue.settle(token, disposition, now, properties)
    except BrokerError as error:
        if error.condition == LOCK_LOST and queue.options.requires_session:
            raise BrokerError(SESSION_LOCK_LOST, error.description) from error
        raise
    return {}


def _get_session_state(queue: Queue, body: Body, _now: Instant) -> Answer:
    return {"session-state": queue.sessions.held(_required(body, "session-id", str)).state}


def _set_session_state(queue: Queue, body: Body, now: Instant) -> Answer:
    state = body.get("session-state")
    if isinstance(state, str):
        state = state.encode()
    if state is not None and not isinstance(state, bytes):
        raise BrokerError(ARGUMENT, "session-state: neither binary nor null.")
    queue.sessions.set_state(_required(body, "session-id", str), state, now)
    return {}


def _renew_session_lock(queue: Queue, body: Body, now: Instant) -> Answer:
    return {"expiration": Timestamp(queue.renew_session(_required(body, "session-id", str), now))}


def _list_sessions(queue: Queue, body: Body, _now: Instant) -> Answer:
    since = _required(body, "last-updated-time", int)
    skip, top = _required(body, "skip", int), _required(body, "top", int)
    sessions = queue.sessions
    ids = sessions.with_something() if since >= _YEAR_10000 else sessions.with_state_since(since)
    page = ids[skip : skip + top]
    return {"skip": Int(skip + len(page)), "sessions-ids": page} if page else None


OPERATIONS: Final[Mapping[str, Callable[[Queue, Body, Instant], Answer]]] = {
    "com.microsoft:schedule-message": _schedule,
    "com.microsoft:cancel-scheduled-message": _cancel,
    "com.microsoft:peek-message": _peek,
    "com.microsoft:receive-by-sequence-number": _receive_deferred,
    "com.microsoft:renew-lock": _renew_locks,
    "com.microsoft:update-disposition": _update_disposition,
    "com.microsoft:get-session-state": _get_session_state,
    "com.microsoft:set-session-state": _set_session_state,
    "com.microsoft:renew-session-lock": _renew_session_lock,
    "com.microsoft:get-message-sessions": _list_sessions,
}


def _required(body: Any, name: str, kind: type) -> Any:
    value = body.get(name) if isinstance(body, Mapping) else None
    if not isinstance(value, kind):
        found = "missing" if value is None else f"{value!r} is not of type {kind.__name__}"
        raise BrokerError(ARGUMENT, f"{name}: {found}.")
    return value


def _items(body: Body, name: str, kind: type) -> list[Any]:
    """An array or a list, of one kind of values."""
    value = body.get(name)
    items = list(value.values) if isinstance(value, Array) else value
    if not isinstance(items, list) or not all(isinstance(item, kind) for item in items):
        raise BrokerError(ARGUMENT, f"{name}: not an array of {kind.__name__}.")
    return items


def _numbers(body: Body) -> list[int]:
    return _items(body, "sequence-numbers", int)


def _tokens(body: Body) -> list[UUID]:
    return _items(body, "lock-tokens", UUID)
