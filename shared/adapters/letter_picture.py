"""A mail's picture: bars along time as table cells with a colour, which every mail program draws.

Most show no SVG, many block images, and Outlook lays out with Word, which knows tables and `bgcolor`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.domain.alert import Span


@dataclass(frozen=True, slots=True)
class Cell:
    """A part of a bar's row: `percent` of its width; `kind` is `away`, `closes`, or `""` for nothing."""

    percent: int
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Bars, and the time that they stand on.

    Attributes:
        rows: (label, cells); the cells of a row are 100 percent.
        closes: Whether the deadline is drawn.
    """

    start: datetime
    end: datetime
    rows: Sequence[tuple[str, Sequence[Cell]]]
    closes: bool


def draw(spans: Sequence[Span], deadline: datetime | None) -> Picture | None:
    """The picture; None where there is nothing to draw. A deadline far off would squeeze the bars, and is left out."""
    if not spans:
        return None
    start, last = min(span.start for span in spans), max(span.end for span in spans)
    near = deadline if deadline and start < deadline < last + (last - start) else None
    end = max(last, near or last)

    def place(at: datetime) -> int:
        return round(100 * ((at - start) / (end - start))) if end > start else 0

    closes = min(place(near), 99) if near else None
    rows = [(span.label, _cells(place(span.start), place(span.end), closes)) for span in spans]
    return Picture(start=start, end=end, rows=rows, closes=near is not None)


def _cells(left: int, right: int, closes: int | None) -> list[Cell]:
    """A bar of one percent or more, and the deadline where it does not lie in the bar."""
    left = min(left, 99)
    marks = [(left, max(right, left + 1), "away")]
    if closes is not None and not left <= closes < marks[0][1]:
        marks.append((closes, closes + 1, "closes"))
    cells, at = [], 0
    for begin, end, kind in sorted(marks):
        cells += [Cell(begin - at), Cell(end - begin, kind)]
        at = end
    return [cell for cell in (*cells, Cell(100 - at)) if cell.percent > 0]
