"""How a Service Bus connection is found in the app settings: by the real host's rules."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final

from azure.servicebus import ServiceBusSubQueue
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver

from simulator.host.host_json import BusOptions
from simulator.host.index import Function, HostError

_DEAD_LETTERS: Final = "/$deadletterqueue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a trigger's messages come from.

    Attributes:
        connection: A connection string; empty: `namespace` by an identity.
        client_id: Of a user-assigned identity; None: whatever DefaultAzureCredential finds.
        queue: As the trigger names it, for the logs.
    """

    connection: str
    namespace: str
    client_id: str | None
    queue: str

    async def open(self, stack: AsyncExitStack, options: BusOptions) -> ServiceBusReceiver:
        """A receiver, attached. It and its connection are closed with the stack.

        The SDK retries nothing: the trigger connects again by itself, and says so.

        Raises:
            ServiceBusError: The bus does not answer, or has no such queue.
        """
        client = await self._client(
            stack, retry_total=0, try_timeout=options.retry.try_timeout.total_seconds()
        )
        stack.push_async_callback(client.close)
        is_dead = self.queue.lower().endswith(_DEAD_LETTERS)
        receiver = client.get_queue_receiver(
            self.queue[: -len(_DEAD_LETTERS)] if is_dead else self.queue,
            sub_queue=ServiceBusSubQueue.DEAD_LETTER if is_dead else None,
            prefetch_count=options.prefetch,
        )
        return await receiver.__aenter__()

    async def _client(self, stack: AsyncExitStack, **options: Any) -> ServiceBusClient:
        if self.connection:
            return ServiceBusClient.from_connection_string(self.connection, **options)
        from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415 - half a second, rarely needed

        credential = DefaultAzureCredential(managed_identity_client_id=self.client_id)
        close: Callable[[], Awaitable[None]] = credential.close
        stack.push_async_callback(close)
        return ServiceBusClient(self.namespace, credential, **options)


def source_of(function: Function, environment: Mapping[str, str]) -> Source:
    """What a queue trigger's `connection` and `queueName` mean.

    Raises:
        HostError: An app setting is missing, or the trigger wants what is not served here.
    """
    trigger = function.trigger
    if "topicName" in trigger:
        raise HostError(f"function {function.name}: topics are not served here, only queues")
    if trigger.get("isSessionsEnabled"):
        raise HostError(f"function {function.name}: isSessionsEnabled is not served here")
    if str(trigger.get("cardinality") or "one").lower() != "one":
        raise HostError(f"function {function.name}: cardinality many is not served here")
    name = function.setting("connection", environment)
    connection = environment.get(name, "").strip()
    namespace = environment.get(f"{name}__fullyQualifiedNamespace", "").strip()
    if not connection and not namespace:
        raise HostError(
            f"function {function.name}: set {name} to a connection string, "
            f"or {name}__fullyQualifiedNamespace to a namespace"
        )
    return Source(
        connection=connection,
        namespace=namespace,
        client_id=environment.get(f"{name}__clientId") or None,
        queue=function.setting("queueName", environment),
    )
