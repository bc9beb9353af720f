"""A received message as the worker hands it to a function."""

from typing import Any
from uuid import UUID

from azure.functions.servicebus import ServiceBusMessage
from azure.servicebus import ServiceBusReceivedMessage
from azure.servicebus.amqp import AmqpMessageBodyType


def trigger_message(message: ServiceBusReceivedMessage) -> ServiceBusMessage:
    """The function's argument.

    Raises:
        ValueError: The body is an AMQP value or sequence, which the real trigger refuses as well.
    """
    if message.body_type is not AmqpMessageBodyType.DATA:
        raise ValueError(f"the body of message {message.message_id} is no binary data")
    properties = {
        _plain(key): _plain(value) for key, value in (message.application_properties or {}).items()
    }
    return ServiceBusMessage(
        body=b"".join(message.body),
        application_properties=properties,
        user_properties=properties,
        content_type=message.content_type,
        correlation_id=message.correlation_id,
        dead_letter_error_description=message.dead_letter_error_description,
        dead_letter_reason=message.dead_letter_reason,
        dead_letter_source=message.dead_letter_source,
        # The extension counts the delivery that runs; AMQP those that failed before it.
        delivery_count=(message.delivery_count or 0) + 1,
        enqueued_sequence_number=message.enqueued_sequence_number,
        enqueued_time_utc=message.enqueued_time_utc,
        expires_at_utc=message.expires_at_utc,
        label=message.subject,
        locked_until=message.locked_until_utc,
        lock_token=str(message.lock_token),
        message_id=message.message_id or "",
        partition_key=message.partition_key,
        reply_to=message.reply_to,
        reply_to_session_id=message.reply_to_session_id,
        scheduled_enqueue_time_utc=message.scheduled_enqueue_time_utc,
        sequence_number=message.sequence_number,
        session_id=message.session_id,
        state=message.state.value,
        subject=message.subject,
        time_to_live=message.time_to_live,
        to=message.to,
    )


def admin_message(text: str, message_id: str) -> ServiceBusMessage:
    """What `POST /admin/functions/NAME` makes of its input: a message that no queue ever held."""
    return ServiceBusMessage(
        body=text.encode(),
        message_id=message_id,
        delivery_count=0,
        application_properties={},
        user_properties={},
    )


def _plain(value: Any) -> Any:
    """As JSON carries it from the real host to the worker."""
    match value:
        case bytes():
            return value.decode("utf-8", "replace")
        case None | bool() | int() | float() | str():
            return value
        case UUID():
            return str(value)
        case _:
            return value.isoformat() if hasattr(value, "isoformat") else str(value)
