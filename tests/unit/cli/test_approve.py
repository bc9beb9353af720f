"""`./baton approve`: what people may write, and what they are told."""

from datetime import UTC, datetime, timedelta

import pytest

from cli.approve import read_policy, read_until, sentence
from shared.domain.errors import InvalidInput
from shared.use_cases.approve import Approved

CLOCK = datetime(2026, 12, 1, 18, 0, tzinfo=UTC)


def test_a_policy_is_a_team_and_a_name():
    assert read_policy(" shop/web ") == ("shop", "web")


@pytest.mark.parametrize("text", ["", "shop", "/web", "shop/", "a/b/c"])
def test_anything_else_is_refused_with_an_example(text):
    with pytest.raises(InvalidInput, match="TEAM/POLICY, such as shop/web"):
        read_policy(text)


@pytest.mark.parametrize(
    ("text", "until"),
    [
        (None, None),
        ("8h", CLOCK + timedelta(hours=8)),
        ("P1D", CLOCK + timedelta(days=1)),
        ("2026-12-02T07:00:00+01:00", datetime(2026, 12, 2, 6, 0, tzinfo=UTC)),
    ],
)
def test_until_is_an_instant_or_how_long_from_now(text, until):
    assert read_until(text, CLOCK) == until


@pytest.mark.parametrize("text", ["tomorrow", "2026-12-02", "2026-12-02T07:00:00", ""])
def test_an_until_that_could_mean_several_instants_is_refused(text):
    with pytest.raises(InvalidInput, match="an instant with its offset"):
        read_until(text, CLOCK)


def test_people_are_told_what_they_approved():
    one = Approved(rollout=3, waiting=1, needed=True)
    idle = Approved(rollout=1, waiting=4, needed=False)

    assert sentence("shop/web", "ann", CLOCK, one) == (
        "Rollout 3 of shop/web is approved by ann, until 2026-12-01 18:00 UTC; 1 VM waits in it."
    )
    assert sentence("shop/web", "ann", None, idle).endswith(
        "asks for no approval, so it went anyway."
    )
