"""What `./baton doctor` tries on the bus: each right at each queue, its properties, its dead letters.

Nothing is sent and nothing is taken: a link is opened, and messages are peeked at.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
)
from azure.core.pipeline.transport import AioHttpTransport
from azure.servicebus import ServiceBusReceivedMessage, ServiceBusSubQueue
from azure.servicebus.aio import ServiceBusClient
from azure.servicebus.aio.management import ServiceBusAdministrationClient

from shared.adapters.service_bus import meaning
from shared.domain.errors import Retryable, Terminal
from shared.domain.health import QueueProperties

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.servicebus.management import QueueProperties as Described

_RECEIVER = "Azure Service Bus Data Receiver"
_OWNER = "Azure Service Bus Data Owner"
_PEEKED_MAX = 100
_SECONDS = 10

_T = TypeVar("_T")


class BusProbe:
    """The namespace, looked at."""

    def __init__(
        self, connection_string: str, namespace: str, credential: "AsyncTokenCredential"
    ) -> None:
        """As `connect_bus`; opens nothing yet."""
        self._connection_string = connection_string
        self._namespace = namespace
        self._credential = credential
        self._opened: tuple[ServiceBusClient, ServiceBusAdministrationClient] | None = None

    async def try_sending(self, queue: str) -> None:
        """Opens a link to send on.

        Raises:
            Retryable, Terminal: It cannot be opened.
        """
        try:
            async with self._open()[0].get_queue_sender(queue):
                pass
        except (AzureError, OSError, ValueError) as error:
            raise meaning(error, queue) from error

    async def try_receiving(self, queue: str) -> None:
        """Peeks at a message.

        Raises:
            Retryable, Terminal: It cannot be done.
        """
        await self._peek(queue, None, 1)

    async def dead_letters(self, queue: str) -> tuple[int, str]:
        """How many there are, as far as a hundred, and the oldest one's reason.

        Raises:
            Retryable, Terminal: They cannot be seen.
        """
        letters = await self._peek(queue, ServiceBusSubQueue.DEAD_LETTER, _PEEKED_MAX)
        return len(letters), (letters[0].dead_letter_reason or "") if letters else ""

    async def properties(self, queue: str) -> QueueProperties:
        """What the queue is set to.

        Raises:
            Terminal: The identity may not see that; or there is no such queue.
            Retryable: The bus is away.
        """
        try:
            return _properties(await self._open()[1].get_queue(queue))
        except ResourceNotFoundError as error:
            raise Terminal(f"queue {queue}: there is none") from error
        except (ClientAuthenticationError, HttpResponseError) as error:
            status = error.status_code
            if status in (401, 403) or status is None:
                needs = f"the role '{_OWNER}', or the right Manage"
                raise Terminal(
                    f"queue {queue}: its properties are shown only to {needs}"
                ) from error
            raise Retryable(f"queue {queue}: {status} {error.reason}") from error
        except (AzureError, OSError) as error:
            raise Retryable(f"queue {queue}: {type(error).__name__}: {str(error)[:200]}") from error

    async def close(self) -> None:
        """Closes the connections."""
        opened, self._opened = self._opened, None
        for client in opened or ():
            await client.close()

    async def _peek(
        self, queue: str, sub_queue: ServiceBusSubQueue | None, most: int
    ) -> list[ServiceBusReceivedMessage]:
        try:
            client, _ = self._open()
            async with client.get_queue_receiver(queue, sub_queue=sub_queue) as receiver:
                return await receiver.peek_messages(most, timeout=_SECONDS)
        except (AzureError, OSError, ValueError) as error:
            raise meaning(error, queue, _RECEIVER) from error

    def _open(self) -> tuple[ServiceBusClient, ServiceBusAdministrationClient]:
        """The clients for messages and for properties.

        Raises:
            ValueError: The connection string is none.
        """
        if self._opened is None:
            text = self._connection_string
            options: dict[str, Any] = {"retry_total": 1}
            if text:
                self._opened = (
                    ServiceBusClient.from_connection_string(text, try_timeout=_SECONDS, **options),
                    ServiceBusAdministrationClient.from_connection_string(
                        text, transport=_transport(text), **options
                    ),
                )
            else:
                place = self._namespace, self._credential
                self._opened = (
                    ServiceBusClient(*place, try_timeout=_SECONDS, **options),
                    ServiceBusAdministrationClient(*place, **options),
                )
        return self._opened


def _properties(found: "Described") -> QueueProperties:
    return QueueProperties(
        lock_duration=_given(found, "lock_duration", timedelta),
        max_delivery_count=_given(found, "max_delivery_count", int),
        default_message_time_to_live=_given(found, "default_message_time_to_live", timedelta),
        requires_duplicate_detection=bool(found.requires_duplicate_detection),
        duplicate_detection_history_time_window=_given(
            found, "duplicate_detection_history_time_window", timedelta
        ),
        requires_session=bool(found.requires_session),
        dead_lettering_on_message_expiration=bool(found.dead_lettering_on_message_expiration),
        forwards=bool(found.forward_to or found.forward_dead_lettered_messages_to),
        status=str(getattr(found.status, "value", found.status)),
    )


def _given(found: "Described", name: str, kind: type[_T]) -> _T:
    value = getattr(found, name)
    if not isinstance(value, kind):
        raise Terminal(f"queue {found.name}: {name} is {value!r}")
    return value


def _transport(connection_string: str) -> AioHttpTransport:
    return _Plain() if "UseDevelopmentEmulator=true" in connection_string else AioHttpTransport()


class _Plain(AioHttpTransport):  # type: ignore[misc]  # the SDK hides its type
    """Emulators speak plain http, and the SDK knows of https alone."""

    async def send(self, request: Any, **options: Any) -> Any:
        """Sends it without TLS."""
        request.url = request.url.replace("https://", "http://", 1)
        return await super().send(request, **options)
