"""ARM's JSON of locations → the domain. An unusable value is unknown: no VM is lost for it."""

import re
from collections.abc import Mapping
from typing import Any

from shared.adapters.arm_fields import word
from shared.domain.errors import InvalidInput, Problem
from shared.domain.places import Location, spelt

_LOCATION_ID = re.compile(r"/subscriptions/([^/]+)/locations/[^/]+/?", re.IGNORECASE)


def location_of(item: object, subscription_id: str) -> Location | None:
    """A region as a subscription sees it; None for one without a name."""
    name = spelt(word(item, "name"))
    if not name:
        return None
    metadata = item.get("metadata") if isinstance(item, Mapping) else None
    pairs = {spelt(word(pair, "name")) for pair in _array(metadata, "pairedRegion")}
    zones = {
        word(zone, "logicalZone"): word(zone, "physicalZone")
        for zone in _array(item, "availabilityZoneMappings")
    }
    return Location(
        subscription_id=subscription_id,
        name=name,
        pairs=frozenset(pairs - {""}),
        zones={number: physical for number, physical in zones.items() if number and physical},
    )


def locations_of(value: object) -> tuple[Location, ...]:
    """The locations in a file: ARM's answer to "list locations", or that answer's list alone.

    Each belongs to the subscription in its `id`, and one without an id to all of them.

    Raises:
        InvalidInput: It is no such file, or some items lack a name or have another id; all are named.
    """
    items = value.get("value") if isinstance(value, Mapping) else value
    if not isinstance(items, list):
        expected = 'a list of locations as ARM gives it, {"value": [...]} or [...]'
        raise InvalidInput("locations", (Problem("(the file)", str(value), expected),))
    found, problems = [], []
    for number, item in enumerate(items):
        identity = _LOCATION_ID.fullmatch(word(item, "id"))
        location = location_of(item, identity[1] if identity else "")
        if identity is None and word(item, "id"):
            expected = "/subscriptions/ID/locations/NAME"
            problems.append(Problem(f"value[{number}].id", word(item, "id"), expected))
        elif location is None:
            expected = "a location's name, such as westeurope"
            problems.append(Problem(f"value[{number}].name", "", expected))
        else:
            found.append(location)
    if problems:
        raise InvalidInput("locations", tuple(problems))
    return tuple(found)


def _array(item: object, name: str) -> list[Any]:
    """The array by a name; empty where it, or the item, is something else."""
    found = item.get(name) if isinstance(item, Mapping) else None
    return found if isinstance(found, list) else []
