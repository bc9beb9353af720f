"""What becomes of a message sent to a queue, to `$management`, or to `$cbs`."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from simulator.servicebus.codec import DecodeError, Int, Symbol
from simulator.servicebus.content import Content, amqp_value, batched, reply
from simulator.servicebus.entity import Entity
from simulator.servicebus.errors import ARGUMENT, UNAUTHORIZED, BrokerError
from simulator.servicebus.gate import Gate
from simulator.servicebus.links import Handler

_BATCH_FORMAT: Final = 0x80013700
_NO_CONTENT: Final = 204
_ACCEPTED: Final = 202
_OK: Final = 200

Reply = Callable[[bytes], None]


def queue_node(gate: Gate, entity: Entity) -> Handler:
    """Keeps what is sent; a batch is kept whole or not at all."""

    async def handle(encoded: bytes, message_format: int) -> None:
        messages = batched(encoded) if message_format == _BATCH_FORMAT else [encoded]
        await gate.send(entity, [Content.parse(message) for message in messages])

    return handle


def management_node(gate: Gate, entity: Entity, answer: Reply) -> Handler:
    """Answers requests about a queue."""

    async def handle(encoded: bytes, _message_format: int) -> None:
        message_id, application, body = _request(encoded)
        operation = str(application.get("operation"))
        try:
            if not isinstance(body, dict):
                raise BrokerError(  # noqa: TRY301 - one place answers every refusal
                    ARGUMENT, "The body of a request is a map."
                )
            value = await gate.manage(entity, operation, body)
            status, text, condition = (_OK, "OK", None)
            if value is None:
                status, text = _NO_CONTENT, "No content"
        except BrokerError as refusal:
            value, status = None, refusal.status
            text, condition = refusal.description, refusal.condition
        except DecodeError as failure:
            value, status, text, condition = None, 400, str(failure), ARGUMENT
        properties: dict[str, Any] = {"statusCode": Int(status), "statusDescription": text}
        if condition:
            properties["errorCondition"] = Symbol(condition)
        answer(reply(message_id, properties, dict(value or {})))

    return handle


def cbs_node(authorize: Callable[[], None], answer: Reply) -> Handler:
    """Takes tokens. Any that is signed will do, for every queue: there is no key to check it by."""

    async def handle(encoded: bytes, _message_format: int) -> None:
        message_id, application, token = _request(encoded)
        if application.get("operation") == "put-token" and _is_signed(token):
            authorize()
            properties = {"status-code": Int(_ACCEPTED), "status-description": "Accepted"}
        else:
            properties = {
                "status-code": Int(401),
                "status-description": "InvalidSignature: The token has no signature.",
                "error-condition": Symbol(UNAUTHORIZED),
            }
        answer(reply(message_id, properties, None))

    return handle


def _is_signed(token: object) -> bool:
    if not isinstance(token, str):
        return False
    # The SDK calls a SAS token "jwt" as well, so the token itself tells.
    _, signature, fields = token.partition("SharedAccessSignature ")
    if not signature:
        return token.count(".") == 2 and not token.endswith(".")
    names = {name: value for name, _, value in (it.partition("=") for it in fields.split("&"))}
    return bool(names.get("sr") and names.get("sig") and names.get("se"))


def _request(encoded: bytes) -> tuple[Any, Mapping[Any, Any], Any]:
    properties, application, value = amqp_value(encoded)
    return properties[0] if properties else None, application, value
