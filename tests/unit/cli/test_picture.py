"""The picture of a plan: one page that needs nothing else, and shows every VM."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from itertools import pairwise

from cli.page import page
from cli.picture import Bar, Lane, Left, Picture

NOW = datetime(2026, 12, 1, 18, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
_VOID = {"meta", "br", "input", "img", "hr", "link"}


class Parsed(HTMLParser):
    """A page's elements and its text; refuses one whose tags do not close."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def of(self, tag: str, css: str = "") -> list[dict[str, str | None]]:
        return [
            attrs
            for name, attrs in self.elements
            if name == tag and (not css or css in str(attrs.get("class", "")).split())
        ]


def a_bar(number: int = 0, **other) -> Bar:
    start = NOW + (3 + number) * HOUR
    defaults = {
        "vm": f"vm-{number:03}",
        "vm_id": f"/subscriptions/s/vm-{number:03}",
        "stage": 1,
        "start": start,
        "end": start + HOUR / 2,
        "closes": NOW + 72 * HOUR,
    }
    return Bar(**(defaults | other))


def a_picture(*bars: Bar, **other) -> Picture:
    lane = Lane(name="shop/tiers", bars=bars, **other.pop("lane", {}))
    return Picture(title="Plan", now=NOW, lanes=(lane,), **other)


def texts(html: str) -> str:
    """What a reader reads."""
    return " ".join(Parsed(re.sub(r"(?s)<style>.*?</style>", "", html)).text.split())


def svg_texts(html: str) -> list[str]:
    """What is written beside the bars and on the axis."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", html)


def test_the_page_needs_nothing_else_and_runs_nothing():
    html = page(a_picture(a_bar()))

    assert not re.search(r"https?:|src=|@import|url\((?!#)|<script|<link", html)
    assert all(str(attrs["href"]).startswith("#") for attrs in Parsed(html).of("use"))


def test_every_vm_has_a_bar_a_name_and_a_line_in_the_table():
    html = page(a_picture(*(a_bar(n, stage=1 + n % 3) for n in range(12))))
    found = Parsed(html)

    assert len(found.of("li")) == 12
    assert len([1 for attrs in found.of("rect", "bar") if attrs.get("rx")]) == 12 + 1  # and the key
    assert len([1 for attrs in found.of("th") if attrs.get("scope") == "row"]) == 12


def test_what_people_and_azure_wrote_is_text_and_never_markup():
    evil = "<img src=x onerror=alert(1)>&\"'"
    html = page(
        a_picture(
            a_bar(vm=evil, vm_id=evil, note=evil, state=evil),
            unplaced=(Left(vm=evil, vm_id=evil, reason=evil, policy=evil),),
            unmatched=(Left(vm=evil, vm_id=evil, reason=evil),),
            errors=(evil,),
            notes=(evil,),
            lane={"facts": (evil,)},
        )
    )

    assert Parsed(html).of("img") == []
    assert Parsed(html).text.count(evil) >= 9


def test_bars_lie_where_their_times_are_and_inside_the_drawing():
    html = page(a_picture(*(a_bar(n) for n in range(30))))
    found = Parsed(html)
    width = max(float(attrs["width"]) for attrs in found.of("svg") if "width" in attrs)
    lefts = [
        float(attrs["x"]) for attrs in found.of("rect", "bar") if "rx" in attrs and "x" in attrs
    ]

    assert lefts == sorted(lefts)
    assert len({round(b - a, 0) for a, b in pairwise(lefts)}) == 1
    assert 0 <= lefts[0] < lefts[-1] < width


def test_vms_without_a_start_come_first_with_their_reasons():
    left = Left(vm="db-9", vm_id="/db-9", reason="its window closes first", policy="shop/tiers")
    html = page(a_picture(a_bar(), unplaced=(left,)))

    assert "shop/tiers db-9: its window closes first" in texts(html)
    assert html.index("db-9") < html.index('class="chart"')
    assert "1 of 2 VMs have a start" in texts(html)


def test_many_vms_with_one_reason_are_one_line():
    lost = tuple(Left(vm=f"lab-{n}", vm_id="", reason="no policy matches it") for n in range(50))
    html = page(a_picture(a_bar(), unmatched=lost))

    assert texts(html).count("no policy matches it") == 1
    assert "50 VMs: no policy matches it" in texts(html)
    assert "lab-49" in html


def test_windows_are_open_freezes_are_hatched_and_deadlines_marked():
    shut = page(a_picture(a_bar(), lane={"windows": ((NOW + 2 * HOUR, NOW + 9 * HOUR),)}))
    frozen = page(a_picture(a_bar(), lane={"freezes": ((NOW + 3 * HOUR, NOW + 4 * HOUR),)}))

    assert len(Parsed(shut).of("rect", "open")) == 1
    assert "freeze" not in texts(shut)
    assert "freeze" in texts(frozen)
    assert [attrs for attrs in Parsed(frozen).of("rect") if attrs.get("fill") == "url(#hatch)"]
    assert len(Parsed(shut).of("path", "closes")) == 1 + 1  # and the key


def test_a_policy_of_few_vms_is_unfolded_and_one_of_many_is_folded():
    few = Parsed(page(a_picture(*(a_bar(n) for n in range(40)))))
    many = Parsed(page(a_picture(*(a_bar(n, stage=1 + n // 250) for n in range(256)))))

    assert ["open" in attrs for attrs in few.of("details")] == [True, True]
    assert ["open" in attrs for attrs in many.of("details")] == [False, True, True]


def test_vms_that_are_away_together_stand_on_lines_of_their_own_where_they_are_folded():
    start = NOW + HOUR
    bars = [a_bar(n, start=start, end=start + HOUR) for n in range(3)]
    found = Parsed(page(a_picture(*bars, a_bar(3, start=start + HOUR, end=start + 2 * HOUR))))

    packed = [attrs["y"] for attrs in found.of("rect", "bar") if "y" in attrs and "rx" not in attrs]
    assert sorted(Counter(packed).values()) == [1, 1, 2]


def test_times_are_local_where_all_policies_share_a_zone_and_utc_where_not():
    amsterdam = Lane(name="a/x", bars=(a_bar(),), zone="Europe/Amsterdam")
    tokyo = Lane(name="b/y", bars=(a_bar(),), zone="Asia/Tokyo")

    one = texts(page(Picture(title="Plan", now=NOW, lanes=(amsterdam,))))
    two = texts(page(Picture(title="Plan", now=NOW, lanes=(amsterdam, tokyo))))

    assert "the first goes Tue 1 Dec 22:00" in one
    assert "(Europe/Amsterdam)" in one
    assert "the first goes Tue 1 Dec 21:00" in two
    assert "(UTC)" in two
    assert "Wed 2 Dec 06:00" in two  # Tokyo's own time in the table
    assert (
        svg_texts(page(Picture(title="Plan", now=NOW, lanes=(tokyo, amsterdam)))).count("21:00")
        >= 2
    )


def test_a_plan_without_a_start_has_no_time_line():
    nothing = page(Picture(title="Plan", now=NOW, lanes=()))

    assert "No VM has a start, of 0 VMs with a policy." in texts(nothing)
    assert 'class="chart"' not in nothing
