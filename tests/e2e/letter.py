"""A mail as its owners get it: a plan that is announced, and a VM that went wrong in the first of its rollouts."""

import asyncio
from datetime import timedelta

from shared.adapters.letters import write_mail
from shared.domain.alert import Mail
from tests.builders import OWNER, a_vm
from tests.simulation.world import World

_NAMES = ("web-1", "web-2", "web-3", "web-4", "web-5", "web-6")


def a_letter() -> Mail:
    """Written of what the app itself raised, on virtual time."""
    policy: dict[str, object] = {
        "match": "name:web-*",
        "sequence": "name:web-1,web-2",
        "concurrency": 2,
        "windows": "20:00-04:00",
        "timeZone": "Europe/Amsterdam",
        "owners": OWNER,
    }
    world = World(*map(a_vm, _NAMES), policies={"web": policy})
    world.azure.scripts["web-2"] = ["MaintenanceAborted"]
    asyncio.run(world.run(timedelta(hours=10)))
    raised = [one for one in world.alerts.alerts() if one.kind in ("planned", "aborted")]
    return write_mail(
        raised,
        mail_id="example",
        recipients=(OWNER,),
        mode="live",
        now=world.clock.now(),
        page="https://func-baton.azurewebsites.net/api/page",
    )
