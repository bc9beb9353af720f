"""Cells that hold several values separated by `;`, such as `windows` and `freezes`."""

from collections.abc import Callable
from typing import TypeVar

from shared.domain.errors import InvalidInput, Problem

_PARTS_MAX = 100

_T = TypeVar("_T")


def read_parts(
    text: str, read: Callable[[str], _T], *, field: str, expected: str
) -> tuple[_T, ...]:
    """Reads each part; empty ones are left out.

    Args:
        text: The whole cell.
        read: Reads one part, or raises InvalidInput.
        field: What to name in an error.
        expected: What the cell should hold, with an example.

    Raises:
        InvalidInput: There is no part, or more than 100; or with the problems of every part.
    """
    parts = [part.strip() for part in text.split(";") if part.strip()]
    if not 0 < len(parts) <= _PARTS_MAX:
        problem = Problem(field, text, f"1 to {_PARTS_MAX} parts separated by ';': {expected}")
        raise InvalidInput(field, (problem,))
    values: list[_T] = []
    problems: list[Problem] = []
    for part in parts:
        try:
            values.append(read(part))
        except InvalidInput as wrong:
            problems += wrong.problems
    if problems:
        raise InvalidInput(field, tuple(problems))
    return tuple(values)
