"""The app on the tables and the Resource Manager that the settings name, for a test to play its timers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.adapters.arm import connect_arm
from shared.adapters.letters import write_mail
from shared.adapters.memory import MemoryBus
from shared.adapters.messages import decode
from shared.adapters.system_clock import SystemClock
from shared.adapters.table_alerts import TableAlerts
from shared.adapters.table_jobs import TableJobs
from shared.adapters.table_outcomes import TableOutcomes
from shared.adapters.table_patches import TablePatches
from shared.adapters.table_pauses import TablePauses
from shared.adapters.table_policies import TablePolicies
from shared.adapters.tables import connect_tables
from shared.bootstrap import Services, build
from shared.outside import Outside
from shared.settings import read_settings


@asynccontextmanager
async def the_app() -> AsyncIterator[Services]:
    """Its messages go nowhere."""
    settings, clock = read_settings(bus_required=False), SystemClock()
    tables = connect_tables(settings.tables, None, None, settings.table_prefix)
    arm = connect_arm(settings.arm_url, settings.arm_token, (), clock=clock)
    outside = Outside(
        clock=clock,
        vms=arm,
        patches=arm.patches,
        policies=TablePolicies(tables),
        jobs=TableJobs(tables),
        pauses=TablePauses(tables),
        outcomes=TableOutcomes(tables),
        alerts=TableAlerts(tables),
        patch_store=TablePatches(tables),
        bus=MemoryBus(),
        mailer=None,
        letters=write_mail,
        decode=decode,
        jitter=lambda: 0.0,
    )
    yield build(settings, outside)
    await arm.close()
    await tables.close()
