"""`./baton policy validate`: what is wrong with a file of policies, all of it, by name."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli import say
from cli.policy_check import matches_of, notes_of, problems_of, ties_of, validate
from cli.policy_files import FLAGS, NUMBERS, read_policies
from tests.builders import a_vm

NOW = datetime(2026, 12, 1, 18, 0, tzinfo=UTC)
COLUMNS = [
    "enabled",
    "priority",
    "match",
    "exclude",
    "sequence",
    "gap",
    "stageGap",
    "concurrency",
    "windows",
    "timeZone",
    "freezes",
    "estimate",
    "lead",
    "onFailure",
    "retries",
    "retryAborted",
    "approval",
    "owners",
]


@pytest.fixture
def rows(tmp_path: Path):
    def read(text: str):
        path = tmp_path / "policies.yaml"
        path.write_text(text)
        return read_policies(path)

    return read


def test_every_problem_of_every_row_is_found_with_its_line(rows):
    found = problems_of(
        rows(
            "shop:\n  web:\n    gap: 15\n    concurrency: 0\n  db: {}\nerp:\n  all: {colour: red}\n"
        )
    )

    assert [(f.row.key, f.problem.field, f.line) for f in found] == [
        (("shop", "web"), "gap", 3),
        (("shop", "web"), "concurrency", 4),
        (("erp", "all"), "colour", 7),
    ]


def test_a_row_that_is_none_has_one_problem(rows):
    assert len(problems_of(rows("- 5\n- {team: shop, policy: web}\n"))) == 1


def test_what_no_cell_can_hold_is_refused_by_every_column(rows):
    row = "".join(f"    {column}: [a, b]\n" for column in COLUMNS)

    found = problems_of(rows(f"shop:\n  web:\n{row}"))

    assert {finding.problem.field for finding in found} == set(COLUMNS)
    assert {finding.problem.value for finding in found} == {"(list)"}


def test_rows_that_tie_for_a_vm_are_both_wrong_and_say_for_which(rows):
    file = rows("a: {x: {match: 'name:web-*'}}\nb: {y: {match: 'tag:t'}}\nc: {z: {priority: 200}}")
    vms = [a_vm("web-1", tags={"t": ""}), a_vm("web-2", tags={"t": ""}), a_vm("web-3")]

    found = ties_of(file, vms)

    assert [(f.row.key, f.problem.field) for f in found] == [
        (("a", "x"), "priority"),
        (("b", "y"), "priority"),
    ]
    assert "web-1 (and 1 more VMs)" in found[0].problem.expected
    assert "a/x and b/y both match it" in found[0].problem.expected


def test_rows_that_could_tie_but_share_no_vm_are_right(rows):
    file = rows("a: {x: {match: 'name:web-*'}}\nb: {y: {match: 'name:db-*'}}")

    assert ties_of(file, [a_vm("web-1"), a_vm("db-1")]) == []
    assert matches_of(file, [a_vm("web-1"), a_vm("db-1")]) == []


def test_rows_without_vms_and_rows_that_lose_vms_are_warned_of(rows):
    file = rows(
        "a: {idle: {match: 'name:nothing'}, off: {enabled: false}, all: {}, web: {match: 'name:web-*', priority: 1}}"
    )

    assert matches_of(file, [a_vm("web-1"), a_vm("web-2"), a_vm("db-1")]) == [
        "a/idle matches no VM of the fleet",
        "a/all and a/web both match 2 VMs; a/web takes them, by its lower priority number",
    ]


def test_what_looks_like_a_slip_is_warned_of(rows):
    found = notes_of(rows("shop: {web: {windows: 22:00-23:00, gap: 3h}, wrong: {gap: x}}"), NOW)

    assert len(found) == 1
    assert found[0].startswith("shop/web: gap 3h is longer than the longest window")


def test_the_types_of_columns_are_those_that_are_read(rows):
    bad = "".join(f"    {column}: maybe\n" for column in sorted(FLAGS | NUMBERS))
    found = problems_of(rows(f"shop:\n  web:\n{bad}"))

    expected = {finding.problem.field: finding.problem.expected for finding in found}
    assert {column for column, text in expected.items() if text == "true or false"} == FLAGS
    assert {column for column, text in expected.items() if text.startswith("a whole")} == NUMBERS


def run(path: Path, text: str, fleet: Path | None = None, *, as_json: bool = False) -> int:
    path.write_text(text)
    return say.run(lambda: validate(path, fleet, as_json=as_json, now=NOW))


def test_a_right_file_is_0_and_says_so(tmp_path, capsys):
    path = tmp_path / "policies.yaml"

    assert run(path, "shop: {web: {}}") == 0
    assert capsys.readouterr() == (f"{path}: 1 row, all right\n", "")


def test_a_wrong_row_is_1_with_a_line_for_each_problem(tmp_path, capsys):
    path = tmp_path / "policies.yaml"

    assert run(path, "shop:\n  web:\n    gap: soon\n  db: {}\n") == 1
    out, err = capsys.readouterr()
    assert out == f"{path}: 2 rows, 1 of them wrong\n"
    assert err == (
        f"{path}:3: shop/web: gap is 'soon'; expected a duration such as PT15M, 15m, 1h30m or 90s\n"
    )


def test_a_file_that_is_none_is_2(tmp_path, capsys):
    assert run(tmp_path / "policies.yaml", "shop: [") == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_json_names_every_problem_and_warning(tmp_path, capsys):
    fleet = tmp_path / "fleet.json"
    fleet.write_text('[{"id": "nonsense"}]')

    assert run(tmp_path / "p.yaml", "shop:\n  web: {gap: soon}\n", fleet, as_json=True) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["rows"] == 1
    assert answer["problems"] == [
        {
            "team": "shop",
            "policy": "web",
            "line": 2,
            "column": "gap",
            "value": "soon",
            "expected": "a duration such as PT15M, 15m, 1h30m or 90s",
        }
    ]
    assert [text.split(":")[0] for text in answer["warnings"]] == ["nonsense"]
