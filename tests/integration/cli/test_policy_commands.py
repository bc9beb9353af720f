"""`./baton policy` against real tables, as a person runs it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from azure.data.tables import TableClient, UpdateMode

from cli import policies, say
from cli.paths import ROOT

FILE = """
shop:
  tiers:
    match: tag:owner=shop
    enabled: true
    concurrency: 2
  web:
    gap: 5m
"""
SMALLER = "shop: {tiers: {match: 'tag:owner=shop'}}"


class Terminal:
    """Tables of its own, and a folder with one file of policies."""

    def __init__(self, connection_string: str, folder: Path, prefix: str) -> None:
        self.file = folder / "policies.yaml"
        self.table = TableClient.from_connection_string(connection_string, prefix + "Policies")

    def apply(
        self, text: str, *, prune: bool = False, yes: bool = False, as_json: bool = False
    ) -> int:
        self.file.write_text(text)
        return say.run(lambda: policies.apply(self.file, prune=prune, yes=yes, as_json=as_json))

    def rows(self) -> dict[str, dict[str, object]]:
        keys = ("PartitionKey", "RowKey")
        return {
            str(row["RowKey"]): {name: cell for name, cell in row.items() if name not in keys}
            for row in self.table.list_entities()
        }


@pytest.fixture
def terminal(azurite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    prefix = f"T{uuid4().hex[:12]}"
    monkeypatch.setenv("BATON_TABLES", azurite)
    monkeypatch.setenv("BATON_TABLE_PREFIX", prefix)
    shell = Terminal(azurite, tmp_path, prefix)
    with shell.table:
        yield shell


def test_rows_are_created_changed_and_pruned_and_batons_columns_survive(terminal, capsys):
    assert terminal.apply(FILE) == 0
    assert capsys.readouterr().out == "created shop/tiers\ncreated shop/web\n"

    terminal.table.update_entity(
        {"PartitionKey": "shop", "RowKey": "tiers", "status": "ok", "statusMessage": ""},
        mode=UpdateMode.MERGE,
    )
    assert terminal.apply(SMALLER) == 0
    assert capsys.readouterr().out == "changed shop/tiers: enabled, concurrency\n"
    assert terminal.rows() == {
        "tiers": {"match": "tag:owner=shop", "status": "ok", "statusMessage": ""},
        "web": {"gap": "5m"},
    }

    assert terminal.apply(SMALLER, prune=True) == 1
    assert "shop/web is not in the file and would be deleted" in capsys.readouterr().err
    assert len(terminal.rows()) == 2

    assert terminal.apply(SMALLER, prune=True, yes=True, as_json=True) == 0
    done = [(one["policy"], one["result"]) for one in json.loads(capsys.readouterr().out)]
    assert done == [("tiers", "unchanged"), ("web", "deleted")]
    assert list(terminal.rows()) == ["tiers"]


def test_cells_have_the_types_of_the_contract(terminal):
    terminal.apply(FILE)

    kinds = {name: type(cell) for name, cell in terminal.rows()["tiers"].items()}
    assert kinds == {"match": str, "enabled": bool, "concurrency": int}


def test_one_wrong_row_keeps_the_whole_file_out(terminal, capsys):
    assert terminal.apply(FILE + "    retries: many\n") == 1
    assert "policies.yaml:9: shop/web: retries is 'many'" in capsys.readouterr().err

    assert say.run(lambda: policies.show(as_json=True)) == 0
    assert capsys.readouterr().out == "[]\n"


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_what_is_exported_applies_without_a_change(terminal, capsys, form):
    terminal.apply(FILE)
    capsys.readouterr()
    assert say.run(lambda: policies.export(as_json=form == "json")) == 0
    terminal.file = terminal.file.with_suffix(f".{form}")

    assert terminal.apply(capsys.readouterr().out) == 0
    assert capsys.readouterr().out == "unchanged shop/tiers\nunchanged shop/web\n"


def test_a_process_without_a_setting_for_the_tables_names_it_and_ends_with_2():
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BATON_")}
    command = [sys.executable, "-m", "cli", "policy", "list"]

    answer = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert answer.returncode == 2
    assert answer.stderr.startswith("settings: BATON_TABLES__endpoint is ''")
    assert "BATON_BUS" not in answer.stderr
