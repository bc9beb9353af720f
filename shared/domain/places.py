"""Azure's locations: which regions are paired, and which zones are the same building."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A region as one subscription sees it.

    Attributes:
        subscription_id: `""` where it is not known, and then it is taken to be every one.
        name: As `spelt`.
        pairs: Names of the regions that it lists as its pair; Azure may list none, or one way only.
        zones: Zone number in this subscription → physical zone (`westeurope-az1`).
    """

    subscription_id: str
    name: str
    pairs: frozenset[str] = frozenset()
    zones: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Places:
    """What the locations of all subscriptions say together; make it with `of`."""

    _pairs: Mapping[str, frozenset[str]] = field(default_factory=dict)
    _zones: Mapping[tuple[str, str, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, locations: Iterable[Location]) -> "Places":
        """Merges locations; a pair holds if either side lists the other."""
        pairs: dict[str, set[str]] = defaultdict(set)
        zones: dict[tuple[str, str, str], str] = {}
        for location in locations:
            pairs[location.name] |= location.pairs
            for other in location.pairs:
                pairs[other].add(location.name)
            subscription = location.subscription_id.lower()
            for number, physical in location.zones.items():
                zones[subscription, location.name, number] = physical
        return cls({name: frozenset(others) for name, others in pairs.items()}, zones)

    @property
    def known(self) -> bool:
        """Whether any location is known; without one no pair is, and a plan should say so."""
        return bool(self._pairs)

    def pairs(self, location: str) -> frozenset[str]:
        """The regions paired with a location."""
        return self._pairs.get(spelt(location), frozenset())

    def zone_of(self, subscription_id: str, location: str, zone: str) -> str:
        """The key by which zones are compared; `""` without a zone.

        It names the physical zone where that is known. Numbers of different subscriptions whose
        physical zones are unknown count as different.
        """
        if not zone:
            return ""
        subscription, name = subscription_id.lower(), spelt(location)
        physical = self._zones.get((subscription, name, zone)) or self._zones.get(("", name, zone))
        return f"{name}/{physical}" if physical else f"{subscription}/{name}/{zone}"


def spelt(location: str) -> str:
    """A location's name as it is compared: Azure writes `West Europe` and `westeurope`."""
    return location.lower().replace(" ", "")
