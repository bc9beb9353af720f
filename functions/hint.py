"""Azure Monitor's webhook → a discovery soon."""

import azure.functions as func

from shared.bootstrap import services
from shared.domain.errors import InvalidInput

bp = func.Blueprint()


@bp.function_name("hint")
@bp.route(
    route="hint",
    trigger_arg_name="request",
    methods=["POST"],
    auth_level=func.AuthLevel.FUNCTION,
)
async def hint(request: func.HttpRequest) -> func.HttpResponse:
    """Takes an alert in the common schema."""
    try:
        taken = await services().take_hint(request.get_body())
    except InvalidInput as wrong:
        return func.HttpResponse(str(wrong), status_code=400)
    said = "a discovery follows" if taken else "nothing here of a maintenance"
    return func.HttpResponse(said, status_code=202 if taken else 200)
