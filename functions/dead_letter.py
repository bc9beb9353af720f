"""Dead letters of both queues → recorded and told."""

import azure.functions as func

from functions.bindings import ALERTS, BUS, DEAD_LETTERS, JOBS
from shared.bootstrap import services
from shared.use_cases.report_dead_letter import DeadLetter

bp = func.Blueprint()


@bp.function_name("dead_letter")
@bp.service_bus_queue_trigger(arg_name="message", queue_name=JOBS + DEAD_LETTERS, connection=BUS)
async def dead_letter(message: func.ServiceBusMessage) -> None:
    """Reports a jobs message that could not be handled."""
    await services().report_dead_letter(_letter(JOBS, message))


@bp.function_name("dead_alert")
@bp.service_bus_queue_trigger(arg_name="message", queue_name=ALERTS + DEAD_LETTERS, connection=BUS)
async def dead_alert(message: func.ServiceBusMessage) -> None:
    """Reports an alerts message that could not be handled."""
    await services().report_dead_letter(_letter(ALERTS, message))


def _letter(queue: str, message: func.ServiceBusMessage) -> DeadLetter:
    return DeadLetter(
        queue=queue,
        message_id=message.message_id or "",
        body=message.get_body(),
        reason=message.dead_letter_reason or "",
        description=message.dead_letter_error_description or "",
        delivery_count=message.delivery_count or 0,
    )
