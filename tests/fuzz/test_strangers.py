"""Messages of strangers and absurd rows: Baton acts on no VM that has no job, and goes on with the rest."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.messages import decode
from shared.domain.errors import InvalidInput
from tests.builders import a_job, a_vm
from tests.fuzz.hostile import spoilt, words
from tests.simulation.world import World

POLICIES: dict[str, dict[str, object]] = {"web": {"match": "name:web-*"}}
JOB = a_job().id
names = words | st.sampled_from(["shop", "web", JOB, JOB.upper(), f"web|{JOB}", "!discovery", ""])
bodies = spoilt({"v": 1, "team": "shop", "policy": "web", "job": JOB}) | st.fixed_dictionaries(
    {"v": st.just(1), "team": names, "policy": names, "job": names, "vm": words}
)


@given(st.lists(bodies, max_size=5))
async def test_no_message_starts_a_vm_that_has_no_job(sent):
    world = World(a_vm("web-1"), policies=POLICIES)

    for body in sent:
        await handled(world, json.dumps(body).encode())

    assert world.starts() == []
    assert world.azure.called("get") == []
    assert world.jobs.jobs() == []


@given(st.lists(bodies, max_size=5))
async def test_no_message_starts_a_vm_before_its_time(sent):
    world = World(a_vm("web-1"), policies={"web": {"match": "name:web-*", "lead": "1h"}})
    await world.app.discover()

    for body in sent:
        await handled(world, json.dumps(body).encode())

    assert world.starts() == []


async def handled(world: World, body: bytes) -> None:
    """As the trigger does: what cannot be read or has names of no row is left to the dead letters."""
    try:
        await world.app.redeploy(decode(body))
    except InvalidInput as wrong:
        assert wrong.problems


@pytest.mark.parametrize(
    "columns",
    [
        {"match": "name:" + "x" * 32_768},
        {"match": "name:web-*", "owners": ",".join(f"a{n}@example.com" for n in range(2_000))},
        {"windows": ";".join(["Mon 00:00-01:00"] * 2_000)},
        {f"column{n}": "x" for n in range(250)},
    ],
)
async def test_an_absurd_row_stops_no_other(columns):
    world = World(a_vm("web-1"), policies={**POLICIES, "absurd": columns | {"priority": 200}})

    await world.app.discover()

    assert [job.vm_name for job in world.jobs.jobs()] == ["web-1"]
    assert {row.policy: row.status for row in await world.policies.rows()} == {
        "web": "ok",
        "absurd": "error",
    }


@pytest.mark.parametrize("name", ["web-\n|#?", "web-<b>'\"", "web-" + "x" * 2_000, "web-\u2028"])
async def test_a_vm_of_any_name_becomes_a_job_beside_the_others(name):
    world = World(a_vm("web-1"), replace(a_vm("web-2"), name=name), policies=POLICIES)

    await world.app.discover()

    assert {job.vm_name for job in world.jobs.jobs()} == {"web-1", name}
