import json
from datetime import timedelta

import pytest

from simulator.host.host_json import BusOptions, HostOptions, RetryOptions, load_host_options
from simulator.host.index import HostError


def loaded(tmp_path, content):
    file = tmp_path / "host.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return load_host_options(file)


def test_without_the_file_the_defaults_of_the_real_host_stand(tmp_path):
    options = load_host_options(tmp_path / "host.json")

    assert options == HostOptions()
    assert options.bus.prefetch == 0
    assert options.bus.renewal_max == timedelta(minutes=5)


def test_everything_that_is_honoured_is_read(tmp_path):
    bus = {
        "maxConcurrentCalls": 7,
        "prefetchCount": 3,
        "autoCompleteMessages": False,
        "maxAutoLockRenewalDuration": "1.00:00:01",
        "clientRetryOptions": {"mode": "Fixed", "delay": "00:00:00.800", "maxRetries": 1},
    }
    host = {
        "functionTimeout": "00:10:00",
        "extensions": {"http": {"routePrefix": "/v1/"}, "serviceBus": bus},
    }

    assert loaded(tmp_path, host) == HostOptions(
        function_timeout=timedelta(minutes=10),
        route_prefix="v1",
        bus=BusOptions(
            calls_max=7,
            prefetch=3,
            auto_complete=False,
            renewal_max=timedelta(days=1, seconds=1),
            retry=RetryOptions(exponential=False, delay=timedelta(milliseconds=800), retries_max=1),
        ),
    )


def test_minus_one_is_no_timeout(tmp_path):
    assert loaded(tmp_path, {"functionTimeout": "-1"}).function_timeout is None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "host.json: Expecting"),
        ("[]", r"host.json is \[\]; an object is expected"),
        ({"functionTimeout": "5m"}, "host.json: functionTimeout is '5m'; hh:mm:ss is expected"),
        ({"functionTimeout": 5}, "host.json: functionTimeout is 5; text is expected"),
        (
            {"extensions": {"serviceBus": {"maxConcurrentCalls": 0}}},
            "host.json: extensions: serviceBus: maxConcurrentCalls is 0; 1 or more",
        ),
        (
            {"extensions": {"serviceBus": {"prefetchCount": True}}},
            "prefetchCount is True; 0 or more",
        ),
        (
            {"extensions": {"serviceBus": {"autoCompleteMessages": "no"}}},
            "autoCompleteMessages is 'no'; true or false",
        ),
    ],
)
def test_a_wrong_value_is_named_by_its_path(tmp_path, content, told):
    with pytest.raises(HostError, match=told):
        loaded(tmp_path, content)


def test_the_wait_before_the_next_connection_grows_and_then_stays():
    waits = [RetryOptions().wait(n).total_seconds() for n in range(1, 7)]

    assert waits == [0.8, 1.6, 3.2, 6.4, 6.4, 6.4]


def test_a_fixed_wait_stays_and_the_longest_wait_is_a_limit():
    assert RetryOptions(exponential=False).wait(9) == timedelta(seconds=0.8)
    assert RetryOptions(delay_max=timedelta(seconds=2)).wait(9) == timedelta(seconds=2)
