"""What a run of the laptop cloud is judged by, gathered from the outside."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from cli.watch import get_json
from simulator.laptop import LaptopCloud
from simulator.promises import Evidence
from simulator.promises.model import PolicyEdit
from simulator.promises.policies import History
from simulator.promises.reading import read_evidence


def policy_edit(row: Mapping[str, Any], at: datetime) -> PolicyEdit:
    """A row of the policy table, or columns merged into one, as it was written then."""
    columns = dict(row)
    team, name = str(columns.pop("PartitionKey")), str(columns.pop("RowKey"))
    return PolicyEdit(at=at, team=team, name=name, columns=columns)


def first_edits(cloud: LaptopCloud, t0: datetime) -> list[PolicyEdit]:
    """The policies that the scenario begins with."""
    return [policy_edit(row, t0) for row in cloud.scenario.policies]


def gather(cloud: LaptopCloud, t0: datetime, edits: Sequence[PolicyEdit]) -> Evidence:
    """Everything there is to know of the run now."""
    return read_evidence(
        scenario=cloud.scenario,
        t0=t0,
        log=get_json(f"{cloud.arm_url}/_emulator/log"),
        vms=get_json(f"{cloud.arm_url}/_emulator/vms"),
        rows=cloud.outcomes(),
        edits=edits,
        mails=get_json(f"{cloud.mail_url}/mails"),
    )


def unended(
    cloud: LaptopCloud,
    t0: datetime,
    edits: Sequence[PolicyEdit],
    rows: Iterable[Mapping[str, Any]],
) -> frozenset[str]:
    """The VMs that were offered maintenance, that a policy took, and that have no terminal outcome."""
    known = read_evidence(
        scenario=cloud.scenario, t0=t0, log=(), vms=(), rows=(), edits=edits, mails=()
    )
    offered = {window.vm for window in known.windows} & History(known).ever_matched
    return frozenset(offered - {str(row["vmId"]).lower() for row in rows if row["terminal"]})
