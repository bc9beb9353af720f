"""The proxy before Azurite: true where no fault is planned, and each fault on its side of the write."""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import pytest
from azure.core.exceptions import AzureError, HttpResponseError
from azure.data.tables.aio import TableServiceClient

from simulator.faults import FaultError, put_faults, read_faults
from simulator.processes import Child, Watchdog, python

NO_RETRIES = {"retry_total": 0, "retry_connect": 0, "retry_read": 0, "retry_status": 0}


@pytest.fixture(scope="module")
def proxy(azurite: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    behind = azurite.split("TableEndpoint=")[1].rpartition("/")[0]
    watchdog = Watchdog()
    program = python("proxy", "simulator.tables_proxy", "--tables", behind)
    child = Child(program, tmp_path_factory.mktemp("proxy") / "proxy.log", watchdog)
    child.await_ready()
    yield child
    assert child.stop() == 0
    watchdog.close()


class Tables:
    """A table as seen through the proxy, and as it is."""

    def __init__(self, proxy: Child, through: Any, direct: Any) -> None:
        self.control = f"http://127.0.0.1:{proxy.facts['port']}/_emulator/faults"
        self.through = through
        self.direct = direct

    def faults(self, text: str) -> None:
        put_faults(self.control, text)

    async def rows(self) -> list[str]:
        return [entity["RowKey"] async for entity in self.direct.list_entities()]


@pytest.fixture
async def tables(azurite: str, proxy: Child) -> AsyncIterator[Tables]:
    head, _, end = azurite.partition("TableEndpoint=")
    account = end.strip(";").rpartition("/")[2]
    through = f"{head}TableEndpoint=http://127.0.0.1:{proxy.facts['port']}/{account};"
    name = f"P{uuid4().hex}"
    async with (
        TableServiceClient.from_connection_string(through, **NO_RETRIES) as faulty,
        TableServiceClient.from_connection_string(azurite) as true,
    ):
        await true.create_table(name)
        yield Tables(proxy, faulty.get_table_client(name), true.get_table_client(name))
    put_faults(f"http://127.0.0.1:{proxy.facts['port']}/_emulator/faults", "")


def a_row(key: str = "row's key") -> dict[str, Any]:
    return {"PartitionKey": "part", "RowKey": key, "text": "naïve ✓", "count": 7}


async def test_a_busy_service_says_so_in_its_own_words(tables: Tables) -> None:
    tables.faults("busy=1@get *")

    with pytest.raises(HttpResponseError) as busy:
        await tables.through.get_entity("part", "any")

    assert busy.value.status_code == 503
    assert "ErrorCode:ServerBusy" in str(busy.value)


async def test_without_faults_every_kind_of_request_is_passed_on(tables: Tables) -> None:
    await tables.through.create_entity(a_row())
    found = await tables.through.get_entity("part", "row's key")
    await tables.through.submit_transaction(
        [("create", a_row("b")), ("update", {**a_row(), "count": 8})]
    )
    listed = [entity["RowKey"] async for entity in tables.through.list_entities(results_per_page=1)]
    await tables.through.delete_entity("part", "b")

    assert (dict(found), listed) == (a_row(), ["b", "row's key"])
    assert await tables.rows() == ["row's key"]


@pytest.mark.parametrize(
    ("kind", "kept"),
    [("busy", 0), ("drop-before", 0), ("hang", 0), ("drop-after", 1), ("timed-out", 1)],
)
async def test_a_write_that_fails_was_applied_or_not(tables: Tables, kind: str, kept: int) -> None:
    tables.faults(f"{kind}=1{':0.2s' if kind == 'hang' else ''}@POST *")

    with pytest.raises(AzureError):
        await tables.through.create_entity(a_row())

    assert len(await tables.rows()) == kept


async def test_a_transaction_is_struck_as_a_whole(tables: Tables) -> None:
    tables.faults("timed-out=1x1@POST $batch")

    with pytest.raises(HttpResponseError) as lost:
        await tables.through.submit_transaction([("create", a_row("a")), ("create", a_row("b"))])

    assert lost.value.status_code == 500
    assert await tables.rows() == ["a", "b"]


async def test_a_slow_request_is_passed_on_in_the_end(tables: Tables) -> None:
    tables.faults("slow=1x1:0.1s")
    await tables.through.create_entity(a_row("a"))

    assert await tables.rows() == ["a"]
    assert read_faults(tables.control)["injected"]["slow"] == 1


async def test_a_wrong_plan_is_refused_and_named(tables: Tables) -> None:
    with pytest.raises(FaultError, match="no such kind; use one of busy, drop-after"):
        tables.faults("duplicate=1")
