"""POST /api/v1/... → what a person asks Baton to do. A function of its own, so that a key of it is the right to act."""

import json
import logging
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

import azure.functions as func

from functions.acting import ACTINGS, Acting, Order
from functions.answers import done, refused
from functions.api import unanswered
from functions.bindings import AUTH_LEVEL
from functions.who import Caller, signed_in, why_not_reader
from shared.bootstrap import Services, services
from shared.domain.errors import (
    BatonError,
    Declined,
    InvalidInput,
    Outdated,
    Problem,
    Unknown,
)
from shared.use_cases.asking import Asked
from shared.use_cases.shown import Rights

bp = func.Blueprint()
log = logging.getLogger("baton.api")

BODY_MAX: Final = 16 * 1024
# A form of another site can send no header of its own, and a script of one would need our leave.
_OURS: Final = "X-Baton"
_WHO: Final = "who"


@bp.function_name("act")
@bp.route(route="v1/{*path}", methods=["POST"], auth_level=AUTH_LEVEL, trigger_arg_name="request")
async def act(request: func.HttpRequest) -> func.HttpResponse:
    """Does it, or says why not."""
    return await obey(request, services)


async def obey(request: func.HttpRequest, app: Callable[[], Services]) -> func.HttpResponse:
    """Does what a request asks for; `app` is wired only where it is needed."""
    if why := why_not_reader(request) or _why_not_ours(request):
        return refused(*why)
    path = request.route_params.get("path", "").strip("/")
    person = signed_in(request)
    if path == _WHO:
        return done(Rights(name=person.name, may_act=person.may_act))
    for acting in ACTINGS:
        if (parts := acting.match(path)) is not None:
            if not person.may_act:
                return refused(
                    403, "You may look, and not act: that takes the app role Baton.Operator."
                )
            return await _act(request, acting, parts, person, app)
    return refused(
        404, "There is nothing of that name to ask for; openapi.json describes what there is."
    )


def _why_not_ours(request: func.HttpRequest) -> tuple[int, str] | None:
    """The refusal of what another site may have made a browser send; None for what none can."""
    headers = request.headers
    if not headers.get(_OURS):
        return (
            403,
            f"Send the header {_OURS}, of any value: it shows that no other site sends this.",
        )
    origin, site = headers.get("Origin", ""), headers.get("Sec-Fetch-Site", "same-origin")
    if site not in ("same-origin", "none"):
        return 403, "Another site sent this."
    if origin and urlsplit(origin).netloc != (headers.get("Host") or urlsplit(request.url).netloc):
        return 403, "Another site sent this."
    return None


async def _act(
    request: func.HttpRequest,
    acting: Acting,
    parts: Mapping[str, str],
    person: Caller,
    app: Callable[[], Services],
) -> func.HttpResponse:
    if len(request.get_body()) > BODY_MAX:
        return refused(413, f"The body may have {BODY_MAX} bytes at most.")
    version = request.headers.get("If-Match", "").removeprefix("W/").strip('"')
    if acting.needs_version and not version:
        return refused(428, "Send If-Match with the version of the rollout that you saw.")
    try:
        body = _body(request, acting)
        order = Order(path=parts, body=body, version=version, asked=_asked(body, person))
    except InvalidInput as wrong:
        return refused(400, f"{wrong.where} cannot be used", wrong.problems)
    try:
        wired = app()
        answer = await acting.call(wired, order)
        wired.show.look.again()
    except BatonError as error:
        return _declined(error)
    return done(answer)


def _declined(error: BatonError) -> func.HttpResponse:
    match error:
        case Unknown():
            return refused(404, str(error), error.problems)
        case InvalidInput():
            return refused(400, str(error), error.problems)
        case Outdated():
            return refused(412, str(error))
        case Declined():
            return refused(409, str(error))
        case _:
            return unanswered(error)


def _asked(body: Mapping[str, str], person: Caller) -> Asked:
    """Who asks: whoever signed in, else the name that was given with the key."""
    return Asked.of(person.name or body.get("by", ""), body.get("reason", ""))


def _body(request: func.HttpRequest, acting: Acting) -> Mapping[str, str]:
    """The body's fields.

    Raises:
        InvalidInput: It is no JSON object, or a field is unknown or cannot be used; all are named.
    """
    known = {*acting.body, "by"}
    try:
        # Without a body nothing is said, which may be enough.
        body = json.loads(request.get_body() or b"{}")
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        expected = f"a JSON object with {', '.join(sorted(known))}"
        raise InvalidInput("the body", (Problem("body", "no JSON object", expected),))
    problems = [
        Problem(name, str(value), expected)
        for name, value in body.items()
        if (expected := _wrong(name, value, known))
    ]
    if problems:
        raise InvalidInput("the body", tuple(problems))
    return body


def _wrong(name: str, value: object, known: set[str]) -> str:
    """What is expected instead; `""` if it is right."""
    if name not in known:
        return f"one of {', '.join(sorted(known))}"
    if not isinstance(value, str) or not value.isprintable():
        return "text of one line, without control characters"
    if name == "until" and not _is_instant(value):
        return "an instant with its offset, such as 2026-12-01T22:00:00Z"
    return ""


def _is_instant(text: str) -> bool:
    if not re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d", text, re.ASCII):
        return False
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
