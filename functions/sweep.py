"""Timer → sweep."""

import azure.functions as func

from functions.bindings import SWEEP
from shared.bootstrap import services

bp = func.Blueprint()


@bp.function_name("sweep")
@bp.timer_trigger(arg_name="timer", schedule=SWEEP)
async def sweep(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Wakes whatever lost its message."""
    await services().sweep()
