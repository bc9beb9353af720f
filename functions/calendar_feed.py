"""GET /api/calendar/TEAM.ics → the team's redeploys, for calendars that subscribe.

A key of this function opens it, however people sign in for the page: a calendar program cannot sign in, and keeps
one address. So its key opens nothing else, and no other function's opens it.
"""

from collections.abc import Callable

import azure.functions as func

from functions.answers import refused, tagged
from functions.api import unanswered
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
        return refused(404, str(unknown), unknown.problems)
    except BatonError as error:
        return unanswered(error)
    return tagged(request, text.encode(), "text/calendar", "private, no-cache")
