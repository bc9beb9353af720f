import pytest

from simulator.host.connection import Source, source_of
from simulator.host.index import Function, HostError, check


def handler(message, context): ...


def function(*others, handler=handler, **trigger):
    binding = {
        "type": "serviceBusTrigger",
        "name": "message",
        "queueName": "q",
        "connection": "BUS",
    }
    binding |= trigger
    return Function(
        name="f",
        script="function_app.py",
        handler=handler,
        trigger=binding,
        bindings=(binding, *others),
    )


def test_app_settings_are_filled_in():
    assert function(queueName="%A%-%B%").setting("queueName", {"A": "x", "B": "y"}) == "x-y"


def test_a_missing_app_setting_is_named_with_its_function():
    with pytest.raises(HostError, match="function f: queueName is '%JOBS%', but app setting JOBS"):
        function(queueName="%JOBS%").setting("queueName", {})


def test_the_connection_is_a_connection_string_if_there_is_one():
    environment = {"BUS": "Endpoint=...", "BUS__fullyQualifiedNamespace": "ns"}

    found = source_of(function(), environment)

    assert found == Source(connection="Endpoint=...", namespace="ns", client_id=None, queue="q")


def test_else_a_namespace_for_an_identity():
    environment = {"BUS__fullyQualifiedNamespace": "ns", "BUS__clientId": "42"}

    found = source_of(function(), environment)

    assert found == Source(connection="", namespace="ns", client_id="42", queue="q")


@pytest.mark.parametrize(
    ("trigger", "told"),
    [
        ({}, "set BUS to a connection string, or BUS__fullyQualifiedNamespace"),
        ({"topicName": "t"}, "topics are not served"),
        ({"isSessionsEnabled": True}, "isSessionsEnabled is not served"),
        ({"cardinality": "MANY"}, "cardinality many is not served"),
        ({"connection": ""}, "its trigger has no connection"),
    ],
)
def test_what_a_queue_trigger_lacks_is_said(trigger, told):
    with pytest.raises(HostError, match=told):
        source_of(function(**trigger), {})


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (function(type="blobTrigger"), "not served here: blobTrigger"),
        (function({"type": "queue", "name": "out"}), "not served here: queue"),
        (function(name="letter"), "its parameters are .'message'., but its trigger binds 'letter'"),
    ],
)
def test_what_would_fail_at_the_first_message_is_refused_at_the_start(bad, told):
    with pytest.raises(HostError, match=told):
        check([bad])


def test_a_function_that_fits_its_bindings_is_taken():
    check([function()])
