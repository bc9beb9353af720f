"""Alerts queue → the mails and the lifecycle events that are due."""

import azure.functions as func

from functions.bindings import ALERTS, BUS
from shared.bootstrap import services

bp = func.Blueprint()


@bp.function_name("alerts")
@bp.service_bus_queue_trigger(arg_name="message", queue_name=ALERTS, connection=BUS)
async def alerts(message: func.ServiceBusMessage) -> None:  # noqa: ARG001 - a wake-up; the table has the alerts
    """Sends what is due: mails first, for a receiver of events may be slow."""
    app = services()
    await app.send_alerts()
    await app.send_events()
