"""What the table service's bad answers become, and how often a request is sent; over a real wire."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any, Self

import pytest
from aiohttp import web
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.data.tables.aio import TableServiceClient

from shared.adapters.table_alerts import TableAlerts
from shared.adapters.table_jobs import TableJobs
from shared.adapters.tables import TableService, connect_tables
from shared.domain.errors import Retryable, Stale, Terminal
from shared.domain.ledger import Change
from tests.builders import NOW, a_head, an_alert

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FaultyTables:
    """Answers each request with the next scripted answer, the last one again and again."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.over = asyncio.Event()
        self._answers: deque[Answer] = deque()

    def answers(self, *answers: Answer) -> None:
        self._answers = deque(answers)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path}")
        await request.read()
        answer = self._answers.popleft() if len(self._answers) > 1 else self._answers[0]
        return await answer(request)


def says(status: int, code: str = "", body: str | None = None, **headers: str) -> Answer:
    """An answer in the words of the table service, or with a body of its own."""
    text = body or f'{{"odata.error":{{"code":"{code}","message":{{"value":"{code} it is"}}}}}}'
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    sent.setdefault("Content-Type", "application/json")

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=text.encode(), headers=sent)

    return answer


def part(status: int, code: str) -> Answer:
    """A transaction's answer whose first row failed."""
    inner = (
        "--c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n\r\n"
        f'{{"odata.error":{{"code":"{code}","message":{{"value":"0:{code} it is"}}}}}}\r\n--c--\r\n'
    )
    body = f"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n{inner}\r\n--b--\r\n"
    return says(202, body=body, Content_Type="multipart/mixed; boundary=b")


async def hangs_up(request: web.Request) -> web.StreamResponse:
    assert request.transport
    request.transport.close()
    return web.Response()


async def breaks_off(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(
        headers={"Content-Type": "application/json", "Content-Length": "999"}
    )
    await answer.prepare(request)
    await answer.write(b'{"value":[')
    return await hangs_up(request)


FOUND = says(200, body='{"value":[]}')
MADE = says(204)


@pytest.fixture
def faulty() -> FaultyTables:
    return FaultyTables()


@pytest.fixture
async def service(faulty: FaultyTables) -> AsyncIterator[TableService]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", faulty.handle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    account = connect_tables(
        f"AccountName=a;AccountKey=AAAA;TableEndpoint=http://127.0.0.1:{port}/a;",
        None,
        None,
        "Baton",
    )
    yield account
    await account.close()
    faulty.over.set()
    await runner.cleanup()


async def read(service: TableService) -> object:
    return await TableAlerts(service).unsent()


async def write(service: TableService) -> object:
    return await TableAlerts(service).add(an_alert())


async def commit(service: TableService) -> object:
    return await TableJobs(service).commit(Change(heads=(a_head(),), at=NOW))


async def test_a_busy_moment_is_waited_out(service: TableService, faulty: FaultyTables) -> None:
    faulty.answers(says(503, "ServerBusy"), says(500, "OperationTimedOut"), FOUND)

    assert await read(service) == []
    assert len(faulty.requests) == 3


@pytest.mark.parametrize("answer", [says(429, "TooMany"), says(503, "ServerBusy")])
async def test_a_write_that_was_turned_away_is_sent_again(
    service: TableService, faulty: FaultyTables, answer: Answer
) -> None:
    faulty.answers(answer, MADE)

    assert await write(service) is True
    assert len(faulty.requests) == 2


@pytest.mark.parametrize("step", [write, commit])
@pytest.mark.parametrize(
    "answer", [says(500, "OperationTimedOut"), says(504, body="<html>"), hangs_up, breaks_off]
)
async def test_a_write_that_may_have_been_done_is_not_sent_again(
    service: TableService,
    faulty: FaultyTables,
    step: Callable[[TableService], Awaitable[object]],
    answer: Answer,
) -> None:
    faulty.answers(answer)

    with pytest.raises(Retryable):
        await step(service)

    assert len(faulty.requests) == 1


@pytest.mark.parametrize("step", [read, write, commit])
@pytest.mark.parametrize("status", [429, 503])
async def test_whoever_must_wait_long_is_told_so_at_once(
    service: TableService,
    faulty: FaultyTables,
    step: Callable[[TableService], Awaitable[object]],
    status: int,
) -> None:
    faulty.answers(says(status, "ServerBusy", Retry_After="30"))

    with pytest.raises(Retryable) as caught:
        await step(service)

    assert caught.value.retry_after == timedelta(seconds=30)
    assert len(faulty.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        hangs_up,
        breaks_off,
        says(502, body="<html>Bad gateway</html>", Content_Type="text/html"),
        says(500, body="\x00\xff"),
        says(200, body="rubbish"),
        says(200, body="[]"),
    ],
)
async def test_a_read_that_stays_without_a_good_answer_may_succeed_later(
    service: TableService, faulty: FaultyTables, answer: Answer
) -> None:
    faulty.answers(answer)

    with pytest.raises(Retryable):
        await read(service)

    # aiohttp repeats a GET by itself where a connection that it kept was closed.
    assert len(faulty.requests) in (3, 6)


