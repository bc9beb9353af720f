"""What the operator's verbs work with: the tables and Resource Manager that the settings name, and no bus."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from shared.adapters.arm import connect_arm
from shared.adapters.credentials import Identity, client_id
from shared.adapters.system_clock import SystemClock
from shared.adapters.table_alerts import TableAlerts
from shared.adapters.table_jobs import TableJobs
from shared.adapters.table_outcomes import TableOutcomes
from shared.adapters.table_patches import TablePatches
from shared.adapters.table_pauses import TablePauses
from shared.adapters.table_policies import TablePolicies
from shared.adapters.tables import connect_tables
from shared.domain.mode import Mode
from shared.ports import Clock, Enrolment, Patches, PatchStore, PolicyStore, VirtualMachines
from shared.settings import read_settings
from shared.use_cases.approve import Approve
from shared.use_cases.explain import Explain
from shared.use_cases.give_go_ahead import GiveGoAhead
from shared.use_cases.pause_policies import PausePolicies
from shared.use_cases.preview import Preview
from shared.use_cases.resume_policies import ResumePolicies
from shared.use_cases.retry_vm import RetryVm
from shared.use_cases.see_fleet import SeeFleet
from shared.use_cases.skip_vm import SkipVm
from shared.use_cases.status import ReadStatus
from shared.use_cases.team_calendar import TeamCalendar


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The use cases, for one command."""

    clock: Clock
    mode: Mode
    vms: VirtualMachines
    patches: Patches
    enrolment: Enrolment
    patch_store: PatchStore
    policies: PolicyStore
    preview: Preview
    explain: Explain
    approve: Approve
    status: ReadStatus
    pause: PausePolicies
    resume: ResumePolicies
    skip: SkipVm
    go_ahead: GiveGoAhead
    retry: RetryVm
    calendar: TeamCalendar


@asynccontextmanager
async def at_the_desk() -> AsyncIterator[Desk]:
    """Connects on first use, and closes when the command is done.

    Raises:
        InvalidInput: Settings are bad or missing; all are named.
    """
    settings = read_settings(bus_required=False)
    clock = SystemClock()
    async with AsyncExitStack() as opened:
        of_tables = await opened.enter_async_context(_identity("BATON_TABLES"))
        of_arm = await opened.enter_async_context(_identity("BATON_ARM"))
        tables = connect_tables(
            settings.tables, settings.tables_endpoint, of_tables, settings.table_prefix
        )
        opened.push_async_callback(tables.close)
        vms = connect_arm(
            settings.arm_url, settings.arm_token or of_arm, settings.subscriptions, clock=clock
        )
        opened.push_async_callback(vms.close)
        policies, jobs, pauses = TablePolicies(tables), TableJobs(tables), TablePauses(tables)
        see = SeeFleet(clock=clock, vms=vms, patches=TablePatches(tables))
        preview = Preview(
            clock=clock,
            policies=policies,
            jobs=jobs,
            pauses=pauses,
            see=see,
            mode=settings.mode,
        )
        yield Desk(
            clock=clock,
            mode=settings.mode,
            vms=vms,
            patches=vms.patches,
            enrolment=vms.enrolment,
            patch_store=TablePatches(tables),
            policies=policies,
            preview=preview,
            explain=Explain(
                clock=clock,
                vms=vms,
                policies=policies,
                jobs=jobs,
                pauses=pauses,
                outcomes=TableOutcomes(tables),
                preview=preview,
                mode=settings.mode,
                pace=settings.pace,
            ),
            approve=Approve(clock=clock, jobs=jobs),
            status=ReadStatus(
                clock=clock,
                jobs=jobs,
                policies=policies,
                pauses=pauses,
                alerts=TableAlerts(tables),
                mode=settings.mode,
            ),
            pause=PausePolicies(clock=clock, jobs=jobs, policies=policies, pauses=pauses),
            resume=ResumePolicies(clock=clock, jobs=jobs, policies=policies, pauses=pauses),
            skip=SkipVm(clock=clock, jobs=jobs),
            go_ahead=GiveGoAhead(clock=clock, jobs=jobs),
            retry=RetryVm(clock=clock, vms=vms, jobs=jobs),
            calendar=TeamCalendar(clock=clock, jobs=jobs),
        )


def _identity(connection: str) -> Identity:
    return Identity(client_id(os.environ, connection))
