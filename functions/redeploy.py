"""Jobs queue → one step of one job."""

import azure.functions as func

from functions.bindings import BUS, JOBS
from shared.bootstrap import services

bp = func.Blueprint()


@bp.function_name("redeploy")
@bp.service_bus_queue_trigger(arg_name="message", queue_name=JOBS, connection=BUS)
async def redeploy(message: func.ServiceBusMessage) -> None:
    """Looks at the job that the message names.

    A message that cannot be read raises: the bus delivers it again, gives up, and the dead letters tell.
    """
    app = services()
    await app.redeploy(app.decode(message.get_body()))
