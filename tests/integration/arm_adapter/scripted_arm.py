"""A server on loopback that gives the answers a test wrote, and remembers what it was asked."""

import asyncio
import inspect
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Reply = Callable[[web.Request], Any]


def json_reply(body: Any, *, status: int = 200, **headers: str) -> Reply:
    shown = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: web.json_response(body, status=status, headers=shown)


def text_reply(text: str, *, status: int = 200, **headers: str) -> Reply:
    shown = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: web.Response(text=text, status=status, headers=shown)


def arm_error(status: int, code: str, message: str = "It is so.", **headers: str) -> Reply:
    return json_reply({"error": {"code": code, "message": message}}, status=status, **headers)


def hang_up(request: web.Request) -> None:
    """The request was read, and the connection breaks before any answer."""
    assert request.transport is not None
    request.transport.abort()


async def silence(_: web.Request) -> web.StreamResponse:
    """The request was read, and nothing more comes."""
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass
class ScriptedArm:
    """The last reply is given again and again."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    replies: deque[Reply] = field(default_factory=deque)

    def answers(self, *replies: Reply) -> None:
        self.replies = deque(replies)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        self.asked.append(
            Asked(request.method, request.path, dict(request.query), dict(request.headers))
        )
        reply = self.replies.popleft() if len(self.replies) > 1 else self.replies[0]
        answer = reply(request)
        if inspect.isawaitable(answer):
            answer = await answer
        return answer or web.Response()
