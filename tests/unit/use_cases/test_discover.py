"""Discovery writes any number of jobs, a transaction at a time."""

from shared.adapters.job_rows import change_writes
from tests.builders import a_vm
from tests.simulation.world import World


async def test_a_policy_of_more_vms_than_a_transaction_holds_is_written_in_several():
    columns = {"match": "name:web-*", "concurrency": 50}
    world = World(*(a_vm(f"web-{number:03d}") for number in range(250)), policies={"web": columns})

    await world.app.discover()

    changes = [change for (change,) in world.jobs.called("commit")]
    assert len(world.jobs.jobs()) == 250
    assert max(len(change_writes(change)) for change in changes) == 100
    assert [len(change.jobs) for change in changes] == [98, 98, 54]
