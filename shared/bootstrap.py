"""The composition root: settings → adapters → use cases, wired once, on first use.

Importing this module touches no environment and no SDK; `services()` does, inside the worker's event loop.
"""

import gc
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module

from shared.domain.mode import Mode
from shared.outside import Outside
from shared.ports import Wake
from shared.settings import Settings, read_settings
from shared.telemetry import configure_logging
from shared.use_cases.announce import Announce
from shared.use_cases.approve import Approve
from shared.use_cases.assess_vm import AssessVm
from shared.use_cases.beat import Beat
from shared.use_cases.discover import Discover
from shared.use_cases.discover_now import DiscoverNow
from shared.use_cases.first_contact import FirstContact
from shared.use_cases.follow_installation import LookAtInstallation
from shared.use_cases.follow_vm import FindOut, LookAt
from shared.use_cases.give_go_ahead import GiveGoAhead
from shared.use_cases.herald import Herald
from shared.use_cases.look import Kept, Look
from shared.use_cases.pause_policies import PausePolicies
from shared.use_cases.redeploy_vm import RedeployVm
from shared.use_cases.report_dead_letter import ReportDeadLetter
from shared.use_cases.report_findings import ReportFindings
from shared.use_cases.report_patches import ReportPatches
from shared.use_cases.report_plan import ReportPlan
from shared.use_cases.resume_policies import ResumePolicies
from shared.use_cases.retry_vm import RetryVm
from shared.use_cases.see_fleet import SeeFleet
from shared.use_cases.send_alerts import SendAlerts
from shared.use_cases.send_events import SendEvents
from shared.use_cases.send_test_mail import SendTestMail
from shared.use_cases.settle import Settle
from shared.use_cases.show import Show
from shared.use_cases.show_patches import ShowPatches
from shared.use_cases.skip_vm import SkipVm
from shared.use_cases.start_vm import StartVm
from shared.use_cases.steps import Steps
from shared.use_cases.sweep import Sweep
from shared.use_cases.take_hint import TakeHint
from shared.use_cases.team_calendar import TeamCalendar
from shared.use_cases.tell import Tell
from shared.use_cases.tell_story import TellStory
from shared.use_cases.watch_patches import WatchPatches

log = logging.getLogger("baton.bootstrap")


