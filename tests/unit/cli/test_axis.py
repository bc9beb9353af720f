"""The time axis: one scale, idle time cut, labels at round local times that never touch."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from cli.axis import axis_of, day

T0 = datetime(2026, 12, 1, 21, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")

_BUSY = st.lists(
    st.tuples(st.integers(0, 60 * 24 * 40), st.integers(5, 120)).map(
        lambda pair: (T0 + pair[0] * timedelta(minutes=1), pair[1] * timedelta(minutes=1))
    ),
    min_size=1,
    max_size=30,
).map(lambda pairs: [(start, start + length) for start, length in pairs])


@given(_BUSY)
def test_time_never_runs_backwards_and_what_happens_is_to_one_scale(busy):
    axis = axis_of(busy)
    moments = sorted(at for interval in busy for at in interval)
    widths = [(axis.x(end) - axis.x(start)) / ((end - start) / HOUR) for start, end in busy]

    assert [axis.x(at) for at in moments] == sorted(axis.x(at) for at in moments)
    assert max(widths) - min(widths) < 0.001
    assert all(axis.holds(at) for at in moments)
    assert axis.x(moments[0] - 99 * HOUR) == 0
    assert axis.x(moments[-1] + 99 * HOUR) == axis.width < 20_000


@given(_BUSY)
def test_labels_never_touch(busy):
    axis = axis_of(busy)
    for ticks, least in ((axis.hours(AMSTERDAM), 36), (axis.days(AMSTERDAM), 72)):
        places = [tick.x for tick in ticks]

        assert all(after - before >= least for before, after in pairwise(places))


def test_a_long_idle_time_is_cut_and_a_short_one_is_not():
    night = [(T0, T0 + HOUR), (T0 + 3 * HOUR, T0 + 4 * HOUR)]
    next_week = [(start + 7 * 24 * HOUR, end + 7 * 24 * HOUR) for start, end in night]

    axis = axis_of([*night, *next_week])

    assert [stretch.is_cut for stretch in axis.stretches] == [False, True, False]
    assert axis.stretches[1].width < axis.stretches[0].width / 5


def test_a_bar_can_be_seen_in_a_plan_of_a_month():
    nights = [(T0 + 24 * n * HOUR, T0 + 24 * n * HOUR + HOUR / 3) for n in range(30)]

    axis = axis_of(nights)

    assert axis.x(nights[3][1]) - axis.x(nights[3][0]) >= 10


def test_hours_are_round_local_times_also_when_the_clocks_change():
    back = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)  # Amsterdam, 00:00
    forth = datetime(2026, 3, 28, 23, 0, tzinfo=UTC)  # the same in spring

    def on_the_hour(start: datetime) -> list[str]:
        ticks = axis_of([(start, start + 4 * HOUR)]).hours(AMSTERDAM)
        return [tick.label[:2] for tick in ticks if tick.label.endswith(":00")]

    assert on_the_hour(back) == ["23", "00", "01", "02", "03", "04"]
    assert on_the_hour(forth) == ["23", "00", "01", "03", "04", "05", "06"]


def test_days_begin_at_local_midnight():
    axis = axis_of([(T0, T0 + 12 * HOUR)])

    assert [tick.label for tick in axis.days(AMSTERDAM)] == ["Tue 1 Dec", "Wed 2 Dec"]
    assert axis.days(AMSTERDAM)[1].x == axis.x(datetime(2026, 12, 1, 23, 0, tzinfo=UTC))
    assert day(T0 + 2 * HOUR, UTC) == "Tue 1 Dec"


def test_only_the_part_of_an_interval_that_is_on_the_axis_has_a_place():
    axis = axis_of([(T0, T0 + HOUR)])
    before, around = (T0 - 9 * HOUR, T0 - 8 * HOUR), (T0 - 9 * HOUR, T0 + 9 * HOUR)

    assert list(axis.clipped([before, around])) == [(0.0, axis.width)]
