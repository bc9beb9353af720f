"""Azurite runs from the pinned packages, and keeps its accounts apart."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.data.tables import TableServiceClient

from cli.paths import ROOT
from simulator import azurite, npm
from simulator.processes import Child, ProcessError, Watchdog

INSTALLED = ROOT / ".baton" / "node"


@pytest.fixture
def watchdog() -> Iterator[Watchdog]:
    watchdog = Watchdog()
    yield watchdog
    watchdog.close()


@pytest.fixture(scope="module")
def entry() -> Path:
    return azurite.install(INSTALLED, print)


def test_an_account_sees_only_its_own_tables(entry, watchdog, tmp_path):
    child = Child(azurite.program(entry, accounts=("one", "two")), tmp_path / "log", watchdog)
    port = child.await_ready()["port"]
    one, two = (
        TableServiceClient.from_connection_string(azurite.connection_string(port, account))
        for account in ("one", "two")
    )
    with one, two:
        one.create_table("BatonPolicies")

        assert [table.name for table in one.list_tables()] == ["BatonPolicies"]
        assert list(two.list_tables()) == []
    child.stop()


def test_tables_kept_in_a_folder_survive_a_restart(entry, watchdog, tmp_path):
    program = azurite.program(entry, location=tmp_path / "tables")
    first = Child(program, tmp_path / "log", watchdog)
    with TableServiceClient.from_connection_string(first.await_ready()["connectionString"]) as one:
        one.create_table("BatonPolicies").create_entity({"PartitionKey": "shop", "RowKey": "web"})
    assert first.stop() == 0
    second = Child(program, tmp_path / "log", watchdog)
    with TableServiceClient.from_connection_string(second.await_ready()["connectionString"]) as two:
        rows = [row["RowKey"] for row in two.get_table_client("BatonPolicies").list_entities()]
    second.stop()

    assert rows == ["web"]


def test_packages_already_there_are_not_installed_again(entry, monkeypatch):
    monkeypatch.setattr(npm, "_ci", None)

    assert azurite.install(INSTALLED, pytest.fail) == entry


def test_an_installation_that_failed_is_not_taken_for_one(tmp_path, monkeypatch):
    def no_network(*_, **__):
        raise ProcessError("npm could not install Azurite")

    monkeypatch.setattr(npm, "_ci", no_network)

    for _ in range(2):
        with pytest.raises(ProcessError):
            azurite.install(tmp_path, print)


@pytest.mark.parametrize("folder", ["simulator/node", "tests/e2e/node"])
def test_the_lock_pins_every_package_by_its_content(folder):
    lock = (ROOT / folder / "package-lock.json").read_text()

    assert lock.count('"integrity": "sha512-') == lock.count('"resolved": ') > 10
    assert lock.count('"resolved": ') == lock.count('"resolved": "https://registry.npmjs.org/')
