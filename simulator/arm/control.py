"""The control plane: what no Azure offers. Tests and demos look and interfere here."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from json import JSONDecodeError
from typing import Any, Final

from aiohttp import web

from simulator.arm.cloud import Cloud
from simulator.arm.patching import release
from simulator.arm.records import VmRecord
from simulator.scenario import parse_fault
from simulator.scenario_patches import parse_release
from simulator.scenario_table import ScenarioError, Table
from simulator.scenario_vms import parse_vm, parse_vm_edit

Clock = Callable[[], datetime]
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_SOURCE: Final = "request body"


def add_routes(app: web.Application, cloud: Cloud, clock: Clock) -> None:
    """Serve ``/health`` and ``/_emulator/…``."""

    async def health(_request: web.Request) -> web.Response:
        return web.json_response(
            {"status": "healthy", "t0": cloud.t0.isoformat(), "scenario": cloud.scenario.name}
        )

    async def log(request: web.Request) -> web.Response:
        cloud.advance(clock())
        since = request.query.get("since", "0")
        if not since.isdecimal():
            raise ScenarioError(f"since = {since!r}: use a seq, for example since=0")
        return web.json_response(cloud.journal.since(int(since)))

    async def vms(_request: web.Request) -> web.Response:
        now = clock()
        cloud.advance(now)
        return web.json_response([vm_view(vm, now) for _, vm in sorted(cloud.vms.items())])

    async def add_vm(request: web.Request) -> web.Response:
        now = clock()
        cloud.advance(now)
        record = cloud.add_vm(parse_vm(await _table(request, "vm")), now)
        return web.json_response(vm_view(record, now), status=201)

    async def edit_vm(request: web.Request) -> web.Response:
        now = clock()
        cloud.advance(now)
        table = await _table(request, "vm", name=request.match_info["name"])
        cloud.edit_vm(parse_vm_edit(table), now)
        return web.json_response({"time": now.isoformat()})

    async def release_patch(request: web.Request) -> web.Response:
        now = clock()
        cloud.advance(now)
        table = await _table(request, "release")
        release(cloud, parse_release(_at_once(table, now)), now)
        return web.json_response({"time": now.isoformat()}, status=201)

    async def edit_subscription(request: web.Request) -> web.Response:
        cloud.advance(clock())
        record = cloud.subscriptions.get(request.match_info["id"].lower())
        if record is None:
            raise ScenarioError(f"subscription {request.match_info['id']!r}: there is none")
        table = await _table(request, "subscription")
        fault = parse_fault(table)
        denied = frozenset(right.lower() for right in table.texts("denied", ()))
        table.close()
        record.fault, record.denied = fault, denied
        return web.json_response({})

    app.router.add_get("/health", health)
    app.router.add_get("/_emulator/log", _explained(log))
    app.router.add_get("/_emulator/vms", vms)
    app.router.add_post("/_emulator/vms", _explained(add_vm))
    app.router.add_post("/_emulator/vms/{name}", _explained(edit_vm))
    app.router.add_post("/_emulator/patches", _explained(release_patch))
    app.router.add_post("/_emulator/subscriptions/{id}", _explained(edit_subscription))


def vm_view(record: VmRecord, now: datetime) -> dict[str, Any]:
    """Everything the emulator knows of a VM, also what Azure would not tell."""
    spec, state, maintenance = record.spec, record.state, record.state.maintenance
    return {
        "id": record.key,
        "name": spec.name,
        "subscription": spec.subscription,
        "resourceGroup": spec.resource_group,
        "location": spec.location,
        "zone": spec.zone,
        "availabilitySet": spec.availability_set,
        "updateDomain": spec.update_domain if spec.availability_set or spec.instance_id else None,
        "scaleSet": spec.scale_set,
        "faultDomain": spec.fault_domain if spec.scale_set else None,
        "tags": dict(state.tags),
        "power": state.power,
        "agent": "ready" if state.is_agent_ready else "notReady",
        "provisioningState": state.provisioning,
        "operationId": state.operation,
        "offered": state.is_offered(now),
        "maintenanceId": maintenance.id if maintenance else "",
        "windows": {
            key: getattr(maintenance, key).isoformat()
            for key in ("pre_start", "pre_end", "start", "end")
            if maintenance is not None
        },
        "code": maintenance.code if maintenance else "",
        "message": maintenance.message if maintenance else None,
        "acceptedCount": maintenance.accepted if maintenance else 0,
        "temporaryDiskLost": state.moves > 0,
        "ipAddress": record.address,
        "patchMode": state.patches.mode,
        "hotpatching": state.patches.hotpatching,
        "installedKbs": sorted(state.patches.installed),
        "pendingKbs": sorted(state.patches.pending),
        "isInstalling": state.patches.is_installing,
    }


async def _table(request: web.Request, what: str, **given: str) -> Table:
    try:
        body = await request.json()
    except (JSONDecodeError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{_SOURCE}: not JSON: {error}") from error
    if not isinstance(body, dict):
        raise ScenarioError(f"{_SOURCE}: use a JSON object")
    return Table(_SOURCE, what, {**body, **given})


def _at_once(table: Table, now: datetime) -> Table:
    """The table of a release, which is now where it does not say when."""
    return Table(table.file, table.where, {"at": now.isoformat(), **table.data})


def _explained(handler: _Handler) -> _Handler:
    """Answer 400 with the text of a ``ScenarioError``, which says what to mend."""

    async def explained(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except ScenarioError as error:
            return web.json_response({"error": str(error)}, status=400)

    return explained
