from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import InvalidInput
from shared.domain.policy_row import parse_addresses, parse_policy, standing

KEY = ("shop", "web")


def problems(columns, key=KEY):
    with pytest.raises(InvalidInput) as caught:
        parse_policy(key, columns)
    return {problem.field: problem for problem in caught.value.problems}


def test_an_empty_row_is_every_default():
    policy = parse_policy(KEY, {"gap": "", "match": " ", "owners": None})

    assert policy.enabled
    assert policy.priority == 100
    assert policy.match.text == "*"
    assert policy.exclude is None
    assert policy.stages == ()
    assert policy.gap == policy.stage_gap == timedelta(minutes=15)
    assert policy.concurrency == 1
    assert policy.estimate == timedelta(minutes=25)
    assert policy.halts
    assert policy.retries == 3
    assert policy.owners == ()


def test_the_stage_gap_is_the_gap_where_it_is_not_given():
    assert parse_policy(KEY, {"gap": "2s"}).stage_gap == timedelta(seconds=2)
    assert parse_policy(KEY, {"gap": "2s", "stageGap": "0s"}).stage_gap == timedelta(0)


@pytest.mark.parametrize(
    ("column", "good"),
    [
        ("enabled", False),
        ("enabled", "TRUE"),
        ("priority", 0),
        ("priority", "200"),
        ("match", "tag:tier=web"),
        ("exclude", "name:*-test"),
        ("sequence", "tag:tier=db; tag:tier=app; *"),
        ("sequence", "tag:order"),
        ("gap", "0s"),
        ("stageGap", "PT1H"),
        ("concurrency", 1000),
        ("estimate", "5m"),
        ("onFailure", "continue"),
        ("retries", 0),
        ("owners", "a@example.com; B@example.com"),
    ],
)
def test_takes(column, good):
    parse_policy(KEY, {column: good})


@pytest.mark.parametrize(
    ("column", "bad"),
    [
        ("enabled", "yes"),
        ("enabled", 1),
        ("priority", -1),
        ("priority", "high"),
        ("priority", 1.5),
        ("priority", True),
        ("match", "web"),
        ("exclude", "name"),
        ("sequence", ";"),
        ("sequence", "tag:tier=db; web"),
        ("sequence", ";".join(["*"] * 101)),
        ("gap", "15"),
        ("gap", "-5m"),
        ("stageGap", "soon"),
        ("concurrency", 0),
        ("concurrency", 1001),
        ("estimate", "0s"),
        ("onFailure", "stop"),
        ("retries", -1),
        ("owners", "nobody"),
        ("owners", "a@example.com\r\nBcc: x@example.com"),
    ],
)
def test_refuses_with_the_column_the_value_and_the_fix(column, bad):
    (problem,) = problems({column: bad}).values()

    assert problem.field == column
    assert problem.expected


def test_names_every_problem_of_a_row_at_once():
    assert set(problems({"gap": "x", "concurrency": 0, "freeze": "2026-12-24"})) == {
        "gap",
        "concurrency",
        "freeze",
    }


def test_an_unknown_column_is_never_ignored_and_a_near_one_is_suggested():
    assert "did you mean match" in problems({"mach": "*"})["mach"].expected


@pytest.mark.parametrize(
    "column", ["windows", "timeZone", "freezes", "lead", "retryAborted", "approval"]
)
def test_a_column_of_the_contract_that_is_not_acted_upon_is_an_error_that_names_it(column):
    assert "does not act upon it yet" in problems({column: "x"})[column].expected


@pytest.mark.parametrize("name", ["", "a|b", "!x", "x" * 201])
def test_names_that_cannot_be_keys_are_refused(name):
    assert "PartitionKey" in problems({}, key=(name, "web"))
    assert "RowKey" in problems({}, key=("shop", name))


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=12),
        st.one_of(st.text(max_size=30), st.integers(), st.booleans(), st.none()),
    )
)
def test_a_row_of_anything_is_a_policy_or_named_problems(columns):
    try:
        parse_policy(KEY, columns)
    except InvalidInput as wrong:
        assert all(problem.field and problem.expected for problem in wrong.problems)


def test_a_wrong_row_acts_under_its_last_good_version():
    stands = standing(KEY, {"gap": "soon"}, {"gap": "5m"})

    assert stands.policy is not None
    assert stands.policy.gap == timedelta(minutes=5)
    assert [problem.field for problem in stands.problems] == ["gap"]


def test_a_wrong_row_that_never_was_right_starts_nothing_and_keeps_its_vms():
    stands = standing(KEY, {"gap": "soon", "match": "name:web-*", "priority": 7}, None)

    assert stands.policy is None
    assert stands.priority == 7
    assert stands.claim is not None


def test_a_wrong_row_whose_match_cannot_be_read_keeps_nothing():
    assert standing(KEY, {"match": "web"}, None).claim is None


def test_a_row_that_is_gone_has_no_policy_and_no_problem():
    stands = standing(KEY, None, {"gap": "5m"})

    assert stands.policy is None
    assert stands.problems == ()


def test_addresses_are_sorted_lower_cased_and_told_apart():
    assert parse_addresses("B@x.nl, a@x.nl;b@x.nl", field="owners") == ("a@x.nl", "b@x.nl")
