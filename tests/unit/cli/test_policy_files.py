"""Policy files say what their author wrote, whatever YAML thinks of it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.policy_files import FileRow, read_policies, written
from shared.domain.errors import InvalidInput


@pytest.fixture
def file(tmp_path: Path):
    def write(text: str, name: str = "policies.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def columns(path: Path) -> dict[str, object]:
    (row,) = read_policies(path)
    return dict(row.columns)


def refused(path: Path) -> str:
    with pytest.raises(InvalidInput) as caught:
        read_policies(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("windows", "22:00-04:00"),
        ("windows", "22:00"),
        ("freezes", "2026-12-24"),
        ("freezes", "2026-12-31T18:00:00"),
        ("timeZone", "no"),
        ("match", "on"),
        ("gap", "1_000"),
        ("gap", "0x1F"),
        ("estimate", ".5"),
        ("enabled", "yes"),
        ("concurrency", "2.0"),
        ("priority", "1e2"),
    ],
)
def test_a_value_is_the_text_that_was_written(file, column, text):
    assert columns(file(f"shop: {{web: {{{column}: {text}}}}}")) == {column: text}


def test_flags_and_numbers_have_the_types_that_a_table_gives_them(file):
    path = file(
        "[{team: shop, policy: web, enabled: FALSE, concurrency: 2, retries: '3', gap: 90, match: true}]"
    )

    found = columns(path)

    assert found == {
        "enabled": False,
        "concurrency": 2,
        "retries": 3,
        "gap": "90",
        "match": "true",
    }
    assert type(found["enabled"]) is bool


@pytest.mark.parametrize("empty", ["", "~", "null", "''", '"  "'])
def test_an_empty_value_is_the_default(file, empty):
    assert columns(file(f"shop:\n  web:\n    exclude: {empty}\n    gap: 5m\n")) == {"gap": "5m"}


def test_the_three_forms_of_a_file_are_one(file):
    by_keys = file(
        "- PartitionKey: shop\n  RowKey: web\n  gap: 5m\n- {team: shop, policy: '010'}\n"
    )
    rows = [(row.team, row.policy, row.columns) for row in read_policies(by_keys)]

    assert rows == [("shop", "web", {"gap": "5m"}), ("shop", "010", {})]
    for text, name in (
        ("shop:\n  web: {gap: 5m}\n  010:\n", "policies.yaml"),
        ('{"shop": {"web": {"gap": "5m"}, "010": {}}}', "policies.json"),
        (
            '[{"team":"shop","policy":"web","gap":"5m"},\n\t{"team":"shop","policy":"010"}]',
            "p.json",
        ),
    ):
        found = read_policies(file(text, name))
        assert [(row.team, row.policy, row.columns) for row in found] == rows


def test_a_row_copied_from_the_table_may_carry_what_the_table_added(file):
    path = file("[{team: shop, policy: web, status: ok, statusMessage: x, Timestamp: y, gap: 5m}]")

    assert columns(path) == {"gap": "5m"}


def test_rows_and_values_know_their_lines(file):
    path = file("shop:\n  web:\n    match: '*'\n\n    gap: 5m\n  db: {}\n")

    web, db = read_policies(path)

    assert (web.line, web.lines) == (2, {"match": 3, "gap": 5})
    assert db.line == 6


@pytest.mark.parametrize(
    ("value", "stands"),
    [("[a, b]", "(list)"), ("{a: b}", "(mapping)"), ("1m\n    gap: 2m", "(given-twice)")],
)
def test_what_no_cell_can_hold_stands_as_words_that_are_refused_later(file, value, stands):
    assert columns(file(f"shop:\n  web:\n    gap: {value}\n")) == {"gap": stands}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[5]", "the row is '5'"),
        ("shop: 5", "the team is '5'"),
        ("shop: {web: 5}", "the policy is '5'"),
        ("[{team: a/b, policy: web}]", "PartitionKey is 'a/b'"),
        ("shop: {web: {}, 'web': {}}", "expected a name of its own: line 1"),
    ],
)
def test_a_bad_row_says_so_and_stops_no_other(file, text, problem):
    more = "\n- {team: x, policy: y}" if text.startswith("[") else "\nx: {y: {}}"
    rows = read_policies(file(text.replace("[", "- ").replace("]", "") + more))

    assert any(problem in str(found) for row in rows for found in row.problems)
    assert (rows[-1].key, rows[-1].problems) == (("x", "y"), ())


@pytest.mark.parametrize(
    ("text", "name", "says"),
    [
        ("shop:\n  web: [\n", "p.yaml", "p.yaml: line 3"),
        ("shop:\n\tweb: {}\n", "p.yaml", "line 2 is 'web: {}'; expected YAML"),
        ('[{"team": "shop",\n "policy" "web"}]', "p.json", "line 2"),
        ("a: {b: {}}\n---\nc: {d: {}}\n", "p.yaml", "line 2"),
        ("a: &a [*a]\n---\n", "p.yaml", "expected YAML"),
        ("", "p.yaml", "expected a list of rows, or a mapping"),
        ("web-*", "p.yaml", "the document is 'web-*'"),
        ("a: \x07", "p.yaml", "expected YAML"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_its_line(file, text, name, says):
    assert says in refused(file(text, name))


def test_a_file_that_is_not_there_is_named(tmp_path):
    assert "nothing.yaml: the file is 'No such file" in refused(tmp_path / "nothing.yaml")


def test_what_powershell_writes_can_be_read(tmp_path):
    path = tmp_path / "policies.json"
    path.write_bytes('[{"team": "größe", "policy": "web"}]'.encode("utf-16"))

    assert read_policies(path)[0].team == "größe"


def test_a_file_in_no_known_encoding_is_named(tmp_path):
    path = tmp_path / "policies.yaml"
    path.write_bytes("größe: {}".encode("latin-1"))

    assert "expected UTF-8" in refused(path)


_NAME = st.text(
    st.characters(codec="utf-8", exclude_characters="/\\#?", exclude_categories=("C", "Z")),
    min_size=1,
    max_size=8,
)
_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("C",)), max_size=12)
_COLUMNS = st.dictionaries(
    st.sampled_from(["match", "windows", "freezes", "gap"]), _TEXT.filter(lambda text: text.strip())
)


@given(
    teams=st.dictionaries(_NAME, st.dictionaries(_NAME, _COLUMNS, min_size=1), max_size=3),
    flag=st.booleans(),
    number=st.integers(-5, 1000),
)
def test_what_is_written_reads_the_same(tmp_path_factory, teams, flag, number):
    rows = [
        (team, policy, {**columns, "enabled": flag, "priority": number})
        for team, policies in teams.items()
        for policy, columns in policies.items()
    ]
    for form in ("yaml", "json"):
        path = tmp_path_factory.getbasetemp() / f"round-trip.{form}"
        path.write_text(written(rows, as_json=form == "json"), encoding="utf-8")

        found = [(row.team, row.policy, row.columns) for row in read_policies(path)]
        assert found == rows


def test_other_readers_of_yaml_see_the_same_texts():
    text = written([("shop", "no", {"windows": "22:00", "freezes": "2026-12-24"})], as_json=False)

    assert "'no':" in text
    assert "'22:00'" in text
    assert "'2026-12-24'" in text
    assert json.loads(written([], as_json=True)) == {}


def test_a_row_is_known_by_team_and_policy():
    assert FileRow(team="shop", policy="web", line=1).key == ("shop", "web")


@pytest.mark.parametrize(
    "text",
    [
        '- team: "\\UFFFFFFFF"',
        '- team: "\\U00110000"',
        "%YAML 1." + "9" * 5_000 + "\n---\na: b",
        "[" * 2_000,
    ],
)
def test_what_makes_the_yaml_reader_stumble_is_named(file, text):
    assert "expected YAML" in refused(file(text))
