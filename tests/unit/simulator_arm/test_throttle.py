"""The token buckets: what they let through, what they answer, and how they refill."""

import pytest

from simulator.arm.errors import ArmError
from simulator.arm.throttle import Charge, Throttle
from tests.unit.simulator_arm.fleet import after

VM = "/subscriptions/s/vm"
READ_VM = Charge("s", "westeurope", VM, "LowCostGet")


def spend(throttle: Throttle, charge: Charge, at: float, times: int = 100_000) -> tuple[int, str]:
    """How many requests pass at one instant, and the code of the first that does not."""
    for passed in range(times):
        try:
            throttle.take(charge, after(at))
        except ArmError as error:
            return passed, str(error.details[0]["target"]) if error.details else error.code
    return times, ""


def test_a_vm_can_be_read_36_times_at_once_and_12_times_a_minute() -> None:
    throttle = Throttle()

    assert spend(throttle, READ_VM, 0) == (36, "LowCostGetResource")
    assert spend(throttle, READ_VM, 60) == (12, "LowCostGetResource")
    assert spend(throttle, READ_VM, 3600) == (36, "LowCostGetResource")


def test_a_vm_can_be_redeployed_12_times_at_once() -> None:
    charge = Charge("s", "westeurope", VM, "UpdateVM", is_write=True)

    assert spend(Throttle(), charge, 0) == (12, "UpdateVMResource")


def test_resource_managers_own_bucket_holds_250_reads() -> None:
    assert spend(Throttle(), Charge("s"), 0) == (250, "SubscriptionRequestsThrottled")


def test_lists_are_counted_for_the_subscription() -> None:
    throttle = Throttle()
    lists = Charge("s", policy="HighCostGet")

    spent = [spend(throttle, lists, at) for at in range(60)]

    # At first Resource Manager's 250 and 25 a second bind, in the end compute's 900 and 5 do.
    assert spent[1] == (25, "SubscriptionRequestsThrottled")
    assert spent[59] == (5, "HighCostGetSubscriptionMaximum")
    assert sum(passed for passed, _ in spent) == 900 + 5 * 59


def test_one_vms_bucket_leaves_another_vm_alone() -> None:
    throttle = Throttle()
    spend(throttle, READ_VM, 0)

    other = Charge("s", "westeurope", "/subscriptions/s/other", "LowCostGet")

    assert spend(throttle, other, 0) == (36, "LowCostGetResource")


def test_the_headers_tell_what_is_left() -> None:
    assert Throttle().take(READ_VM, after(0)) == {
        "x-ms-ratelimit-remaining-subscription-reads": "249",
        "x-ms-ratelimit-remaining-resource": (
            "Microsoft.Compute/LowCostGetSubscriptionMaximum;23999,"
            "Microsoft.Compute/LowCostGetResource;35"
        ),
    }


def test_a_refusal_says_after_how_many_seconds_it_is_worth_asking_again() -> None:
    throttle = Throttle()
    spend(throttle, READ_VM, 0)

    with pytest.raises(ArmError) as caught:
        throttle.take(READ_VM, after(1))

    # One token every five seconds, and one of them has passed.
    assert (caught.value.status, caught.value.headers["Retry-After"]) == (429, "4")
    assert spend(throttle, READ_VM, 5, 1) == (1, "")


def test_a_refused_request_costs_nothing() -> None:
    throttle = Throttle()
    spend(throttle, READ_VM, 0)
    for _ in range(50):
        spend(throttle, READ_VM, 1, 1)

    assert spend(throttle, READ_VM, 5, 2) == (1, "LowCostGetResource")


def test_the_scale_makes_buckets_larger_and_zero_switches_them_off() -> None:
    assert spend(Throttle(2), READ_VM, 0) == (72, "LowCostGetResource")
    assert spend(Throttle(0), READ_VM, 0, 10_000) == (10_000, "")
    assert Throttle(0).take(READ_VM, after(0)) == {}
