"""Each store twice: in memory, and in the tables of an Azurite."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, Protocol

import pytest
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient

from shared.adapters.memory import (
    MemoryAlerts,
    MemoryJobs,
    MemoryOutcomes,
    MemoryPatchStore,
    MemoryPauses,
    MemoryPolicies,
)
from shared.adapters.table_alerts import TableAlerts
from shared.adapters.table_jobs import TableJobs
from shared.adapters.table_outcomes import TableOutcomes
from shared.adapters.table_patches import TablePatches
from shared.adapters.table_pauses import TablePauses
from shared.adapters.table_policies import TablePolicies
from shared.adapters.tables import TableService
from shared.ports import AlertStore, JobStore, OutcomeStore, PatchStore, PauseStore, PolicyStore
from tests.contract.azurite import own_tables, running_azurite


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_azurite(tmp_path_factory.mktemp("azurite")) as connection_string:
        yield connection_string


@pytest.fixture(params=["memory", "tables"])
async def service(request: pytest.FixtureRequest) -> AsyncIterator[TableService | None]:
    """The account, or None for memory."""
    if request.param == "memory":
        yield None
        return
    account = own_tables(request.getfixturevalue("azurite"))
    yield account
    await account.close()


@pytest.fixture
def jobs(service: TableService | None) -> JobStore:
    return TableJobs(service) if service else MemoryJobs()


@pytest.fixture
def policies(service: TableService | None) -> PolicyStore:
    return TablePolicies(service) if service else MemoryPolicies()


@pytest.fixture
def pauses(service: TableService | None) -> PauseStore:
    return TablePauses(service) if service else MemoryPauses()


@pytest.fixture
def outcomes(service: TableService | None) -> OutcomeStore:
    return TableOutcomes(service) if service else MemoryOutcomes()


@pytest.fixture
def alerts(service: TableService | None) -> AlertStore:
    return TableAlerts(service) if service else MemoryAlerts()


@pytest.fixture
def patch_store(service: TableService | None) -> PatchStore:
    return TablePatches(service) if service else MemoryPatchStore()


class People(Protocol):
    """Those who write policies and read outcomes, with tools of their own."""

    async def write_policy(self, team: str, policy: str, **columns: Any) -> None: ...

    async def remove_policy(self, team: str, policy: str) -> None: ...

    async def outcomes(self) -> list[dict[str, Any]]: ...


class PeopleOfMemory:
    def __init__(self, policies: MemoryPolicies, outcomes: MemoryOutcomes) -> None:
        self._policies = policies
        self._outcomes = outcomes

    async def write_policy(self, team: str, policy: str, **columns: Any) -> None:
        self._policies.put(team, policy, **columns)

    async def remove_policy(self, team: str, policy: str) -> None:
        self._policies.remove(team, policy)

    async def outcomes(self) -> list[dict[str, Any]]:
        return self._outcomes.rows()


class PeopleOfTables:
    """They use the SDK by itself, as Storage Explorer would."""

    def __init__(self, service: TableService) -> None:
        self._service = service

    async def write_policy(self, team: str, policy: str, **columns: Any) -> None:
        table = await self._table("Policies")
        entity = {"PartitionKey": team, "RowKey": policy, **columns}
        await table.upsert_entity(entity, mode=UpdateMode.MERGE)

    async def remove_policy(self, team: str, policy: str) -> None:
        await (await self._table("Policies")).delete_entity(team, policy)

    async def outcomes(self) -> list[dict[str, Any]]:
        table = await self._table("Outcomes")
        return [dict(entity) async for entity in table.list_entities()]

    async def _table(self, name: str) -> TableClient:
        return await self._service.client().create_table_if_not_exists(self._service.prefix + name)


@pytest.fixture
def people(service: TableService | None, policies: PolicyStore, outcomes: OutcomeStore) -> People:
    if service:
        return PeopleOfTables(service)
    assert isinstance(policies, MemoryPolicies)
    assert isinstance(outcomes, MemoryOutcomes)
    return PeopleOfMemory(policies, outcomes)