@pytest.mark.parametrize(
    "answer",
    [
        says(202, body="rubbish", Content_Type="multipart/mixed; boundary=b"),
        says(202, body="rubbish", Content_Type="text/html"),
        part(503, "ServerBusy"),
        part(500, "OperationTimedOut"),
    ],
)
async def test_a_transaction_without_a_clear_answer_may_succeed_later(
    service: TableService, faulty: FaultyTables, answer: Answer
) -> None:
    faulty.answers(answer)

    with pytest.raises(Retryable):
        await commit(service)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (412, "UpdateConditionNotSatisfied"),
        (409, "EntityAlreadyExists"),
        (404, "ResourceNotFound"),
    ],
)
async def test_a_row_that_is_not_as_expected_is_stale(
    service: TableService, faulty: FaultyTables, status: int, code: str
) -> None:
    faulty.answers(part(status, code))

    with pytest.raises(Stale, match=code):
        await commit(service)

    assert len(faulty.requests) == 1


@pytest.mark.parametrize("step", [read, write, commit])
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "InvalidAuthenticationInfo"),
        (403, "AuthorizationPermissionMismatch"),
        (403, "AuthorizationFailure"),
        (403, "AuthenticationFailed"),
    ],
)
async def test_no_access_is_terminal_and_names_the_role(
    service: TableService,
    faulty: FaultyTables,
    step: Callable[[TableService], Awaitable[object]],
    status: int,
    code: str,
) -> None:
    faulty.answers(says(status, code))

    with pytest.raises(Terminal, match=f"{code}.*Storage Table Data Contributor"):
        await step(service)

    assert len(faulty.requests) == 1


async def test_what_the_service_will_never_take_is_terminal(
    service: TableService, faulty: FaultyTables
) -> None:
    faulty.answers(part(400, "PropertyValueTooLarge"))

    with pytest.raises(Terminal, match=r"400.*BatonJobs.*PropertyValueTooLarge"):
        await commit(service)


async def test_a_missing_table_is_made_and_the_request_repeated(
    service: TableService, faulty: FaultyTables
) -> None:
    faulty.answers(says(404, "TableNotFound"), says(201, body='{"TableName":"BatonAlerts"}'), MADE)

    assert await write(service) is True
    assert faulty.requests == ["POST /a/BatonAlerts", "POST /a/Tables", "POST /a/BatonAlerts"]


async def test_a_table_that_is_still_being_deleted_may_come_back_later(
    service: TableService, faulty: FaultyTables
) -> None:
    faulty.answers(says(404, "TableNotFound"), says(409, "TableBeingDeleted"))

    with pytest.raises(Retryable, match="TableBeingDeleted"):
        await write(service)


async def test_a_table_that_never_appears_is_not_asked_for_for_ever(
    service: TableService, faulty: FaultyTables
) -> None:
    created = says(201, body='{"TableName":"BatonAlerts"}')
    faulty.answers(says(404, "TableNotFound"), created, says(404, "TableNotFound"))

    with pytest.raises(Retryable, match="TableNotFound"):
        await write(service)

    assert len(faulty.requests) == 3


async def test_silence_is_retryable(service: TableService, faulty: FaultyTables) -> None:
    async def is_silent(request: web.Request) -> web.StreamResponse:
        await faulty.over.wait()
        return web.Response()

    faulty.answers(is_silent)
    text = f"AccountName=a;AccountKey=AAAA;TableEndpoint={service.endpoint};"
    hasty = TableService(
        lambda: TableServiceClient.from_connection_string(text, retry_total=0, read_timeout=1),
        endpoint=service.endpoint,
        prefix="Baton",
    )

    with pytest.raises(Retryable):
        await write(hasty)

    await hasty.close()
    assert len(faulty.requests) == 1


class Identity:
    """An identity that gets no token."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def get_token(self, *scopes: str, **other: Any) -> AccessToken:
        raise self._error

    async def close(self) -> None:
        pass

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        pass


async def test_an_identity_without_a_token_is_terminal() -> None:
    error = ClientAuthenticationError(message="no managed identity")
    service = connect_tables(None, "https://127.0.0.1:1", Identity(error), "Baton")

    with pytest.raises(Terminal, match=r"https://127.0.0.1:1.*no managed identity.*Contributor"):
        await write(service)

    await service.close()


async def test_an_identity_endpoint_that_is_busy_is_retryable() -> None:
    error = ClientAuthenticationError(message="busy")
    error.status_code = 503
    service = connect_tables(None, "https://127.0.0.1:1", Identity(error), "Baton")

    with pytest.raises(Retryable):
        await write(service)

    await service.close()


def test_tables_need_an_address() -> None:
    with pytest.raises(ValueError, match="connection string"):
        connect_tables(None, "https://127.0.0.1:1", None, "Baton")
