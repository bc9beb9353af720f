"""Settings → the real adapters.

Importing this costs the second that the SDKs take, so the composition root does it on first use.
"""

import os
import random
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from shared.adapters.arm import connect_arm
from shared.adapters.credentials import Identity, client_id
from shared.adapters.letters import write_mail
from shared.adapters.messages import decode
from shared.adapters.service_bus import connect_bus
from shared.adapters.smtp import Smtp, connect_smtp
from shared.adapters.system_clock import SystemClock
from shared.adapters.table_alerts import TableAlerts
from shared.adapters.table_jobs import TableJobs
from shared.adapters.table_outbox import TableOutbox
from shared.adapters.table_outcomes import TableOutcomes
from shared.adapters.table_patches import TablePatches
from shared.adapters.table_pauses import TablePauses
from shared.adapters.table_policies import TablePolicies
from shared.adapters.tables import connect_tables
from shared.outside import Outside
from shared.ports import Clock
from shared.settings import Settings
from shared.use_cases.send_events import Outgoing

if TYPE_CHECKING:
    from shared.adapters.acs import Acs
    from shared.adapters.cloud_events import CloudEvents


def connect(settings: Settings) -> Outside:
    """The real adapters; they open their connections on first use."""

    def identity(setting: str) -> Identity:
        return Identity(client_id(os.environ, setting))

    clock = SystemClock()
    tables = connect_tables(
        settings.tables, settings.tables_endpoint, identity("BATON_TABLES"), settings.table_prefix
    )
    arm = connect_arm(
        settings.arm_url,
        settings.arm_token or identity("BATON_ARM"),
        settings.subscriptions,
        clock=clock,
    )
    receiver = connect_receiver(settings, clock, identity)
    return Outside(
        clock=clock,
        vms=arm,
        patches=arm.patches,
        policies=TablePolicies(tables),
        jobs=TableJobs(tables, keeps_events=bool(settings.events_url)),
        pauses=TablePauses(tables),
        outcomes=TableOutcomes(tables),
        alerts=TableAlerts(tables),
        patch_store=TablePatches(tables),
        bus=connect_bus(
            settings.bus,
            settings.bus_namespace,
            identity("BATON_BUS"),
            jobs_queue=settings.jobs_queue,
            alerts_queue=settings.alerts_queue,
        ),
        mailer=connect_mailer(settings, clock, identity),
        outgoing=Outgoing(outbox=TableOutbox(tables), receiver=receiver) if receiver else None,
        letters=partial(write_mail, page=settings.page_url),
        decode=decode,
        jitter=random.random,
    )


def connect_mailer(
    settings: Settings, clock: Clock, identity: Callable[[str], Identity]
) -> "Acs | Smtp | None":
    """The mail service of the settings; None where there is none. An SDK is imported only where that one needs it.

    Args:
        settings: The app's.
        clock: For how long the service is left alone where it asks for that.
        identity: A connection's name → the identity for it.
    """
    if not settings.email_url:
        return None
    if settings.email_url.startswith("acs:"):
        from shared.adapters.acs import connect_acs  # noqa: PLC0415 - see the docstring

        sender, email = settings.email_from, identity("BATON_EMAIL")
        return connect_acs(settings.email_url, sender, email, clock=clock)
    return connect_smtp(settings.email_url, settings.email_from)


def connect_receiver(
    settings: Settings, clock: Clock, identity: Callable[[str], Identity]
) -> "CloudEvents | None":
    """Where the settings have lifecycle events sent; None where nowhere.

    Args:
        settings: The app's.
        clock: For signatures, and for how long the receiver asks to be left alone.
        identity: A connection's name → the identity for it.
    """
    if not settings.events_url:
        return None
    from shared.adapters.cloud_events import connect_events  # noqa: PLC0415 - see the docstring

    events = identity("BATON_EVENTS")
    return connect_events(settings.events_url, settings.events_secret, events, clock=clock)
