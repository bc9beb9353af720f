"""Bus over Service Bus: the two queues, by senders that are opened once and kept.

A message that is due later is scheduled by its own property and not by schedule_messages: so messages of any
number of instants go in one batch, over the link that is open anyway, at a tenth of the throttling credits.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError, ClientAuthenticationError

from shared.adapters import messages
from shared.domain.errors import BatonError, InvalidInput, Problem, Retryable, Terminal
from shared.domain.trace import trace_of
from shared.ports import WakeAt

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.servicebus import ServiceBusMessage
    from azure.servicebus.aio import ServiceBusClient, ServiceBusSender

log = logging.getLogger("baton.bus")

# One try, and all of them with the waits between: a handler lives five minutes.
_TRY_SECONDS = 10
_SEND_SECONDS = 30
_JOB_MAX = 80
_CAUSE_MAX = 12
_ROLE = "Azure Service Bus Data Sender"


def connect_bus(
    connection_string: str,
    namespace: str,
    credential: "AsyncTokenCredential | None" = None,
    *,
    jobs_queue: str,
    alerts_queue: str,
) -> "ServiceBus":
    """The bus. Opens nothing yet.

    Args:
        connection_string: BATON_BUS; `""` to use `namespace` and `credential`.
        namespace: BATON_BUS__fullyQualifiedNamespace.
        credential: The app's identity.
        jobs_queue: The queue's name.
        alerts_queue: The queue's name.

    Raises:
        InvalidInput: Neither way to connect is given.
    """
    if not connection_string and not (namespace and credential):
        expected = "a connection string, or BATON_BUS__fullyQualifiedNamespace and an identity"
        raise InvalidInput("settings", (Problem("BATON_BUS", "", expected),))
    return ServiceBus(
        lambda: _client(connection_string, namespace, credential),
        jobs_queue=jobs_queue,
        alerts_queue=alerts_queue,
    )


class ServiceBus:
    """Bus; see the port. Opens its client on first use, in the event loop that uses it, and keeps it."""

    def __init__(
        self, open_client: "Callable[[], ServiceBusClient]", *, jobs_queue: str, alerts_queue: str
    ) -> None:
        self._link = _Link(open_client)
        self._jobs = jobs_queue
        self._alerts = alerts_queue

    async def wake(self, wakes: Sequence[WakeAt], *, now: datetime) -> None:
        """See the port. All go in one request, as far as a batch holds them."""
        if wakes:
            await self._link.send(self._jobs, [_wake_message(one, now) for one in wakes])

    async def wake_alerts(self, at: datetime, *, now: datetime) -> None:
        """See the port.

        The instant goes up to the next whole second, and never lies in the past: so many alerts share one
        message, and a message that was handled already is never taken for the one that is asked for now.
        """
        due = _next_second(max(at, now))
        await self._link.send(self._alerts, [_alerts_message(due)])

    async def close(self) -> None:
        """Closes links and connections."""
        await self._link.close()


def wake_id(one: WakeAt) -> str:
    """The message id: job, cause and instant for people to read, and a digest that tells ids apart.

    Returns:
        At most 128 characters, Service Bus's limit; a job's id has at most 90.
    """
    wake, at = one.wake, _to_the_millisecond(one.at)
    parts = (wake.team, wake.policy, wake.job_id, at.isoformat(), one.cause)
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    instant = f"{at:%Y%m%dT%H%M%S}"
    return f"{wake.job_id[:_JOB_MAX]}.{one.cause[:_CAUSE_MAX]}.{instant}.{digest}"


class _Link:
    """The client, and one sender per queue, opened on first use."""

    def __init__(self, open_client: "Callable[[], ServiceBusClient]") -> None:
        self._open_client = open_client
        self._client: ServiceBusClient | None = None
        self._senders: dict[str, ServiceBusSender] = {}
        # A sender carries one delivery at a time; handlers that run at once take turns.
        self._turns: dict[str, asyncio.Lock] = {}

    async def send(self, queue: str, outgoing: Sequence["ServiceBusMessage"]) -> None:
        """Sends them in as few batches as hold them.

        Raises:
            Retryable: The bus is away or busy; some may have been sent, and a repeat does no harm.
            Terminal: It never will take them.
        """
        try:
            turn = self._turns.setdefault(queue, asyncio.Lock())
            async with turn:
                await self._send(self._sender(queue), outgoing)
        except (AzureError, OSError, ValueError) as error:
            raise meaning(error, queue) from error

    async def close(self) -> None:
        client, self._client = self._client, None
        senders, self._senders = self._senders, {}
        for sender in senders.values():
            await sender.close()
        if client:
            await client.close()

    async def _send(
        self, sender: "ServiceBusSender", outgoing: Sequence["ServiceBusMessage"]
    ) -> None:
        batch = await sender.create_message_batch()
        for message in outgoing:
            try:
                batch.add_message(message)
            except ValueError:
                if not len(batch):
                    raise
                # Full by the queue's own limit, which the link has told.
                await sender.send_messages(batch, timeout=_SEND_SECONDS)
                batch = await sender.create_message_batch()
                batch.add_message(message)
        await sender.send_messages(batch, timeout=_SEND_SECONDS)

    def _sender(self, queue: str) -> "ServiceBusSender":
        if queue not in self._senders:
            self._client = self._client or self._open_client()
            self._senders[queue] = self._client.get_queue_sender(queue)
        return self._senders[queue]


def _client(
    connection_string: str, namespace: str, credential: "AsyncTokenCredential | None"
) -> "ServiceBusClient":
    # Half a second, which the other triggers' processes are spared.
    from azure.servicebus.aio import ServiceBusClient  # noqa: PLC0415 - see above

    options: dict[str, Any] = {
        "retry_total": 3,
        "retry_backoff_factor": 0.25,
        "try_timeout": _TRY_SECONDS,
    }
    if connection_string:
        return ServiceBusClient.from_connection_string(connection_string, **options)
    if credential is None:
        raise ValueError("a namespace needs an identity")
    return ServiceBusClient(namespace, credential, **options)


def _wake_message(one: WakeAt, now: datetime) -> "ServiceBusMessage":
    return _message(
        messages.encode(one.wake),
        identity=wake_id(one),
        subject=one.cause,
        about=one.wake.job_id,
        at=_to_the_millisecond(one.at) if one.at > now else None,
        traceparent=trace_of(one.wake.job_id).parent,
    )


def _alerts_message(due: datetime) -> "ServiceBusMessage":
    return _message(
        messages.encode_alerts_wake(),
        identity=f"alerts-{due:%Y%m%dT%H%M%SZ}",
        subject="alerts",
        about="alerts",
        at=due,
    )


def _message(
    body: bytes,
    *,
    identity: str,
    subject: str,
    about: str,
    at: datetime | None,
    traceparent: str = "",
) -> "ServiceBusMessage":
    from azure.servicebus import ServiceBusMessage  # noqa: PLC0415 - as in _client

    return ServiceBusMessage(
        body,
        message_id=identity,
        content_type=messages.CONTENT_TYPE,
        subject=subject,
        correlation_id=about,
        scheduled_enqueue_time_utc=at,
        # By both names the SDKs of Azure hand a trace on: whoever traces the bus finds the job's.
        application_properties={"traceparent": traceparent, "Diagnostic-Id": traceparent}
        if traceparent
        else None,
    )


def _to_the_millisecond(at: datetime) -> datetime:
    """Upwards, to the precision of the wire: a message must not come before its instant."""
    beyond = timedelta(microseconds=-at.microsecond % 1000)
    return at.astimezone(UTC) + beyond


def _next_second(at: datetime) -> datetime:
    whole = at.astimezone(UTC).replace(microsecond=0)
    return whole if whole == at else whole + timedelta(seconds=1)


def meaning(error: Exception, queue: str, role: str = _ROLE) -> BatonError:
    """What an error of the SDK means; its text names host and queue, never the key.

    Args:
        error: As the SDK raised it.
        queue: What it was about.
        role: What such a request needs.
    """
    from azure.servicebus import exceptions as sdk  # noqa: PLC0415 - as in _client

    said = f"queue {queue}: {type(error).__name__}: {str(error)[:300]}"
    match error:
        case (
            sdk.ServiceBusAuthenticationError()
            | sdk.ServiceBusAuthorizationError()
            | ClientAuthenticationError()
        ):
            return Terminal(f"{said}. The app's identity needs the role '{role}' there.")
        case sdk.MessagingEntityNotFoundError():
            return Terminal(f"{said}. There is no such queue; create it, or correct its setting.")
        case sdk.MessageSizeExceededError():
            return Terminal(said)
        case AzureError() | OSError():
            return Retryable(said)
        case _:
            return Terminal(f"queue {queue}: {type(error).__name__}; check BATON_BUS")
