"""The rows of `BatonAlerts`: alerts, the last heartbeat, and the VMs that no policy matches."""

import hashlib
from collections.abc import Iterable, Mapping

from shared.adapters.cells import Entity, key
from shared.adapters.columns import ALERT, HEARTBEAT, LEFT_ALONE
from shared.adapters.writes import Write, check_version, fitted, versioned, write_of
from shared.domain.alert import Alert
from shared.domain.heartbeat import Heartbeat, LeftAlone

ALERTS = "alerts"
HEARTBEAT_KEY = ("heartbeat", "discovery")
ALONE = "leftAlone"


def alert_row(alert: Alert) -> Entity:
    """An alert as an entity."""
    return versioned(ALERTS, key("RowKey", alert.id)) | ALERT.write(alert)


def alert_of(entity: Mapping[str, object], etag: str) -> Alert:
    """An alert from its entity.

    Raises:
        InvalidInput: It was made by a later version, or a column is missing or holds something else; names
            the column.
    """
    check_version(entity)
    return Alert(id=str(entity["RowKey"]), **ALERT.read(entity), etag=etag)


def alert_writes(alerts: Iterable[Alert]) -> list[Write]:
    """The rows of one transaction, which replaces alerts.

    Raises:
        ValueError: More than 100 alerts, one twice, or one that was never read.
    """
    writes = [write_of(alert_row(alert), alert.etag) for alert in alerts]
    unread = [write.row_key for write in writes if not write.etag]
    if unread:
        raise ValueError(f"alerts without an ETag cannot be replaced: {unread}")
    return fitted(writes)


def heartbeat_row(heartbeat: Heartbeat) -> Entity:
    """A heartbeat as an entity."""
    return versioned(*HEARTBEAT_KEY) | HEARTBEAT.write(heartbeat)


def heartbeat_of(entity: Mapping[str, object], _: str = "") -> Heartbeat:
    """A heartbeat from its entity.

    Raises:
        InvalidInput: As `alert_of`.
    """
    check_version(entity)
    return Heartbeat(**HEARTBEAT.read(entity))


def left_alone_row(vm: LeftAlone) -> Entity:
    """A VM without a policy as an entity; its key is a hash, since no key may hold an ARM id."""
    digest = hashlib.sha256(vm.vm_id.lower().encode()).hexdigest()[:24]
    return versioned(ALONE, digest) | LEFT_ALONE.write(vm)


def left_alone_of(entity: Mapping[str, object], _: str = "") -> LeftAlone:
    """A VM without a policy from its entity.

    Raises:
        InvalidInput: As `alert_of`.
    """
    check_version(entity)
    return LeftAlone(**LEFT_ALONE.read(entity))
