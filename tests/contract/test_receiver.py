"""Receiver: in memory, and over HTTP to a topic and to a webhook on loopback."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from shared.adapters.arm_pipeline import StaticToken
from shared.adapters.cloud_events import TOPIC, CloudEvents, connect_events
from shared.adapters.credentials import Identity
from shared.adapters.memory import MemoryClock, MemoryReceiver
from shared.domain.errors import BatonError, Retryable, Terminal
from shared.domain.lifecycle import Event, EventKind
from shared.ports import Receiver
from tests.builders import NOW, a_vm_id

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
KEY = "code=never-shown"


def an_event(identity: str = "away-1") -> Event:
    return Event(
        id=identity,
        kind=EventKind.AWAY,
        at=NOW,
        vm_id=a_vm_id(),
        team="shop & co",
        policy="web/1",
        data={"vmName": "wéb-1"},
    )


@dataclass
class Hook:
    """What arrived, and what is answered.

    Attributes:
        answers: One each; 204 after them.
    """

    url: str = ""
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((request.method, headers, await request.read()))
        status, sent = self.answers.pop(0) if self.answers else (204, {})
        return web.Response(status=status, headers=sent)

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, _, body in self.requests]


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    found = Hook()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", found.take)
    async with TestServer(app) as server:
        found.url = f"{server.make_url('/hook')}?{KEY}"
        yield found


@pytest.fixture(params=["webhook", "topic"])
async def receiver(request: pytest.FixtureRequest, hook: Hook) -> AsyncIterator[CloudEvents]:
    clock = MemoryClock(NOW)
    found = connect_events(hook.url, SECRET, Identity(), clock=clock)
    if request.param == "topic":
        found = CloudEvents(
            hook.url, kind=TOPIC, secret="", clock=clock, authentication=StaticToken("token")
        )
    yield found
    await found.close()


async def kind_of(receiver: Receiver) -> BatonError:
    with pytest.raises(BatonError) as caught:
        await receiver.send([an_event()])
    return caught.value


async def test_memory_keeps_what_it_takes_and_fails_where_it_is_told() -> None:
    receiver = MemoryReceiver(at_once=2)
    receiver.fail_next("send", Retryable("away"))

    with pytest.raises(Retryable):
        await receiver.send([an_event()])
    await receiver.send([an_event(), an_event("away-2")])

    assert [event.id for event in receiver.received] == ["away-1", "away-2"]


async def test_an_event_arrives_as_cloudevents_has_it(receiver: CloudEvents, hook: Hook) -> None:
    await receiver.send([an_event()])

    ((method, headers, _),) = hook.requests
    event = hook.bodies[0][0] if receiver.at_once > 1 else hook.bodies[0]
    batch = "-batch" if receiver.at_once > 1 else ""
    assert method == "POST"
    assert headers["content-type"] == f"application/cloudevents{batch}+json; charset=utf-8"
    assert event == {
        "specversion": "1.0",
        "id": "away-1",
        "source": "/baton/shop%20%26%20co/web%2F1",
        "type": "com.baton.vm.away",
        "subject": a_vm_id(),
        "time": "2026-03-02T12:00:00Z",
        "datacontenttype": "application/json",
        "data": {"vmName": "wéb-1"},
    }


async def test_a_topic_takes_many_at_once_with_the_apps_token(hook: Hook) -> None:
    topic = CloudEvents(
        hook.url,
        kind=TOPIC,
        secret="",
        clock=MemoryClock(NOW),
        authentication=StaticToken("token"),
    )

    await topic.send([an_event(str(number)) for number in range(topic.at_once)])
    await topic.close()

    ((_, headers, _),) = hook.requests
    assert [event["id"] for event in hook.bodies[0]] == [str(n) for n in range(50)]
    assert headers["authorization"] == "Bearer token"
    assert "webhook-signature" not in headers


async def test_a_webhook_is_signed_as_standard_webhooks_has_it(hook: Hook) -> None:
    receiver = connect_events(hook.url, SECRET, Identity(), clock=MemoryClock(NOW))

    await receiver.send([an_event()])
    await receiver.close()

    ((_, headers, body),) = hook.requests
    at = str(int(NOW.timestamp()))
    said = b"away-1." + at.encode() + b"." + body
    signature = base64.b64encode(hmac.new(bytes(range(32)), said, hashlib.sha256).digest())
    assert headers["webhook-id"] == "away-1"
    assert headers["webhook-timestamp"] == at
    assert headers["webhook-signature"] == "v1," + signature.decode()
    assert "authorization" not in headers


async def test_each_is_sent_once_and_whatever_may_pass_is_retryable(
    receiver: CloudEvents, hook: Hook
) -> None:
    for status in (301, 401, 403, 404, 408, 410, 429, 500, 503):
        hook.answers = [(status, {"Retry-After": "30", "Location": hook.url})]
        hook.requests.clear()

        error = await kind_of(receiver)

        assert isinstance(error, Retryable), status
        assert len(hook.requests) == 1, status
        if status in (429, 503):
            assert error.retry_after == timedelta(seconds=30)


async def test_what_a_webhook_finds_fault_with_is_final_and_a_topic_is_set_up_wrongly(
    receiver: CloudEvents, hook: Hook
) -> None:
    for status in (400, 413, 422):
        hook.answers = [(status, {})]

        expected = Retryable if receiver.at_once > 1 else Terminal
        assert type(await kind_of(receiver)) is expected


async def test_nobody_there_is_retryable(receiver: CloudEvents, unused_tcp_port: int) -> None:
    receiver._url = f"http://127.0.0.1:{unused_tcp_port}/?{KEY}"

    assert isinstance(await kind_of(receiver), Retryable)


async def test_no_error_and_no_name_shows_the_key_in_the_address(
    receiver: CloudEvents, hook: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    hook.answers = [(401, {}), (500, {})]

    said = [str(await kind_of(receiver)) for _ in range(2)]
    # The receiver's own log is not ours.
    said += [each.getMessage() for each in caplog.records if each.name != "aiohttp.access"]

    assert receiver.name == "127.0.0.1"
    assert not [text for text in said if "never-shown" in text or SECRET in text]


async def test_a_check_sends_no_event_and_says_what_is_wrong(
    receiver: CloudEvents, hook: Hook
) -> None:
    hook.answers = [(200, {}), (405 if receiver.at_once == 1 else 400, {}), (403, {}), (503, {})]

    await receiver.check()
    await receiver.check()
    for expected in ("403", "503"):
        with pytest.raises(BatonError, match=expected):
            await receiver.check()

    methods = {method for method, _, _ in hook.requests}
    assert methods == ({"POST"} if receiver.at_once > 1 else {"OPTIONS"})
    assert {body for _, _, body in hook.requests} <= {b"", b"[]"}


def test_only_a_topic_of_azures_own_is_shown_a_token() -> None:
    clock = MemoryClock(NOW)

    def at_once(host: str) -> int:
        url = f"https://{host}/api/events"
        return connect_events(url, "", Identity(), clock=clock).at_once

    assert at_once("evgt-ops.westeurope-1.eventgrid.azure.net") == 50
    assert at_once("evgt.eventgrid.azure.net.example.com") == 1
    assert at_once("eventgrid.azure.net") == 1
