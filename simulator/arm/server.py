"""The HTTP side: aiohttp requests to calls, answers to aiohttp responses, all of it journalled."""

import asyncio
import json
import logging
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from aiohttp import web

from simulator import faults
from simulator.arm import control, front, routes
from simulator.arm.call import Answer, Call, scale_set_key, vm_key
from simulator.arm.cloud import Cloud
from simulator.arm.faults import KINDS, ArmFaults
from simulator.arm.journal import stamp
from simulator.arm.operations import Request
from simulator.faults import FaultPlan

Clock = Callable[[], datetime]

_STARTS: Final = ("/performmaintenance", "/assesspatches", "/installpatches")
_log: Final = logging.getLogger(__name__)


def make_app(
    cloud: Cloud, clock: Clock, *, checks_token: bool = True, plan: FaultPlan | None = None
) -> web.Application:
    """The whole emulator as one application: Resource Manager and, beside it, its control plane.

    Args:
        cloud: the state it serves.
        clock: the one source of time; must give times with an offset from UTC.
        checks_token: whether a request without ``Authorization: Bearer …`` answers 401.
        plan: of ``arm.faults.KINDS``; none where it is left out.
    """
    faulty = ArmFaults(plan or FaultPlan(KINDS))

    async def resource_manager(request: web.Request) -> web.StreamResponse:
        return await _serve(request, cloud, clock, faulty, checks_token=checks_token)

    app = web.Application()
    control.add_routes(app, cloud, clock)
    faults.add_routes(app, faulty.plan, "/_emulator/faults")
    app.router.add_route("*", "/{path:.*}", resource_manager)
    return app


async def _serve(
    request: web.Request, cloud: Cloud, clock: Clock, faulty: ArmFaults, *, checks_token: bool
) -> web.StreamResponse:
    arrived = clock()
    cloud.advance(arrived)
    body = _object(await request.read())
    match = routes.find(request.method, request.path)
    fault = faulty.draw(request.method, request.path)
    if delay := front.delay_seconds(cloud, match) + faulty.delay_seconds(fault):
        await asyncio.sleep(delay)
    now = clock()
    cloud.advance(now)
    call = Call(
        method=request.method,
        path=request.path,
        params=match.params if match else {},
        query={key.lower(): value for key, value in request.query.items()},
        now=now,
        base_url=f"{request.scheme}://{request.host}",
        request=_request_ids(request),
        body=body,
    )
    is_authenticated = not checks_token or _has_token(request)

    def apply() -> Answer:
        return front.answer(cloud, call, match, is_authenticated=is_authenticated)

    answer = faulty.answer(fault, call, apply)
    record = _record(call, match, answer)
    cloud.journal.request(now, {**record, "arrived": stamp(arrived)})
    if answer.status is None:
        await asyncio.sleep(fault.seconds if fault else 0)  # one that hangs is dropped in the end
        return _drop(request)
    return _response(call, answer)


def _object(body: bytes) -> dict[str, Any]:
    """The JSON object of a request; an empty one for anything else."""
    try:
        value = json.loads(body) if body else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _has_token(request: web.Request) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and token.strip() != ""


def _request_ids(request: web.Request) -> Request:
    return Request(
        request_id=str(uuid.uuid4()),
        # A client that names the correlation keeps it: that is how one finds one's own request.
        correlation_id=request.headers.get("x-ms-correlation-request-id") or str(uuid.uuid4()),
        client_request_id=request.headers.get("x-ms-client-request-id", ""),
    )


def _record(call: Call, match: routes.Match | None, answer: Answer) -> dict[str, Any]:
    record: dict[str, Any] = {
        "method": call.method,
        "path": call.path,
        "query": dict(call.query),
        "status": answer.status,
        "subscription": call.params.get("subscription", "").lower(),
        "vmId": vm_key(match.params) or scale_set_key(match.params) if match else "",
        "clientRequestId": call.request.client_request_id,
        "correlationId": call.request.correlation_id,
    }
    if "Retry-After" in answer.headers:
        record["retryAfter"] = answer.headers["Retry-After"]
    if call.method == "POST" and call.path.lower().endswith(_STARTS):
        # Whoever judges by the log finds these on every such POST, also on one turned away at
        # the front, before the VM was looked at.
        code = (answer.body or {}).get("error", {}).get("code", "")
        code = "dropped" if answer.status is None else code
        record |= {"accepted": False, "script": "", "reason": code}
        action = call.path.rpartition("/")[2]
        if action.lower() == "performmaintenance":
            record["maintenanceId"] = ""
        _log.info("%s %s: %s", action, record["vmId"], answer.status or "dropped")
    return record | call.note


def _response(call: Call, answer: Answer) -> web.Response:
    region = call.params.get("location", "westeurope").upper()
    headers = {
        "x-ms-request-id": call.request.request_id,
        "x-ms-correlation-request-id": call.request.correlation_id,
        "x-ms-routing-request-id": (
            f"{region}:{call.now:%Y%m%dT%H%M%SZ}:{call.request.correlation_id}"
        ),
        "Cache-Control": "no-cache",
        "Pragma": "no-cache",
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
        **answer.headers,
    }
    if call.request.client_request_id:
        headers["x-ms-client-request-id"] = call.request.client_request_id
    assert answer.status is not None  # noqa: S101 - dropped before, in _serve
    if answer.body is None:
        return web.Response(status=answer.status, headers=headers)
    return web.Response(
        status=answer.status,
        headers=headers,
        text=json.dumps(answer.body),
        content_type="application/json",
    )


def _drop(request: web.Request) -> web.Response:
    """Close the connection with a reset: the client never learns what came of its request."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)
