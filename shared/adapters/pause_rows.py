"""Pause ⇄ entity of table `BatonPauses`."""

from collections.abc import Mapping

from shared.adapters.cells import SENTENCE, TEXT, TIME, Column, Shape, key, wrong
from shared.adapters.writes import Write, check_version, versioned, write_of
from shared.domain.errors import InvalidInput
from shared.domain.pause import Pause

PAUSES = "pauses"
"""The one partition of the table."""

_PAUSE = Shape(
    Pause,
    (
        Column("team", "team", TEXT),
        Column("policy", "policy", TEXT),
        Column("by", "by", TEXT),
        Column("at", "at", TIME),
        Column("reason", "reason", SENTENCE),
        Column("resumedBy", "resumed_by", TEXT),
        Column("resumedAt", "resumed_at", TIME),
    ),
)


def pause_write(pause: Pause) -> Write:
    """The write of a pause's row.

    Raises:
        InvalidInput: A name or a text that no table takes.
    """
    row_key = key("RowKey", f"{pause.team}|{pause.policy}")
    return write_of(versioned(PAUSES, row_key) | _PAUSE.write(pause), pause.etag)


def pause_of_row(entity: Mapping[str, object], etag: str) -> Pause:
    """A pause from its row. One that cannot be read holds what its key names: nobody knows that it does not."""
    team, _, policy = str(entity["RowKey"]).partition("|")
    try:
        check_version(entity)
        cells = _PAUSE.read(entity)
        if (cells["team"], cells["policy"]) != (team, policy):
            raise wrong("RowKey", entity["RowKey"], "its team and policy, as its columns say")
        if "at" not in cells:
            raise wrong("at", "", "when it was paused")
    except InvalidInput as unreadable:
        reason = f"its row of the pauses table cannot be read; mend it or resume: {unreadable}"
        return Pause(team=team, policy=policy, by="somebody", at=None, reason=reason, etag=etag)
    return Pause(**cells, etag=etag)
