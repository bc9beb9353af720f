"""The page's first view with 10,000 VMs: what goes over the wire."""

import gzip
import re

import azure.functions as func

from functions.page import page
from tests.builders import NOW
from tests.e2e.seeded import a_fleet, keep
from tests.unit.functions.site import Site

KIB = 1024
KINDS = ("away", "bad", "noStart")
FIRST_VIEW = ("status", "rollouts?limit=20", *(f"vms?kind={kind}&limit=10" for kind in KINDS))
ON_THE_WIRE_MAX = 300 * KIB
GZIP = {"Accept-Encoding": "gzip"}


async def file_size(name):
    request = func.HttpRequest(
        "GET", "/api/page", headers=GZIP, route_params={"file": name}, body=b""
    )
    response = await page(request)
    return len(response.get_body()), response


async def test_the_first_view_of_10000_vms_takes_less_than_300_kib_and_one_read_of_the_tables():
    site = Site()
    for policy in a_fleet(NOW, vms=10_000):
        site.policies.put(policy.team, policy.name, **policy.columns)
        await keep(site.jobs, policy, NOW)
    site.jobs.calls.clear()

    shell, response = await file_size("")
    names = re.findall(rb'(?:href|src)="page/([^"]+)"', gzip.decompress(response.get_body()))
    files = [(await file_size(name.decode()))[0] for name in names]
    answers = [await site.get(path, Accept_Encoding="gzip") for path in FIRST_VIEW]

    assert sum(answers[0].json["counts"].values()) == 10_000
    assert shell + sum(files) + sum(answer.wire for answer in answers) < ON_THE_WIRE_MAX
    assert len(site.jobs.called("books")) == 1
