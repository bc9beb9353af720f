"""GET /api/v1/... → what Baton's tables say, as JSON."""

import logging
from collections.abc import Callable
from functools import cache
from typing import Any

import azure.functions as func

from functions.answers import found, refused
from functions.bindings import AUTH_LEVEL
from functions.openapi import description
from functions.question import read_question
from functions.reading import READINGS, Reading
from functions.who import why_not_reader
from shared.bootstrap import Services, services
from shared.domain.errors import BatonError, InvalidInput, Retryable

bp = func.Blueprint()
log = logging.getLogger("baton.api")

_RETRY_SECONDS = 5


@bp.function_name("api")
@bp.route(route="v1/{*path}", methods=["GET"], auth_level=AUTH_LEVEL, trigger_arg_name="request")
async def api(request: func.HttpRequest) -> func.HttpResponse:
    """Answers from one look at the tables."""
    return await read(request, services)


async def read(request: func.HttpRequest, app: Callable[[], Services]) -> func.HttpResponse:
    """Answers a request; `app` is wired only where it is needed."""
    if why := why_not_reader(request):
        return refused(*why)
    path = request.route_params.get("path", "").strip("/")
    if path == "openapi.json":
        return found(request, _description())
    for reading in READINGS:
        if (parts := reading.match(path)) is not None:
            return await _read(request, reading, parts, app)
    return refused(404, "There is nothing of that name; openapi.json describes what there is.")


async def _read(
    request: func.HttpRequest,
    reading: Reading,
    parts: dict[str, str],
    app: Callable[[], Services],
) -> func.HttpResponse:
    try:
        asked = read_question(request, parts, reading.query)
    except InvalidInput as wrong:
        return refused(400, f"{wrong.where} cannot be used", wrong.problems)
    try:
        answer = await reading.call(app(), asked)
    except BatonError as error:
        return unanswered(error)
    return refused(404, reading.missing) if answer is None else found(request, answer)


def unanswered(error: BatonError) -> func.HttpResponse:
    """503: a service failed, or a setting is wrong. What it said stays in the log."""
    log.warning("Not answered: %s", error, extra={"action": "not_answered"})
    wait = error.retry_after if isinstance(error, Retryable) else None
    seconds = round(wait.total_seconds()) if wait else _RETRY_SECONDS
    detail = "A service that this needs does not answer as it should; Baton's log has more."
    return refused(503, detail, headers={"Retry-After": str(max(seconds, 1))})


@cache
def _description() -> dict[str, Any]:
    return description()
