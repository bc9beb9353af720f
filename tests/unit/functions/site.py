"""The app over ports in memory, asked as the Functions host asks it."""

import gzip
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import azure.functions as func

from functions.act import obey
from functions.api import read
from shared.adapters.memory import (
    MemoryAlerts,
    MemoryBus,
    MemoryClock,
    MemoryJobs,
    MemoryMachines,
    MemoryMailer,
    MemoryOutcomes,
    MemoryPatches,
    MemoryPatchStore,
    MemoryPauses,
    MemoryPolicies,
)
from shared.bootstrap import Services, build
from shared.domain.ledger import Change, Head
from shared.outside import Outside
from shared.settings import read_settings
from tests.builders import NOW, a_head

SETTINGS = {
    "BATON_TABLES": "UseDevelopmentStorage=true;",
    "BATON_BUS": "Endpoint=sb://x;Key=1",
    "BATON_MODE": "live",
    "BATON_EMAIL_TO": "oncall@example.com",
}


@dataclass
class Said:
    """An answer, read."""

    status: int
    headers: dict[str, str]
    body: bytes
    wire: int  # bytes of the body as it was sent

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Site:
    """Every store, and the app over them."""

    clock: MemoryClock = field(default_factory=lambda: MemoryClock(NOW))
    jobs: MemoryJobs = field(default_factory=MemoryJobs)
    policies: MemoryPolicies = field(default_factory=MemoryPolicies)
    pauses: MemoryPauses = field(default_factory=MemoryPauses)
    outcomes: MemoryOutcomes = field(default_factory=MemoryOutcomes)
    alerts: MemoryAlerts = field(default_factory=MemoryAlerts)
    bus: MemoryBus = field(default_factory=MemoryBus)
    vms: MemoryMachines = field(default_factory=MemoryMachines)
    patches: MemoryPatchStore = field(default_factory=MemoryPatchStore)
    app: Services = field(init=False)

    def __post_init__(self):
        outside = Outside(
            clock=self.clock,
            vms=self.vms,
            patches=MemoryPatches(self.vms),
            patch_store=self.patches,
            policies=self.policies,
            jobs=self.jobs,
            pauses=self.pauses,
            outcomes=self.outcomes,
            alerts=self.alerts,
            bus=self.bus,
            mailer=MemoryMailer(),
            letters=lambda *_, **__: None,
            decode=lambda _: None,
            jitter=lambda: 0.0,
        )
        self.app = build(read_settings(SETTINGS), outside)

    async def keeps(self, *jobs, head: Head | None = None, **columns):
        """A policy's row, head and jobs. Without columns it matches web-*."""
        head = head or a_head(jobs[0].team, jobs[0].policy, **columns)
        self.policies.put(head.team, head.policy, **head.columns)
        await self.jobs.commit(Change(heads=(head,), jobs=jobs, at=NOW))

    async def get(self, path, **headers) -> Said:
        """What /api/v1/PATH answers."""
        return said(await read(a_request(path, **headers), lambda: self.app))

    async def post(self, path, body=None, **headers) -> Said:
        """What is answered to a request to act, by Ann from the page unless told otherwise."""
        headers = {"X_Baton": "1", "Host": "127.0.0.1:7071", **headers}
        if not isinstance(body, bytes):
            body = json.dumps({"by": "ann"} | (body or {})).encode()
        request = a_request(path, "POST", body, **headers)
        return said(await obey(request, lambda: self.app))


def a_request(path, method="GET", body=b"", **headers) -> func.HttpRequest:
    """A request as the host gives it; `If_None_Match` is the header If-None-Match."""
    parts = urlsplit(path)
    return func.HttpRequest(
        method,
        f"http://127.0.0.1:7071/api/v1/{path}",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        params=dict(parse_qsl(parts.query, keep_blank_values=True)),
        route_params={"path": unquote(parts.path)},
        body=body,
    )


def said(response: func.HttpResponse) -> Said:
    """An answer, unpacked; its headers in lower case."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    headers["content-type"] = response.mimetype
    sent = body = response.get_body()
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    return Said(response.status_code, headers, body, len(sent))