def _no_span(_: str) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The use cases, for the triggers.

    Attributes:
        span: Puts what a trigger does into a span of that name, where spans are sent anywhere.
    """

    discover: Discover
    redeploy: RedeployVm
    sweep: Sweep
    watch_patches: WatchPatches
    send_alerts: SendAlerts
    send_events: SendEvents
    report_dead_letter: ReportDeadLetter
    calendar: TeamCalendar
    take_hint: TakeHint
    decode: Callable[[bytes], Wake]
    show: Show
    show_patches: ShowPatches
    tell_story: TellStory
    approve: Approve
    pause: PausePolicies
    resume: ResumePolicies
    skip: SkipVm
    go_ahead: GiveGoAhead
    retry: RetryVm
    discover_now: DiscoverNow
    send_test_mail: SendTestMail
    span: Callable[[str], AbstractContextManager[None]] = _no_span


@cache
def services() -> Services:
    """The app's own, for the life of the process: clients and links stay open between invocations.

    Raises:
        InvalidInput: Settings are bad or missing; all are named.
    """
    configure_logging()
    settings = read_settings()
    # The SDKs cost a second to import: only a process that runs triggers pays for it, not the index.
    from shared.connections import connect  # noqa: PLC0415 - see above

    app = build(settings, connect(settings))
    return replace(app, span=_measured()) if settings.insights else app


def read_ahead() -> None:
    """Imports the SDKs before somebody waits for them; who does meanwhile waits for the one module, and for no half of it."""
    import_module("shared.connections")
    # It stays: no collection looks through it again, which was a twelfth of reading 10,000 jobs.
    gc.freeze()


def _measured() -> Callable[[str], AbstractContextManager[None]]:
    """Sends metrics and spans from now on; where that cannot be, Baton runs without."""
    # A third of a second: not for who sends nothing.
    from shared.adapters.otel import send_to_azure  # noqa: PLC0415 - see above

    try:
        return send_to_azure()
    except Exception:
        log.exception("Nothing is measured", extra={"action": "telemetry_off"})
        return _no_span


def build(settings: Settings, outside: Outside) -> Services:
    """Wires the use cases; tests pass other ports."""
    clock, jobs, bus = outside.clock, outside.jobs, outside.bus
    tell = Tell(
        clock=clock,
        alerts=outside.alerts,
        bus=bus,
        recipients=settings.email_to,
        digest=settings.alert_digest,
    )
    herald = Herald(clock=clock, bus=bus, is_on=outside.outgoing is not None)
    see = SeeFleet(clock=clock, vms=outside.vms, patches=outside.patch_store)
    look = Look(clock=clock, jobs=jobs, policies=outside.policies, pauses=outside.pauses)
    return Services(
        discover=_discover(settings, outside, see, tell, herald),
        redeploy=_redeploy(settings, outside, tell, herald),
        sweep=Sweep(
            clock=clock,
            jobs=jobs,
            pauses=outside.pauses,
            alerts=outside.alerts,
            bus=bus,
            pace=settings.pace,
            mode=settings.mode,
            outbox=outside.outgoing.outbox if outside.outgoing else None,
        ),
        watch_patches=WatchPatches(
            clock=clock,
            policies=outside.policies,
            jobs=jobs,
            vms=outside.vms,
            store=outside.patch_store,
            see=see,
            assess=AssessVm(clock=clock, patches=outside.patches),
            report=ReportPatches(clock=clock, tell=tell),
            acts=settings.mode is Mode.LIVE,
            assess_after=settings.assess_after,
        ),
        send_alerts=SendAlerts(
            clock=clock,
            alerts=outside.alerts,
            bus=bus,
            mailer=outside.mailer,
            letters=outside.letters,
            calendar=TeamCalendar(clock=clock, jobs=jobs),
            digest=settings.alert_digest,
            mode=settings.mode,
        ),
        send_events=SendEvents(clock=clock, bus=bus, tell=tell, outgoing=outside.outgoing),
        report_dead_letter=ReportDeadLetter(
            clock=clock, jobs=jobs, tell=tell, decode=outside.decode
        ),
        calendar=TeamCalendar(clock=clock, jobs=jobs),
        take_hint=TakeHint(clock=clock, bus=bus),
        decode=outside.decode,
        show=Show(
            clock=clock,
            look=look,
            alerts=outside.alerts,
            mode=settings.mode,
            mails=outside.mailer is not None,
        ),
        show_patches=ShowPatches(records=Kept(clock, outside.patch_store.records)),
        tell_story=TellStory(
            clock=clock,
            look=look,
            jobs=jobs,
            outcomes=outside.outcomes,
            alerts=outside.alerts,
            patches=outside.patch_store,
            mode=settings.mode,
            pace=settings.pace,
        ),
        approve=Approve(clock=clock, jobs=jobs),
        pause=PausePolicies(
            clock=clock, jobs=jobs, policies=outside.policies, pauses=outside.pauses
        ),
        resume=ResumePolicies(
            clock=clock, jobs=jobs, policies=outside.policies, pauses=outside.pauses
        ),
        skip=SkipVm(clock=clock, jobs=jobs),
        go_ahead=GiveGoAhead(clock=clock, jobs=jobs, bus=bus),
        retry=RetryVm(clock=clock, vms=outside.vms, jobs=jobs),
        discover_now=DiscoverNow(clock=clock, bus=bus),
        send_test_mail=SendTestMail(clock=clock, tell=tell, mails=outside.mailer is not None),
    )


def _discover(
    settings: Settings, outside: Outside, see: SeeFleet, tell: Tell, herald: Herald
) -> Discover:
    clock = outside.clock
    return Discover(
        clock=clock,
        policies=outside.policies,
        jobs=outside.jobs,
        alerts=outside.alerts,
        bus=outside.bus,
        see=see,
        report=ReportFindings(clock=clock, policies=outside.policies, tell=tell),
        report_plan=ReportPlan(clock=clock, alerts=outside.alerts, tell=tell),
        announce=Announce(clock=clock, tell=tell),
        first_contact=FirstContact(
            clock=clock, alerts=outside.alerts, tell=tell, mode=settings.mode
        ),
        beat=Beat(alerts=outside.alerts, tell=tell),
        herald=herald,
        mode=settings.mode,
    )


def _redeploy(settings: Settings, outside: Outside, tell: Tell, herald: Herald) -> RedeployVm:
    clock, jobs, bus = outside.clock, outside.jobs, outside.bus
    settle = Settle(
        clock=clock, jobs=jobs, outcomes=outside.outcomes, bus=bus, tell=tell, herald=herald
    )
    steps = Steps(
        clock=clock,
        vms=outside.vms,
        patches=outside.patches,
        jobs=jobs,
        bus=bus,
        settle=settle,
        pace=settings.pace,
    )
    return RedeployVm(
        steps=steps,
        start=StartVm(
            steps=steps,
            policies=outside.policies,
            pauses=outside.pauses,
            mode=settings.mode,
            jitter=outside.jitter,
        ),
        find_out=FindOut(steps=steps),
        look_at=LookAt(steps=steps, jitter=outside.jitter),
        look_at_installation=LookAtInstallation(steps=steps),
    )
