"""The checker of plans can fail: each way of breaking a promise is named."""

import pytest

from tests.planning.checker import shown, violations
from tests.planning.facts import instant
from tests.planning.spoiling import FLEET, ROWS, broken, ended, job, start, unmatched


def before_its_lead(plan):
    start(plan, "shop-db-1", "1 12:59")


def before_its_self_service_window(plan):
    start(plan, "erp-early", "1 12:59", away=40)


def at_the_end_of_its_self_service_window(plan):
    start(plan, "erp-early", "1 14:00", away=40)
    start(plan, "shop-db-1", "1 15:00")
    start(plan, "shop-db-2", "1 15:30")


def past_the_end_of_a_window(plan):
    start(plan, "shop-web-5", "3 19:41")


def before_a_window(plan):
    start(plan, "shop-web-5", "3 11:59")


def into_a_freeze(plan):
    start(plan, "shop-web-5", "1 17:41")


def in_a_freeze(plan):
    start(plan, "shop-web-5", "1 18:30")


def before_an_earlier_stage_is_back(plan):
    start(plan, "data-2", ended(plan, "data-1", minutes=-1))


def within_the_stage_gap(plan):
    start(plan, "shop-web-1", ended(plan, "shop-db-3", minutes=29))


def within_the_gap(plan):
    start(plan, "data-3", ended(plan, "data-2", minutes=9))


def three_in_two_slots(plan):
    for name in ("shop-web-1", "shop-web-3", "shop-web-5"):
        start(plan, name, "3 13:00")


def three_in_two_slots_within_a_gap(plan):
    for name, at in (
        ("shop-web-1", "3 13:00"),
        ("shop-web-3", "3 13:00"),
        ("shop-web-5", "3 13:29"),
    ):
        start(plan, name, at)


def two_update_domains(plan):
    start(plan, "shop-db-2", ended(plan, "shop-db-1", minutes=-1))


def two_update_domains_of_two_policies(plan):
    start(plan, "erp-1", ended(plan, "shop-db-2", minutes=-1), away=40)
    start(plan, "shop-db-3", ended(plan, "erp-1"))
    for number in range(1, 6):
        start(plan, f"shop-web-{number}", f"3 {12 + number}:00" if number < 5 else "3 19:00")


def two_zones(plan):
    for name in ("shop-web-1", "shop-web-2"):
        start(plan, name, "3 13:00")


def both_of_a_pair(plan):
    for name in ("shop-web-4", "shop-web-5"):
        start(plan, name, "3 13:00")


SHOP_WINDOW = "0:20:00 from then on are not inside one window of shop/tiers"
SHOP_FREEZE = "0:20:00 from then on meet a freeze of shop/tiers"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            before_its_lead,
            "P2: shop-db-1 starts 2026-07-01 12:59, before 1:00:00 of notice have passed",
        ),
        (
            before_its_self_service_window,
            "P2: erp-early starts 2026-07-01 12:59, outside 2026-07-01 13:00 to 2026-07-01 14:00",
        ),
        (
            at_the_end_of_its_self_service_window,
            "P2: erp-early starts 2026-07-01 14:00, outside 2026-07-01 13:00 to 2026-07-01 14:00",
        ),
        (
            past_the_end_of_a_window,
            f"P2: shop-web-5 starts 2026-07-03 19:41; {SHOP_WINDOW}",
        ),
        (before_a_window, f"P2: shop-web-5 starts 2026-07-03 11:59; {SHOP_WINDOW}"),
        (into_a_freeze, f"P2: shop-web-5 starts 2026-07-01 17:41; {SHOP_FREEZE}"),
        (in_a_freeze, f"P2: shop-web-5 starts 2026-07-01 18:30; {SHOP_FREEZE}"),
        (
            before_an_earlier_stage_is_back,
            "P3: data-2 starts before data-1 of an earlier stage is back",
        ),
        (
            within_the_stage_gap,
            (
                "P4: shop-web-1 starts 0:29:00 after shop-db-3 of an earlier stage, "
                "and the stage gap is 0:30:00"
            ),
        ),
        (
            within_the_gap,
            "P4: at {data-3} data-2, data-3 take 2 slots of 1, with a gap of 0:10:00",
        ),
        (
            three_in_two_slots,
            (
                "P4: at 2026-07-03 13:00 shop-web-1, shop-web-5, shop-web-3 take 3 slots of 2, "
                "with a gap of 0:10:00"
            ),
        ),
        (
            three_in_two_slots_within_a_gap,
            (
                "P4: at 2026-07-03 13:29 shop-web-1, shop-web-5, shop-web-3 take 3 slots of 2, "
                "with a gap of 0:10:00"
            ),
        ),
        (
            two_update_domains,
            "P5: shop-db-1 and shop-db-2 are away together: update domains 0 and 1 of one set",
        ),
        (
            two_update_domains_of_two_policies,
            "P5: erp-1 and shop-db-2 are away together: update domains unknown and 1 of one set",
        ),
        (
            two_zones,
            "P5: shop-web-1 and shop-web-2 are away together: zones 1 and 2 of one policy",
        ),
        (
            both_of_a_pair,
            (
                "P5: shop-web-4 and shop-web-5 are away together: "
                "northeurope and westeurope, a pair, of one policy"
            ),
        ),
    ],
)
def test_a_broken_promise_is_named(plan, spoil, said):
    spoil(plan)

    assert broken(plan) == [said.replace("{data-3}", shown(instant(job(plan, "data-3")["start"])))]


def start_under_a_wrong_row(plan):
    entry = unmatched(plan, "frozen-1")
    plan["unmatched"].remove(entry)
    plan["jobs"].append({**job(plan, "data-4"), **entry, "team": "web", "policy": "wrong"})


def test_a_start_under_a_wrong_row_is_named(plan):
    start_under_a_wrong_row(plan)

    assert broken(plan) == ["P2: frozen-1 starts under web/wrong, whose freeze cannot be right"]


def test_a_vm_of_a_wrong_row_may_be_a_job_without_a_start(plan):
    start_under_a_wrong_row(plan)
    job(plan, "frozen-1").update(start=None, end=None, reason="its row is wrong")

    assert broken(plan) == []


def test_vms_that_nothing_binds_may_be_away_together(plan):
    # Zone 1 of one subscription is zone 3 of the other.
    for name in ("shop-web-1", "shop-web-3"):
        start(plan, name, "3 13:00")

    assert broken(plan) == []


def test_without_regions_no_pair_and_no_physical_zone_is_known(plan):
    def spoilt(*names):
        for name in names:
            start(plan, name, "3 13:00")
        return violations(plan, rows=ROWS, fleet=FLEET)

    assert spoilt("shop-web-4", "shop-web-5") == []
    start(plan, "shop-web-5", "3 14:00")
    start(plan, "shop-web-4", "3 15:00")
    assert spoilt("shop-web-1", "shop-web-3") == [
        "P5: shop-web-1 and shop-web-3 are away together: zones 1 and 3 of one policy"
    ]
