"""A picture as one HTML page that needs nothing else: SVG, CSS, and the same as a table."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import jinja2

from cli.axis import Axis, axis_of
from cli.picture import Bar, Lane, Picture, by_reason, moment
from shared.domain.durations import format_duration
from shared.domain.intervals import Interval

_TEMPLATES = Path(__file__).parent / "templates"
# Up to so many VMs of a policy stand each in a row of its own; of more, stages are folded.
_UNFOLDED = 40
_FOLDED_STAGE = 12
_ROW = 20
_DEADLINES_MOST = 3


class _Zones(NamedTuple):
    """A policy's own zone, in which times are told, and the axis's, in which they are drawn."""

    own: tzinfo
    axis: tzinfo


def page(picture: Picture) -> str:
    """The HTML page."""
    lanes = [lane for lane in picture.lanes if lane.bars]
    zones = {lane.zone for lane in lanes}
    zone_name = zones.pop() if len(zones) == 1 else "UTC"
    zone = ZoneInfo(zone_name)
    axis = axis_of(list(chain.from_iterable(map(_busy, lanes)))) if lanes else None
    return _template().render(
        picture=picture,
        summary=_summary(picture, zone, zone_name),
        unplaced=by_reason(picture.unplaced),
        unmatched=by_reason(picture.unmatched),
        findings=by_reason(picture.findings),
        axis=axis and _axis_view(axis, zone, zone_name, picture.now),
        lanes=[_lane_view(lane, axis, zone) for lane in lanes if axis],
        row=_ROW,
        names=_names_width(lanes),
    )


def _busy(lane: Lane) -> list[Interval]:
    """What the axis must show of a lane: its bars, and its deadlines as far as they are few."""
    closes = sorted({bar.closes for bar in lane.bars if bar.closes})
    shown = closes if len(closes) <= _DEADLINES_MOST else closes[:1]
    shortest = min(bar.end - bar.start for bar in lane.bars)
    return [(bar.start, bar.end) for bar in lane.bars] + [(at - shortest, at) for at in shown]


def _names_width(lanes: Iterable[Lane]) -> int:
    """Room for the longest name, within reason."""
    longest = max((len(bar.vm) for lane in lanes for bar in lane.bars), default=0)
    return round(min(max(longest * 7.2 + 44, 150), 300))


def _summary(picture: Picture, zone: tzinfo, zone_name: str) -> str:
    bars = [bar for lane in picture.lanes for bar in lane.bars]
    total = len(bars) + len(picture.unplaced)
    if not bars:
        return f"No VM has a start, of {_count(total, 'VM')} with a policy."
    first, last = min(bar.start for bar in bars), max(bar.end for bar in bars)
    placed = f"all {total}" if len(bars) == total else f"{len(bars)} of {total}"
    return (
        f"{placed[:1].upper()}{placed[1:]} VMs have a start: the first goes {moment(first, zone)}, the last "
        f"is back {moment(last, zone)} ({zone_name}), {format_duration(last - first)} in all."
    )


def _axis_view(axis: Axis, zone: tzinfo, zone_name: str, now: datetime) -> dict[str, Any]:
    cuts = [stretch for stretch in axis.stretches if stretch.is_cut]
    return {
        "width": round(axis.width),
        "zone": zone_name,
        "hours": axis.hours(zone),
        "days": axis.days(zone),
        "cuts": [
            {"x": cut.left, "width": cut.width, "label": _short(cut.end - cut.start)}
            for cut in cuts
        ],
        "now": axis.x(now) if axis.holds(now) else None,
    }


def _short(duration: Any) -> str:
    """Its largest unit."""
    return format_duration(duration).split()[0]


def _lane_view(lane: Lane, axis: Axis, axis_zone: tzinfo) -> dict[str, Any]:
    zones = _Zones(own=ZoneInfo(lane.zone), axis=axis_zone)
    stages: dict[int, list[Bar]] = defaultdict(list)
    for bar in sorted(lane.bars, key=lambda bar: (bar.stage, bar.start, bar.vm)):
        stages[bar.stage].append(bar)
    fold = len(lane.bars) > _UNFOLDED
    return {
        "name": lane.name,
        "zone": lane.zone,
        "facts": [_count(len(lane.bars), "VM"), *lane.facts],
        "windows": None if lane.windows is None else list(axis.clipped(lane.windows)),
        "freezes": list(axis.clipped(lane.freezes)),
        "stages": [
            _stage_view(number, bars, axis, zones)
            | {"open": not (fold and len(bars) > _FOLDED_STAGE)}
            for number, bars in stages.items()
        ],
    }


def _stage_view(number: int, bars: Sequence[Bar], axis: Axis, zones: _Zones) -> dict[str, Any]:
    first, last = min(bar.start for bar in bars), max(bar.end for bar in bars)
    tracks = _tracks(bars)
    height = (_ROW - 6) / (max(tracks) + 1)
    views = [_bar_view(bar, axis, zones) for bar in bars]
    for view, track in zip(views, tracks, strict=True):
        view |= {"packed_y": 3 + track * height, "packed_height": max(height - 1, 1)}
    return {
        "number": number,
        "count": _count(len(bars), "VM"),
        "from": moment(first, zones.own),
        "to": moment(last, zones.own),
        "x": axis.x(first),
        "width": axis.x(last) - axis.x(first),
        "height": len(bars) * _ROW,
        "bars": views,
    }


def _bar_view(bar: Bar, axis: Axis, zones: _Zones) -> dict[str, Any]:
    zone = zones.own
    left, right = axis.x(bar.start), axis.x(bar.end)
    start, end = bar.start.astimezone(zone), bar.end.astimezone(zone)
    return {
        "vm": bar.vm,
        "vm_id": bar.vm_id,
        "state": bar.state,
        "note": bar.note,
        "x": left,
        "width": max(right - left, 2),
        "label": f"{bar.start.astimezone(zones.axis):%H:%M}",
        "label_left": right > axis.width - 60,
        "closes": axis.x(bar.closes) if bar.closes and axis.holds(bar.closes) else None,
        "start": moment(bar.start, zone),
        "end": f"{end:%H:%M}" if start.date() == end.date() else moment(bar.end, zone),
        "utc": f"{bar.start.astimezone(UTC):%Y-%m-%d %H:%M}",
        "until": moment(bar.closes, zone) if bar.closes else "",
    }


def _tracks(bars: Sequence[Bar]) -> list[int]:
    """The lowest line on which each bar, in order of their starts, overlaps none before it."""
    free: list[datetime] = []
    found = []
    for bar in bars:
        track = next((n for n, at in enumerate(free) if at <= bar.start), len(free))
        free[track : track + 1] = [bar.end]
        found.append(track)
    return found


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["px"] = lambda value: f"{value:.1f}".removesuffix(".0")
    return environment.get_template("plan.html.j2")
