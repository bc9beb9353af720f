"""Pauses: which of them holds a policy, and how it says so."""

from dataclasses import replace

import pytest

from shared.domain.pause import Pause, pause_of
from tests.builders import NOW

ALL = Pause(by="ann", at=NOW, reason="a bad night")
SHOP = Pause(team="shop", by="bob", at=NOW)
WEB = Pause(team="shop", policy="web", by="cy", at=NOW)


@pytest.mark.parametrize(
    ("pauses", "holder"),
    [
        ((), None),
        ((WEB,), WEB),
        ((WEB, SHOP), SHOP),
        ((WEB, SHOP, ALL), ALL),
        ((WEB, replace(ALL, resumed_at=NOW)), WEB),
        ((replace(WEB, resumed_at=NOW),), None),
        ((replace(WEB, policy="db"), replace(SHOP, team="bank")), None),
    ],
)
def test_the_widest_pause_in_force_holds_a_policy(pauses, holder):
    assert pause_of(pauses, "shop", "web") == holder


def test_a_pause_says_what_stands_since_when_by_whom_and_why():
    assert str(ALL) == "everything is paused by ann since 2026-03-02 12:00 UTC: a bad night"
    assert str(SHOP) == "team shop is paused by bob since 2026-03-02 12:00 UTC"
    assert (ALL.scope, SHOP.scope, WEB.scope) == ("", "shop", "shop/web")
