"""The facts of a simulation as the demo's own judge takes them."""

from datetime import timedelta
from typing import Any

from cli.simulation.azure import Azure
from cli.simulation.relay import Relay
from cli.simulation.setup import Setup
from cli.simulation.tables import Account
from simulator.promises import Evidence
from simulator.promises.model import PolicyEdit
from simulator.promises.reading import read_evidence


def evidence_of(setup: Setup, azure: Azure, account: Account, relay: Relay) -> Evidence:
    """What Resource Manager, the tables, the people and the mail relay saw."""
    shown: list[dict[str, Any]] = []
    for key, record in azure.cloud.vms.items():
        maintenance = record.state.maintenance
        code, message = (maintenance.code, maintenance.message) if maintenance else ("None", None)
        shown.append({"id": key, "code": code, "message": message})
    return read_evidence(
        scenario=setup.scenario,
        t0=setup.t0,
        log=azure.journal.since(0),
        vms=shown,
        rows=account.all("BatonOutcomes"),
        edits=[
            PolicyEdit(
                at=setup.t0 + write.at,
                team=write.team,
                name=write.name,
                columns=write.columns or {},
            )
            for write in setup.policies
        ],
        mails=[
            {"messageId": mail.id, "subject": mail.subject, "text": mail.text}
            for mail in relay.mails
        ],
    )


def is_still(setup: Setup) -> bool:
    """Whether the judge needs no grace: nobody edits anything, every clock is right, every VM runs.

    It takes a VM that was stopped before for away until its agent reports.
    """
    edits = [write for write in setup.policies if write.at > timedelta(0)]
    running = all(vm.power == "running" for vm in setup.scenario.vms)
    is_edited = bool(edits or setup.scenario.edits or setup.modes or setup.approvals or setup.asks)
    return running and setup.level.skew_seconds == 0 and not is_edited
