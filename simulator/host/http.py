"""HTTP triggers and the host's own administrative endpoints, on loopback."""

import asyncio
import hmac
import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final

import azure.functions as func
from aiohttp import web
from multidict import CIMultiDict

from simulator.host.dispatch import Dispatcher
from simulator.host.index import HTTP, Function, HostError

log = logging.getLogger("host.http")

_METHODS: Final = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")
_CONSTRAINTS: Final = {
    "int": r"-?\d+",
    "long": r"-?\d+",
    "bool": r"(?i:true|false)",
    "alpha": r"[A-Za-z]+",
    "guid": r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
}
_PARAMETER: Final = re.compile(r"\{(\*?)(\w+)(?::(\w+))?(\??)\}")
_BODY_BYTES_MAX: Final = 100 * 1024 * 1024  # the Functions host's own limit

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Once = Callable[[str], Awaitable[None]]


class HttpFront:
    """The routes of the app's HTTP functions, and `/admin`. One key opens all that needs one."""

    def __init__(self, dispatcher: Dispatcher, prefix: str, key: str) -> None:
        """Make an application without functions.

        Args:
            dispatcher: Runs them.
            prefix: host.json's routePrefix.
            key: Function key and master key in one.
        """
        self.app = web.Application(client_max_size=_BODY_BYTES_MAX)
        self._dispatcher = dispatcher
        self._prefix = prefix
        self._key = key.encode()
        self._once: set[asyncio.Task[None]] = set()

    def add_functions(self, functions: Iterable[Function]) -> None:
        """Serves those with an HTTP trigger.

        Raises:
            HostError: A route is written in a way that is not served here.
        """
        ours = [function for function in functions if function.kind == HTTP]
        # As in ASP.NET, a written-out segment wins over a parameter, whatever the order of the functions.
        for function in sorted(ours, key=lambda f: _route(f).count("{")):
            level = str(function.trigger.get("authLevel") or "function").lower()
            handler = self._answer(function)
            guarded = handler if level == "anonymous" else self._guarded(handler)
            for path in _paths(function, self._prefix):
                for method in function.trigger.get("methods") or _METHODS:
                    self.app.router.add_route(str(method).upper(), path, guarded)

    def add_admin(self, once: Mapping[str, Once], status: Callable[[], dict[str, Any]]) -> None:
        """Serves `POST /admin/functions/NAME` and `GET /admin/host/status`.

        Args:
            once: Function name → runs it once with an input.
            status: What the host says of itself.
        """

        async def run_once(request: web.Request) -> web.Response:
            run = once.get(request.match_info["name"])
            if run is None:
                return web.Response(status=404)
            try:
                body = await request.json() if request.can_read_body else {}
            except ValueError:
                return web.Response(status=400, text="the body is no JSON")
            given = body.get("input") if isinstance(body, dict) else None
            task = asyncio.ensure_future(run("" if given is None else str(given)))
            self._once.add(task)
            task.add_done_callback(self._once.discard)
            return web.Response(status=202)

        async def tell(_: web.Request) -> web.Response:
            return web.json_response(status())

        self.app.router.add_post("/admin/functions/{name}", self._guarded(run_once))
        self.app.router.add_get("/admin/host/status", self._guarded(tell))

    async def stop(self, within: float) -> None:
        """Gives what was asked for by `/admin` so many seconds to end."""
        if self._once:
            await asyncio.wait(self._once, timeout=within)

    def _guarded(self, handler: Handler) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            given = request.headers.get("x-functions-key") or request.query.get("code") or ""
            if not hmac.compare_digest(given.encode(), self._key):
                return web.Response(status=401)
            return await handler(request)

        return answer

    def _answer(self, function: Function) -> Handler:
        async def answer(request: web.Request) -> web.Response:
            given = func.HttpRequest(
                request.method,
                str(request.url),
                headers=dict(request.headers),
                params=dict(request.query),
                route_params=dict(request.match_info),
                body=await request.read(),
            )
            try:
                return _response(await self._dispatcher.invoke(function, given))
            except Exception as error:  # noqa: BLE001 - the dispatcher logged it
                log.debug("%s answers 500: %r", function.name, error)
                return web.Response(status=500)

        return answer


def admin_request(function: Function, text: str) -> func.HttpRequest:
    """What `POST /admin/functions/NAME` gives an HTTP function."""
    return func.HttpRequest("POST", f"/admin/functions/{function.name}", body=text.encode())


def _response(result: Any) -> web.Response:
    """What a function returned, as the worker and the host send it.

    Raises:
        TypeError: It is nothing that an HTTP function may return.
    """
    if result is None:
        return web.Response(status=204)
    if isinstance(result, str):
        return web.Response(text=result)
    if not isinstance(result, func.HttpResponse):
        raise TypeError(f"an HTTP function returned {type(result).__name__}")
    headers: CIMultiDict[str] = CIMultiDict(result.headers.items())
    is_text = result.mimetype.startswith("text/")
    headers.setdefault(
        "Content-Type",
        f"{result.mimetype}; charset={result.charset}" if is_text else result.mimetype,
    )
    return web.Response(status=result.status_code, body=result.get_body(), headers=headers)


def _route(function: Function) -> str:
    return str(function.trigger.get("route") or function.name).strip("/")


def _paths(function: Function, prefix: str) -> list[str]:
    """A Functions route as aiohttp's: `a/{id:int?}` is one with the last segment and one without.

    Raises:
        HostError: It has a constraint that is not served here.
    """
    route = _route(function)
    last = route.rpartition("/")[2]
    routes = [route, route[: -len(last)]] if last.endswith("?}") else [route]
    plain = _PARAMETER.sub("", route)
    known = all(part[3] in ("", *_CONSTRAINTS) for part in _PARAMETER.finditer(route) if part[3])
    if "{" in plain or not known:
        raise HostError(f"function {function.name}: route {route!r} is not served here")
    return ["/" + f"{prefix}/{_PARAMETER.sub(_segment, one)}".strip("/") for one in routes]


def _segment(found: re.Match[str]) -> str:
    star, name, constraint, _ = found.groups()
    # A catch-all takes anything, a line break too.
    pattern = r"[\s\S]*" if star else _CONSTRAINTS.get(constraint or "", r"[^/]+")
    return f"{{{name}:{pattern}}}"
