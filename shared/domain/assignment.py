"""Which policy a VM follows: of those that want it, the one with the lowest priority number."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from shared.domain.ledger import PolicyKey
from shared.domain.maintenance import Vm
from shared.domain.policy import Policy, Standing
from shared.domain.selector import Selector, Term


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Which policy a VM follows, or why none.

    Attributes:
        tied: The rows that tie for it, if any.
        held_by: The wrong row that keeps it, if any.
    """

    policy: Policy | None
    reason: str = ""
    tied: tuple[PolicyKey, ...] = ()
    held_by: PolicyKey | None = None


class Assigner:
    """Assigns VMs to policies; asks only those policies of whose `match` a term may fit the VM."""

    def __init__(self, standings: Iterable[Standing]) -> None:
        """Every policy row as it counts now."""
        self._anywhere: list[Standing] = []
        self._by_prefix: dict[tuple[str, str], dict[str, list[Standing]]] = {}
        for standing in sorted(standings, key=_order):
            term = _telling(standing.match)
            if term is None:
                self._anywhere.append(standing)
                continue
            index = self._by_prefix.setdefault((term.key, term.tag), defaultdict(list))
            for prefix in dict.fromkeys(term.prefixes):
                index[prefix].append(standing)
        self._lengths = {
            kind: sorted({len(prefix) for prefix in index})
            for kind, index in self._by_prefix.items()
        }

    def __call__(self, vm: Vm) -> Assignment:
        """The VM's policy, or why it has none."""
        found: list[Standing] = []
        for standing in self._candidates(vm):
            if found and standing.priority > found[0].priority:
                break
            if standing not in found and standing.takes(vm):
                found.append(standing)
        return _assignment(found)

    def wanting(self, vm: Vm) -> list[Standing]:
        """Every policy that by itself wants the VM, the lowest priority number first."""
        found = {standing.key: standing for standing in self._candidates(vm)}
        return [standing for standing in found.values() if standing.takes(vm)]

    def _candidates(self, vm: Vm) -> list[Standing]:
        """Every policy that may want the VM, the lowest priority number first."""
        found: list[Standing] = []
        for kind, index in self._by_prefix.items():
            for value in _values(vm, *kind):
                if value.isascii():
                    for length in self._lengths[kind]:
                        found += index.get(value[:length], ())
                else:  # where upper and lower case are no simple matter, the selector itself decides
                    found += [standing for held in index.values() for standing in held]
        if not found:
            return self._anywhere
        return sorted([*found, *self._anywhere], key=_order)


def _order(standing: Standing) -> tuple[int, PolicyKey]:
    return standing.priority, standing.key


def _assignment(found: list[Standing]) -> Assignment:
    if not found:
        return Assignment(policy=None, reason="no enabled policy matches it")
    if len(found) > 1:
        names = " and ".join("/".join(standing.key) for standing in found)
        reason = (
            f"policies {names} both match it with priority {found[0].priority}; "
            "give one a lower number"
        )
        return Assignment(
            policy=None, reason=reason, tied=tuple(standing.key for standing in found)
        )
    if found[0].policy is None:
        name = "/".join(found[0].key)
        reason = f"policy {name} matches it, but the row is wrong and never was right"
        return Assignment(policy=None, reason=reason, held_by=found[0].key)
    return Assignment(policy=found[0].policy)


def _telling(match: Selector | None) -> Term | None:
    """The term by whose prefixes the policy is looked up; None where it has to be asked each time."""
    terms = [
        term
        for term in (match.terms if match else ())
        if not term.negated and term.prefixes and all(term.prefixes)
    ]
    return max(terms, key=lambda term: min(map(len, term.prefixes)), default=None)


def _values(vm: Vm, key: str, tag: str) -> Iterator[str]:
    """The VM's values that a term of this kind looks at, lower-cased."""
    match key:
        case "name":
            yield vm.name.lower()
        case "vmss":
            yield vm.scale_set_name
        case "rg":
            yield vm.resource_group.lower()
        case "sub":
            yield vm.subscription_id.lower()
        case "location":
            yield vm.location.replace(" ", "").lower()
        case "zone":
            yield vm.zone
        case _:
            for name, value in vm.tags.items():
                if not tag:
                    yield name.lower()
                elif name.lower() == tag:
                    yield value.lower()
