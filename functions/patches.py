"""Timer → a look at the VMs' patches."""

import azure.functions as func

from functions.bindings import PATCHES
from shared.bootstrap import services

bp = func.Blueprint()


@bp.function_name("patches")
@bp.timer_trigger(arg_name="timer", schedule=PATCHES)
async def patches(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Looks at the patches of every VM whose policy says so."""
    await services().watch_patches()
