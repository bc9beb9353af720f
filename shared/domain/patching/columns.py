"""The cells of a policy row that are about patching."""

import re
from enum import StrEnum

from shared.domain.errors import InvalidInput, Problem
from shared.domain.patching.results import Classification, classification_of

# A request with more names no month's patches, and the row's cell is for people to read.
_KBS_MAX = 100


class Patching(StrEnum):
    """The column `patching`: what Baton does about a VM's patches."""

    NONE = "none"
    OBSERVE = "observe"
    INSTALL = "install"


def read_classifications(column: str, value: object) -> tuple[str, ...]:
    """Azure's classifications separated by commas or semicolons, in the order of the request's enum.

    Raises:
        InvalidInput: One of them is none of Azure's.
    """
    given = {classification_of(part): part for part in _parts(value)}
    wrong = [part for word, part in given.items() if word not in set(Classification)]
    if wrong or not given:
        expected = f"any of {', '.join(Classification)}"
        shown = wrong or [str(value)]
        raise InvalidInput(column, tuple(Problem(column, part, expected) for part in shown))
    return tuple(str(one) for one in Classification if one in given)


def read_kbs(column: str, value: object) -> tuple[str, ...]:
    """KB numbers, `KB5034129` or `5034129`, separated by commas or semicolons; digits alone, sorted.

    Raises:
        InvalidInput: One of them is no such number, or there are more than 100.
    """
    parts = _parts(value)
    if len(parts) > _KBS_MAX:
        problem = Problem(column, f"{len(parts)} KB numbers", f"at most {_KBS_MAX} KB numbers")
        raise InvalidInput(column, (problem,))
    found = {
        part: re.fullmatch(r"(?:KB)?\s*([0-9]{5,8})", part, re.IGNORECASE | re.ASCII)
        for part in parts
    }
    wrong = [part for part, match in found.items() if match is None]
    if wrong or not parts:
        expected = "KB numbers separated by commas, such as KB5034129"
        shown = wrong or [str(value)]
        raise InvalidInput(column, tuple(Problem(column, part, expected) for part in shown))
    return tuple(sorted({match[1] for match in found.values() if match}))


def _parts(value: object) -> list[str]:
    return [part.strip() for part in re.split(r"[,;]", str(value)) if part.strip()]
