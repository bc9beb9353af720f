"""Timer → discovery."""

import azure.functions as func

from functions.bindings import DISCOVERY
from shared.bootstrap import services

bp = func.Blueprint()


@bp.function_name("discover")
@bp.timer_trigger(arg_name="timer", schedule=DISCOVERY)
async def discover(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Finds maintenance, plans it, and wakes the jobs."""
    app = services()
    with app.span("discover"):
        await app.discover()
