import re
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import InvalidInput
from shared.domain.hours import Hours, parse_hours
from shared.domain.patching.columns import Patching
from shared.domain.patching.model import RebootSetting
from shared.domain.policy_columns import COLUMNS, parse_addresses
from shared.domain.policy_row import parse_policy, standing

KEY = ("shop", "web")
PAGE = Path(__file__).parents[3] / "docs" / "policies.md"


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
    assert policy.hours == Hours()
    assert policy.lead == timedelta(0)
    assert policy.halts
    assert policy.retries == 3
    assert not policy.retries_aborted
    assert not policy.needs_approval
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
        ("windows", "Mon-Fri 22:00-04:00; Sat,Sun 00:00-24:00; Tue#2 23:00+5h"),
        ("timeZone", "Europe/Amsterdam"),
        ("timeZone", "W. Europe Standard Time"),
        ("freezes", "2026-12-24; 2026-12-31T18:00/2027-01-02T08:00"),
        ("estimate", "5m"),
        ("lead", "0s"),
        ("lead", "P7D"),
        ("onFailure", "continue"),
        ("retries", 0),
        ("retryAborted", True),
        ("retryAborted", "false"),
        ("approval", "none"),
        ("approval", "required"),
        ("owners", "a@example.com; B@example.com"),
        ("patching", "observe"),
        ("patchClassifications", "security updates; UpdateRollUp"),
        ("kbInclude", 5034129),
        ("kbExclude", "kb5034129;5034130"),
        ("rebootSetting", "Never"),
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
        ("windows", "Monday 22:00-04:00"),
        ("windows", "Mon-Fri 22:00-22:00"),
        ("windows", 22),
        ("timeZone", "Europe/Amsterdm"),
        ("timeZone", "+02:00"),
        ("freezes", "christmas"),
        ("freezes", "2026-12-24T18:00"),
        ("estimate", "0s"),
        ("lead", "-1h"),
        ("lead", "soon"),
        ("onFailure", "stop"),
        ("retries", -1),
        ("retryAborted", "sometimes"),
        ("retryAborted", 1),
        ("approval", "yes"),
        ("owners", "nobody"),
        ("owners", "a@example.com\r\nBcc: x@example.com"),
        ("patching", True),
        ("patchClassifications", ";"),
        ("patchClassifications", "Security, Urgent"),
        ("kbInclude", "latest"),
        ("kbExclude", ","),
        ("kbExclude", ";".join(["5034129"] * 101)),
        ("rebootSetting", "Always"),
    ],
)
def test_refuses_with_the_column_the_value_and_the_fix(column, bad):
    (problem,) = problems({column: bad}).values()

    assert problem.field == column
    assert problem.expected


def examples(cell):
    """(column, example) of the table in docs/policies.md, from its fourth or fifth cell."""
    table = PAGE.read_text().partition("## Columns")[2].partition("\n## ")[0]
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| `")]
    return [
        (row[0].strip("| `"), text) for row in rows for text in re.findall("`(.*?)`", row[cell])
    ]


@pytest.mark.parametrize(("column", "good"), examples(3))
def test_takes_every_example_of_the_page(column, good):
    # A wait for a go-ahead must say what silence means.
    parse_policy(KEY, {"goAheadDefault": "skip", column: good})


@pytest.mark.parametrize(("column", "bad"), examples(4))
def test_refuses_what_the_page_says_it_refuses(column, bad):
    assert set(problems({column: bad})) == {column}


def test_the_page_has_an_example_of_every_column():
    assert [column for column, _ in groupby(examples(3), key=itemgetter(0))] == list(COLUMNS)


def test_names_every_problem_of_a_row_at_once():
    wrong = {"gap": "x", "concurrency": 0, "freeze": "2026-12-24", "windows": "x", "timeZone": "x"}

    assert set(problems(wrong)) == set(wrong)


def test_an_unknown_column_is_never_ignored_and_a_near_one_is_suggested():
    assert "did you mean match" in problems({"mach": "*"})["mach"].expected


def test_a_misspelt_freezes_column_makes_the_row_wrong():
    assert "did you mean freezes" in problems({"freeze": "2026-12-24"})["freeze"].expected


def test_windows_and_freezes_are_read_in_the_time_zone_of_the_row():
    policy = parse_policy(
        KEY,
        {"windows": "22:00-04:00", "timeZone": "Europe/Amsterdam", "freezes": "2026-12-24"},
    )

    assert policy.hours == parse_hours(
        windows="22:00-04:00", time_zone="Europe/Amsterdam", freezes="2026-12-24"
    )


def test_reads_lead_retry_aborted_and_approval():
    policy = parse_policy(KEY, {"lead": "P7D", "retryAborted": True, "approval": "required"})

    assert policy.lead == timedelta(days=7)
    assert policy.retries_aborted
    assert policy.needs_approval


def test_the_columns_of_patching_are_read_into_azures_words_and_digits():
    policy = parse_policy(
        KEY,
        {
            "patching": "install",
            "patchClassifications": "Definition Updates, security",
            "kbInclude": "KB5034130, 5034129",
            "kbExclude": "5030000",
            "rebootSetting": "Never",
        },
    )

    assert policy.patching is Patching.INSTALL
    assert policy.patch_classifications == ("Security", "Definition")
    assert policy.kb_include == ("5034129", "5034130")
    assert policy.kb_exclude == ("5030000",)
    assert policy.reboot_setting is RebootSetting.NEVER


def test_patching_is_off_until_a_row_asks_for_it():
    policy = parse_policy(KEY, {})

    assert policy.patching is Patching.NONE
    assert policy.patch_classifications == ("Critical", "Security")
    assert policy.kb_include == policy.kb_exclude == ()
    assert policy.reboot_setting is RebootSetting.IF_REQUIRED


def test_a_kb_is_not_both_installed_and_kept_out():
    wrong = problems({"kbInclude": "KB5034129", "kbExclude": "5034129; 5034130"})

    assert wrong["kbExclude"].value == "5034129"


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


def test_a_last_good_version_that_this_baton_cannot_read_counts_as_none():
    stands = standing(KEY, {"gap": "soon"}, {"gap": "a column of an older Baton"})

    assert stands.policy is None
    assert stands.claim is not None


@pytest.mark.parametrize("text", ["x" * 32_000, '"' * 16_000, "🗼" * 16_000])
def test_a_row_of_more_than_32000_characters_is_refused_whatever_they_are(text):
    """The table could not keep it as the last good one, and every other policy's jobs with it."""
    assert problems({"match": "name:" + text}).keys() == {"(the row)"}


def test_up_to_50_owners_are_told():
    fifty = [f"a{n}@x.nl" for n in range(50)]

    assert len(parse_addresses(",".join(fifty), field="owners")) == 50
    assert "at most 50" in problems({"owners": ",".join([*fifty, "b@x.nl"])})["owners"].expected
