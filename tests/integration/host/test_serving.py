"""Timers, HTTP, `/admin`, starting and stopping, with the host as a process."""

import json
import subprocess
import sys
from itertools import pairwise
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from cli.paths import ROOT
from simulator.processes import Watchdog
from tests.integration.host.running import RunningHost, until

KEY = {"x-functions-key": "secret"}
NOBODY = (
    "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=n;SharedAccessKey=k;UseDevelopmentEmulator=true"
)


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    watchdog = Watchdog()
    running = RunningHost(tmp_path_factory.mktemp("web"), watchdog)
    running.child.await_ready()
    yield running
    running.stop()
    watchdog.close()


def asked(running, path, method="GET", body=None, headers=KEY):
    """Status and body of an answer."""
    request = Request(running.url + path, method=method, data=body, headers=dict(headers))
    try:
        with urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_an_http_function_gets_its_route_query_and_body(web):
    status, body = asked(web, "/api/hello/ann/3?q=x", "POST", b"hi")

    assert status == 201
    assert json.loads(body) == {"name": "ann", "times": "3", "q": "x", "body": "hi"}


@pytest.mark.parametrize(
    ("path", "method", "headers", "status"),
    [
        ("/api/hello/ann", "GET", KEY, 201),  # the last parameter is optional
        ("/api/hello/ann/x", "GET", KEY, 404),  # and a whole number
        ("/api/hello/ann", "DELETE", KEY, 405),
        ("/api/hello/ann", "GET", {}, 401),
        ("/api/hello/ann", "GET", {"x-functions-key": "wrong"}, 401),
        ("/api/hello/ann?code=secret", "GET", {}, 201),
        ("/api/open", "GET", {}, 200),
        ("/api/broken", "GET", {}, 500),
        ("/hello/ann", "GET", KEY, 404),
        ("/admin/host/status", "GET", {}, 401),
        ("/admin/functions/tick", "POST", {}, 401),
        ("/admin/functions/nobody", "POST", KEY, 404),
    ],
)
def test_routes_methods_and_keys_are_checked(web, path, method, headers, status):
    assert asked(web, path, method, headers=headers)[0] == status


def test_a_function_that_raises_is_logged_and_stops_nobody(web):
    assert asked(web, "/api/broken")[0] == 500
    assert asked(web, "/api/open") == (200, "come in")
    assert "Executed broken (Failed," in web.child.output()
    assert "RuntimeError: as the route says" in web.child.output()


def test_admin_runs_any_function_once_and_does_not_wait_for_it(web):
    assert asked(web, "/admin/functions/tick", "POST", b'{"input": ""}')[0] == 202
    assert asked(web, "/admin/functions/tick", "POST", b"{")[0] == 400

    web.await_note(function="tick", event="ran", past_due=False)
    status = json.loads(asked(web, "/admin/host/status")[1])
    assert (status["state"], "tick" in status["functions"]) == ("Running", True)


def test_admin_gives_a_queue_function_its_input_as_a_message(bus, host):
    running = host(BUS=bus.connection)

    assert asked(running, "/admin/functions/work", "POST", b'{"input": "{\\"a\\": 1}"}')[0] == 202

    assert running.await_note(function="work", event="began")["body"] == '{"a": 1}'


def test_a_timer_fires_again_and_again_and_never_twice_in_one_second(host):
    running = host(TICK="* * * * * *")

    notes = until(lambda: (n := running.notes(function="tick"))[3:] and n, "four runs")

    seconds = [int(note["at"]) for note in notes]
    assert all(one < next_ for one, next_ in pairwise(seconds))


def test_a_timer_run_that_goes_on_may_end_when_the_host_is_told_to_stop(host, tmp_path):
    gate = tmp_path / "gate"
    running = host(TICK="* * * * * *", TICK_UNTIL=str(gate))
    running.await_note(function="tick", event="ran")

    running.tell_to_stop()
    gate.touch()

    assert running.stop() == 0
    assert len(running.notes(event="ran")) == len(running.notes(event="ended"))


def test_ready_names_port_key_and_functions(web):
    assert web.child.facts["key"] == "secret"
    assert {"tick", "hello", "open_to_all", "broken", "work", "dead"} <= set(
        web.child.facts["functions"]
    )


def test_a_host_without_its_bus_still_serves_http(host):
    running = host(BUS=NOBODY)

    assert asked(running, "/api/open") == (200, "come in")
    assert "No connection to q:" in running.child.output()
    assert running.stop() == 0


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import nothing_of_the_kind", "No module named 'nothing_of_the_kind'"),
        ("x = 1", "function_app has no function app at its top level"),
        (
            "import azure.functions as f\na = f.FunctionApp()\nb = f.FunctionApp()",
            "more than one function app",
        ),
        (
            "import azure.functions as f\napp = f.FunctionApp()\n@app.timer_trigger(arg_name='t', schedule='%WHEN%')\ndef g(t): ...",
            "function g: schedule is '%WHEN%', but app setting WHEN is not set",
        ),
        (
            "import azure.functions as f\napp = f.FunctionApp()\n@app.timer_trigger(arg_name='t', schedule='0 * * * *')\ndef g(u): ...",
            "function g: its parameters are ['u'], but its trigger binds 't'",
        ),
    ],
)
def test_an_app_that_cannot_be_served_is_refused_with_the_reason(tmp_path, source, told):
    (tmp_path / "function_app.py").write_text(source)

    done = subprocess.run(
        [sys.executable, "-m", "simulator.host", "--port", "0"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 1
    assert told in done.stderr
    assert "ready" not in done.stdout
