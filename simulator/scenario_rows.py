"""Policy rows of a scenario that name times: written relative to its start, and filled in once that is known.

`{clock +60s}` becomes the minute of that moment on UTC's clock, `14:03`, as windows are written;
`{instant +10s}` the moment itself, `2026-11-25T14:03:10Z`, as freezes are.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from simulator.scenario_model import Edit, Scenario
from simulator.scenario_table import parse_moment, resolve

_PLACE: Final = re.compile(r"\{(clock|instant) ([+-][^}\s]+)\}")
_FORMATS: Final = {"clock": "%H:%M", "instant": "%Y-%m-%dT%H:%M:%SZ"}


def in_time(scenario: Scenario, t0: datetime) -> Scenario:
    """The scenario with the times of its policy rows filled in.

    Raises:
        ValueError: A place holds no moment.
    """
    return replace(
        scenario,
        policies=tuple(_filled(row, t0) for row in scenario.policies),
        edits=tuple(_edit(edit, t0) for edit in scenario.edits),
    )


def _edit(edit: Edit, t0: datetime) -> Edit:
    return edit if edit.policy is None else replace(edit, policy=_filled(edit.policy, t0))


def _filled(row: Mapping[str, Any], t0: datetime) -> Mapping[str, Any]:
    def moment(found: re.Match[str]) -> str:
        return f"{resolve(parse_moment(found[2]), t0).astimezone(UTC):{_FORMATS[found[1]]}}"

    return MappingProxyType(
        {
            name: _PLACE.sub(moment, value) if isinstance(value, str) else value
            for name, value in row.items()
        }
    )
