import pytest

from shared.domain.health import State
from shared.domain.rights import ACT, OBSERVE, OPTIONAL, Permission, judge_rights, missing

SCOPE = "/subscriptions/1"
EVERYTHING = (Permission(actions=("*",)),)


@pytest.mark.parametrize(
    ("permissions", "is_allowed"),
    [
        ([Permission(actions=("*",))], True),
        ([Permission(actions=("*/read",))], True),
        ([Permission(actions=("microsoft.compute/VIRTUALMACHINES/*",))], True),
        ([Permission(actions=("*",), not_actions=("Microsoft.Compute/*",))], False),
        ([Permission(actions=("Microsoft.Compute/virtualMachines/write",))], False),
        # One assignment's exception takes nothing from what another gives.
        ([Permission(actions=("*",), not_actions=("*",)), Permission(actions=("*/read",))], True),
        ([], False),
    ],
)
def test_a_right_is_held_where_one_permission_gives_and_does_not_except_it(permissions, is_allowed):
    action = "Microsoft.Compute/virtualMachines/read"

    assert missing([action], permissions) == (() if is_allowed else (action,))


def test_whoever_has_everything_has_one_finding():
    (found,) = judge_rights(SCOPE, EVERYTHING, is_live=True)

    assert (found.name, found.state) == (f"rights {SCOPE}", State.OK)


def test_each_right_that_is_missing_is_named_with_the_role_that_has_it():
    observe, act, *optional = judge_rights(SCOPE, (), is_live=True)

    assert (observe.state, act.state) == (State.BROKEN, State.BROKEN)
    assert all(right in observe.says for right in OBSERVE)
    assert all(right in act.says for right in ACT)
    assert "role to observe" in observe.fix
    assert "role to act" in act.fix
    assert {one.state for one in optional} == {State.NOTE}
    assert len(optional) == len(OPTIONAL)


def test_a_resource_group_is_not_asked_for_what_only_a_subscription_gives():
    held = (Permission(actions=("Microsoft.Compute/*",)),)

    (found,) = judge_rights(SCOPE, held, is_live=True, only_vms=True)

    assert found.state is State.OK
