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


def test_only_the_first_vms_of_a_rollout_are_looked_at_the_more_often_the_longer_they_take(
    redeploy,
):
    longer = count_redeploy(ASSUMED["redeployMinutes"] + 4)

    # Of forty VMs four have nobody before them: eight looks more, and two sweeps with a look each.
    more = longer.executions["redeploy"] - redeploy.executions["redeploy"]
    assert 0.8 <= more <= 1.2


# A redeploy as long as the look that finds it done: eight minutes and some seconds are found half a minute later.
MINUTES = 7.75


@pytest.mark.parametrize("vms", [40, 100])
def test_a_redeploy_takes_at_most_ten_table_operations_and_five_messages(vms):
    found = count_redeploy(MINUTES, vms=vms)

    assert found.requests["tables"] <= 10
    assert found.messages <= 5


def test_vms_that_are_due_together_do_not_decide_in_vain():
    # Twenty at once; the first of their forty are looked at sixteen times, and by four sweeps.
    together = count_redeploy(MINUTES, at_once=20)
    few = count_redeploy(MINUTES)

    looks = together.executions["redeploy"] - few.executions["redeploy"]
    assert together.requests["tables"] - few.requests["tables"] <= looks + 0.5


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
