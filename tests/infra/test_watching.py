"""What the alarms and the workbook look for, the code says; and an empty page says why it is empty."""

import ast
import json
import re
from pathlib import Path

import pytest

from cli.paths import ROOT
from shared.adapters.measures import MEASURES
from tests.infra.bicep import read

INFRA = ROOT / "infra"
ALERTS = INFRA / "modules/alerts.bicep"
WORKBOOK = json.loads((INFRA / "workbook.json").read_text())
QUERIES = [item["content"] for item in WORKBOOK["items"] if item["type"] == 3]
METRICS = {measure.metric for measure in MEASURES}
# Tables of the workspace: https://learn.microsoft.com/azure/azure-monitor/reference/tables-category
TABLES = {"AppTraces", "AppMetrics", "AppRequests"}


def said_by_the_code() -> tuple[set[str], set[str]]:
    """Every `action` of a log line, and every name that a field may have."""
    actions: set[str] = set()
    fields: set[str] = set()
    for path in (ROOT / "shared").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Dict):
                keys = [k.value if isinstance(k, ast.Constant) else None for k in node.keys]
                fields |= {key for key in keys if isinstance(key, str)}
                actions |= {
                    str(value.value)
                    for key, value in zip(keys, node.values, strict=True)
                    if key == "action" and isinstance(value, ast.Constant)
                }
    return actions, fields


def queries() -> dict[str, str]:
    """Name → KQL, of the alarms and of the workbook."""
    rules = read(ALERTS).variables["rules"]
    of_alarms = {rule["name"]: getattr(rule["query"], "text", rule["query"]) for rule in rules}
    return {**of_alarms, **{query["title"]: query["query"] for query in QUERIES}}


def unknown(query: str) -> list[str]:
    """What a query looks for, and no code says."""
    actions, fields = said_by_the_code()
    query = query.replace("\\'", "'")
    looked = set(re.findall(r"\baction == '(\w+)'", query))
    looked |= {
        name
        for listed in re.findall(r"\baction in \(([^)]*)\)", query)
        for name in re.findall(r"'(\w+)'", listed)
    }
    metrics = set(re.findall(r"\bName == '([\w.]+)'", query))
    columns = set(re.findall(r"\bline\.(\w+)", query)) - {"message", "action"}
    return sorted((looked - actions) | (metrics - METRICS) | (columns - fields))


@pytest.mark.parametrize("name", queries())
def test_what_a_query_looks_for_exists_in_the_code(name):
    assert unknown(queries()[name]) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("X | where action == 'unheard_of'", ["unheard_of"]),
        ("X | where action in ('mail_sent', 'mail_lost')", ["mail_lost"]),
        ("AppMetrics | where Name == 'baton.starts.lagg'", ["baton.starts.lagg"]),
        ("X | project line.vmname", ["vmname"]),
    ],
)
def test_what_no_code_says_is_found(query, found):
    assert unknown(query) == found


@pytest.mark.parametrize("name", queries())
def test_a_query_reads_a_table_of_the_workspace(name):
    used = set(re.findall(r"\bApp[A-Z]\w+", queries()[name].replace("BATON_LINES", "AppTraces")))
    used |= {"AppTraces"} if "${lines}" in queries()[name] else set()

    assert used
    assert used <= TABLES


def test_what_every_query_begins_with_is_one_line_that_fits_into_json():
    lines = (INFRA / "lines.kql").read_text().strip()

    assert lines.startswith("AppTraces |")
    assert json.loads(f'"{lines}"') == lines


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: str(query["title"]))
def test_an_empty_part_of_the_workbook_says_why_it_is_empty(query):
    assert len(query["noDataMessage"].split()) > 8


def test_the_first_part_of_the_workbook_says_how_it_stands_and_is_never_empty():
    first = QUERIES[0]["query"]

    assert "print State = case(" in first
    for why in ("Nothing has arrived", "is silent since", "no job ended", "outcomes in this time"):
        assert why in first


def test_every_alarm_has_its_line_in_the_runbook():
    runbook = (ROOT / "docs/runbook.md").read_text()
    names = [rule["name"] for rule in read(ALERTS).variables["rules"]] + ["dead-letters"]

    assert [name for name in names if f"`{name}`" not in runbook] == []


def test_every_alarm_tells_the_action_group():
    rules = [r for r in read(ALERTS).resources if r.type.startswith("Microsoft.Insights/")]

    assert len(rules) == 2
    assert all("actionGroupId" in str(rule.body["properties"]["actions"]) for rule in rules)


def test_azures_notices_go_to_a_function_that_is_there():
    (group,) = [r for r in read(INFRA / "hints.bicep").resources if r.symbol == "actionGroup"]
    (receiver,) = group.body["properties"]["azureFunctionReceivers"]
    hint = (ROOT / "functions/hint.py").read_text()

    assert f'@bp.function_name("{receiver["functionName"]}")' in hint
    (route,) = re.findall(r"/api/(\w+)\?", receiver["httpTriggerUrl"].text)
    assert f'route="{route}"' in hint


def test_files_that_bicep_loads_are_there():
    for path in INFRA.rglob("*.bicep"):
        for name in re.findall(r"load\w+Content\('([^']+)'\)", path.read_text()):
            assert (path.parent / Path(name)).exists(), f"{path.name}: {name}"
