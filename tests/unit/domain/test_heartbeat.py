"""What a heartbeat says of subscriptions that were not read whole."""

from shared.domain.heartbeat import Behind, Heartbeat
from tests.builders import NOW

SHOP = Behind(name="Shop", reason="403 AuthorizationFailed.", since=NOW)


def beat(failed, **behind):
    figures = {"vms": 7, "changed": 0, "unmatched": 0, "unreadable": 0}
    return Heartbeat(at=NOW, **figures, failed_subscriptions=failed, seen_at=NOW, behind=behind)


def test_each_is_named_with_its_reason():
    assert beat(1, s1=SHOP).not_read(5) == [
        "Subscription Shop was not read whole: 403 AuthorizationFailed."
    ]


def test_those_beyond_a_few_are_counted():
    said = beat(4, s1=SHOP, s2=SHOP, s3=SHOP).not_read(2)

    assert said[2:] == ["2 more subscriptions not read whole: the alerts say why."]
    assert beat(1).not_read(5) == ["1 subscription not read whole: the alerts say why."]
    assert beat(0).not_read(5) == []


def test_a_subscription_has_had_its_turns_until_the_discovery_began_or_it_fell_behind():
    assert beat(1, s1=SHOP).seen_until("S1") == NOW
    assert beat(1, s1=Behind(reason="403")).seen_until("s1") is None
    assert beat(1, s1=SHOP).seen_until("s2") == NOW


def test_where_not_all_that_fell_behind_are_named_nobody_is_known_to_be_up_to_date():
    assert beat(2, s1=SHOP).seen_until("s2") is None
