"""What a figure should be: beside each line of a benchmark, whether it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Line = Mapping[str, Any]
"""What a benchmark found: `bench`, what it was about, and figures."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What a figure should be.

    Attributes:
        says: For people: `< 0.5`.
        is_met: Whether a figure is so.
    """

    says: str
    is_met: Callable[[float], bool]


def below(bound: float) -> Aim:
    """Less than that."""
    return Aim(f"< {bound:g}", lambda figure: figure < bound)


def at_most(bound: float) -> Aim:
    """That or less."""
    return Aim(f"<= {bound:g}", lambda figure: figure <= bound)


def at_least(bound: float) -> Aim:
    """That or more."""
    return Aim(f">= {bound:g}", lambda figure: figure >= bound)


def aimed(line: Line, **aims: Aim) -> Line:
    """The line, with what each figure of these names should be and whether it is."""
    told = {name: {"aim": aim.says, "met": aim.is_met(line[name])} for name, aim in aims.items()}
    return {**line, "aims": told}
