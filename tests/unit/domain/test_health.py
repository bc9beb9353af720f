from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain import health
from shared.domain.health import QueueProperties, State
from shared.domain.heartbeat import Heartbeat
from shared.domain.mode import Mode
from tests.builders import NOW, an_alert

MINUTE = timedelta(minutes=1)
GOOD = QueueProperties(
    lock_duration=MINUTE,
    max_delivery_count=10,
    default_message_time_to_live=timedelta(days=14),
    requires_duplicate_detection=True,
    duplicate_detection_history_time_window=10 * MINUTE,
    requires_session=False,
    dead_lettering_on_message_expiration=False,
    forwards=False,
    status="Active",
)
BEAT = Heartbeat(at=NOW, vms=3, changed=0, unmatched=0, unreadable=0, failed_subscriptions=0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lock_duration": timedelta(seconds=59)}, "lockDuration is 59 s"),
        ({"max_delivery_count": 9}, "maxDeliveryCount is 9"),
        (
            {"default_message_time_to_live": timedelta(hours=1)},
            "defaultMessageTimeToLive is 60 min",
        ),
        ({"requires_duplicate_detection": False}, "requiresDuplicateDetection is false"),
        (
            {"duplicate_detection_history_time_window": 9 * MINUTE},
            "duplicateDetectionHistoryTimeWindow is 9 min",
        ),
        ({"requires_session": True}, "requiresSession is true"),
        (
            {"dead_lettering_on_message_expiration": True},
            "deadLetteringOnMessageExpiration is true",
        ),
        ({"forwards": True}, "forwards"),
        ({"status": "SendDisabled"}, "status is SendDisabled"),
    ],
)
def test_each_property_of_a_queue_that_the_code_relies_on_is_told_alone(change, said):
    found = health.queue("alerts", replace(GOOD, **change))

    assert (found.name, found.state) == ("queue alerts", State.BROKEN)
    assert said in found.says
    assert "; " not in found.says


def test_a_queue_with_more_of_everything_is_well():
    more = replace(GOOD, lock_duration=5 * MINUTE, max_delivery_count=100)

    assert health.queue("alerts", more).state is State.OK


@pytest.mark.parametrize(
    ("off", "state"),
    [
        (MINUTE, State.OK),
        (-MINUTE, State.OK),
        (61 * MINUTE / 60, State.BROKEN),
        (-61 * MINUTE / 60, State.BROKEN),
    ],
)
def test_a_clock_may_be_off_by_a_minute(off, state):
    assert health.clock(NOW + off, NOW).state is state


def test_a_clock_that_is_off_is_told_in_which_direction():
    assert health.clock(NOW - 5 * MINUTE, NOW).says == "this clock is 300 s behind Azure's"


def test_discovery_may_be_silent_for_less_than_fifteen_minutes():
    assert health.heartbeat(BEAT, NOW + 14 * MINUTE).state is State.OK
    assert health.heartbeat(BEAT, NOW + 15 * MINUTE).state is State.BROKEN
    assert health.heartbeat(None, NOW).says == "no discovery has ever gone through"


def test_a_heartbeat_that_missed_a_subscription_says_so():
    found = health.heartbeat(replace(BEAT, failed_subscriptions=1), NOW)

    assert found.state is State.NOTE
    assert "1 subscriptions could not be read whole" in found.says


def test_an_alert_may_wait_for_less_than_an_hour():
    alert = an_alert("a", raised_at=NOW)
    alert = replace(alert, note="not sent yet: the relay is away")

    assert health.unsent_alerts([], NOW).says == "none waits"
    assert health.unsent_alerts([alert], NOW + 59 * MINUTE).state is State.OK
    late = health.unsent_alerts([alert], NOW + 60 * MINUTE)
    assert late.state is State.BROKEN
    assert late.says.endswith("not sent yet: the relay is away")


@pytest.mark.parametrize(
    ("version", "state"),
    [((3, 10), State.BROKEN), ((3, 11), State.OK), ((3, 12), State.OK), ((3, 13), State.BROKEN)],
)
def test_pythons_are_those_of_the_pinned_packages(version, state):
    assert health.python_version(version).state is state


def test_a_package_of_another_version_and_a_missing_one_are_named():
    found = health.packages({"a": "1.0", "b": "2.0", "c": "3.0"}, {"a": "1.0", "b": "2.1"})

    assert found.state is State.BROKEN
    assert found.says == "b is 2.1, locked is 2.0; c is not installed, locked is 3.0"


def test_every_mode_but_live_is_noted():
    assert {mode: health.mode(mode).state for mode in Mode} == {
        Mode.LIVE: State.OK,
        Mode.DRY_RUN: State.NOTE,
        Mode.PAUSED: State.NOTE,
    }
