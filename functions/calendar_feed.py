"""GET /api/calendar/TEAM.ics → the team's redeploys, for calendars that subscribe. A function key opens it."""

import hashlib
from collections.abc import Callable

import azure.functions as func

from shared.bootstrap import Services, services
from shared.domain.errors import BatonError, Unknown

bp = func.Blueprint()


@bp.function_name("calendar")
@bp.route(
    route="calendar/{team}.ics",
    methods=["GET"],
    auth_level=func.AuthLevel.FUNCTION,
    trigger_arg_name="request",
)
async def calendar(request: func.HttpRequest) -> func.HttpResponse:
    """Answers with the calendar."""
    return await feed(request, services)


async def feed(request: func.HttpRequest, app: Callable[[], Services]) -> func.HttpResponse:
    """200; 304 where the caller has it already, 404 for an unknown team, 503 where the tables are busy."""
    try:
        text = await app().calendar(request.route_params["team"])
    except Unknown as unknown:
        return func.HttpResponse(str(unknown), status_code=404, mimetype="text/plain")
    except BatonError:
        return func.HttpResponse(
            "Baton cannot read its tables now; ask again in a minute.",
            status_code=503,
            mimetype="text/plain",
            headers={"Retry-After": "60"},
        )
    etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if request.headers.get("If-None-Match") == etag:
        return func.HttpResponse(status_code=304, headers=headers)
    return func.HttpResponse(text.encode(), mimetype="text/calendar", headers=headers)
