"""What a month costs, by operations that are counted: the aims that Baton was built to."""

import json

import pytest

from cli.cost import Asked, costs
from cli.cost_count import count_idle, count_redeploy
from cli.paths import ROOT
from shared.use_cases import own_views

TABLE = json.loads((ROOT / "cli/prices.json").read_text())
PRICES, ASSUMED = TABLE["prices"], TABLE["assumptions"]
VMS = 1000


@pytest.fixture(scope="module")
def idle():
    return count_idle(VMS)


@pytest.fixture(scope="module")
def redeploy():
    return count_redeploy(ASSUMED["redeployMinutes"])


def bill(idle, redeploy, prices=PRICES, *, redeploys=1000, gigabytes=None):
    """(idle, on top)"""
    asked = Asked(vms=VMS, redeploys=redeploys, gigabytes=gigabytes)
    lines = list(costs(asked, idle, redeploy, prices, ASSUMED))
    return sum(line.idle for line in lines), sum(line.redeploys for line in lines)


def test_a_thousand_vms_cost_less_than_15_dollars_idle_and_a_thousand_redeploys_5_cents_more(
    idle, redeploy
):
    month, on_top = bill(idle, redeploy)

    assert month < 15
    assert on_top < 0.05


def test_an_idle_hour_is_its_timers_and_sends_nothing(idle):
    assert idle.executions["sweep"] == pytest.approx(60 * idle.hours, abs=1)
    assert idle.executions["discover"] == pytest.approx(12 * idle.hours, abs=1)
    assert idle.executions["redeploy"] == idle.messages == 0
    # Where the status list tells of no maintenance, every VM is asked by itself: at first, and once an hour.
    assert idle.requests["armRead"] == pytest.approx(VMS * (1 + idle.hours), rel=0.05)


def test_a_longer_redeploy_is_looked_at_more_often(redeploy):
    longer = count_redeploy(ASSUMED["redeployMinutes"] + 4)

    # Every 30 seconds, and again by a sweep every two minutes.
    assert longer.executions["redeploy"] - redeploy.executions["redeploy"] >= 8
    assert longer.messages > redeploy.messages


def test_beyond_what_is_free_twice_the_redeploys_cost_twice_as_much(idle, redeploy):
    once, twice = (
        bill(idle, redeploy, redeploys=redeploys, gigabytes=4)[1] for redeploys in (1000, 2000)
    )

    assert once > 0.05
    assert twice == pytest.approx(2 * once)


def test_every_price_and_assumption_is_used_and_the_reads_at_once_are_those_of_discovery():
    source = (ROOT / "cli/cost.py").read_text()

    assert [name for name in (*PRICES, *ASSUMED) if f'"{name}"' not in source] == []
    assert f"_READS_AT_ONCE = {own_views.VMS_AT_ONCE}\n" in source
