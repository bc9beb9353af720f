"""The cell of the heartbeat that names the subscriptions which could not be read whole."""

import json
from collections.abc import Mapping
from datetime import datetime
from itertools import islice

from shared.adapters.cells import Cell, cut, read_map, utc, wrong
from shared.domain.heartbeat import Behind

# A cell takes 32,768 characters, and an entry at most 500: an id, a time, a name, the reason's beginning, escaped.
_NAMED_MAX = 64
_REASON_MAX = 140
_NAME_MAX = 64


def _write(_: str, behind: Mapping[str, Behind]) -> str:
    return json.dumps(
        {
            key: [
                cut(one.reason, _REASON_MAX),
                one.since.isoformat() if one.since else "",
                cut(one.name, _NAME_MAX),
            ]
            for key, one in islice(sorted(behind.items()), _NAMED_MAX)
        },
        ensure_ascii=False,
    )


def _read(column: str, value: object) -> Mapping[str, Behind]:
    try:
        return {
            key: Behind(
                reason=str(reason),
                since=utc(column, datetime.fromisoformat(since)) if since else None,
                name=str(name),
            )
            for key, (reason, since, name) in read_map(column, value).items()
        }
    except (ValueError, TypeError):
        expected = 'subscriptions with reason and time, {"ID": ["why", "2026-03-02T12:00:00+00:00", "name"]}'
        raise wrong(column, value, expected) from None


BEHIND = Cell(_write, _read)
