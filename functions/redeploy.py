"""Jobs queue → one step of one job, or a discovery that a hint asked for."""

import azure.functions as func

from functions.bindings import BUS, JOBS
from shared.bootstrap import services
from shared.use_cases.take_hint import DISCOVERY

bp = func.Blueprint()


@bp.function_name("redeploy")
@bp.service_bus_queue_trigger(arg_name="message", queue_name=JOBS, connection=BUS)
async def redeploy(message: func.ServiceBusMessage) -> None:
    """Looks at the job that the message names; or discovers, after a hint.

    A message that cannot be read raises: the bus delivers it again, gives up, and the dead letters tell.
    """
    app = services()
    wake = app.decode(message.get_body())
    await (app.discover(asks_all=True) if wake == DISCOVERY else app.redeploy(wake))
