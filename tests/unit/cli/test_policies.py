"""`./baton policy apply`: what it would do to the rows of the table."""

import pytest
from rich.console import Console

from cli.policies import edits, tell_rows
from cli.policy_files import FileRow
from shared.ports import PolicyRow


def wanted(policy: str = "web", **columns: object) -> FileRow:
    return FileRow(team="shop", policy=policy, columns=columns, line=1)


def stored(policy: str = "web", **columns: object) -> PolicyRow:
    return PolicyRow(team="shop", policy=policy, columns=columns, status="ok", etag="1")


def test_a_new_row_is_created():
    (edit,) = edits([wanted(gap="5m")], [], prune=False)

    assert str(edit) == "created shop/web"
    assert edit.row == PolicyRow(team="shop", policy="web", columns={"gap": "5m"})


def test_a_row_that_differs_is_changed_and_keeps_status_and_etag():
    before = stored(gap="5m", match="*", exclude="name:a")

    (edit,) = edits([wanted(gap="9m", match="*")], [before], prune=False)

    assert str(edit) == "changed shop/web: gap, exclude"
    assert edit.row.columns == {"gap": "9m", "match": "*"}
    assert (edit.row.status, edit.row.etag) == ("ok", "1")


def test_a_row_that_is_the_same_is_left_alone():
    (edit,) = edits([wanted(gap="5m")], [stored(gap="5m")], prune=False)

    assert edit.verb == "unchanged"


@pytest.mark.parametrize(("before", "after"), [(1, True), ("1", 1), (True, "true")])
def test_a_cell_of_another_type_is_another_cell(before, after):
    (edit,) = edits([wanted(enabled=after)], [stored(enabled=before)], prune=False)

    assert edit.verb == "changed"


def test_rows_that_the_file_does_not_have_stay_unless_they_are_pruned():
    kept = edits([wanted("web")], [stored("web"), stored("old")], prune=False)
    pruned = edits([wanted("web")], [stored("web"), stored("old")], prune=True)

    assert [str(edit) for edit in kept] == ["unchanged shop/web"]
    assert [str(edit) for edit in pruned] == ["unchanged shop/web", "deleted shop/old"]


def test_the_list_shows_what_counts_and_the_status_as_it_is():
    console = Console(width=120)
    with console.capture() as shown:
        tell_rows(
            console,
            [
                stored(match="name:web-*", priority=5),
                PolicyRow(
                    team="erp",
                    policy="all",
                    columns={"enabled": False},
                    status="error",
                    status_message="[red] is no markup",
                ),
                PolicyRow(team="new", policy="x", columns={}),
            ],
        )

    lines = [" ".join(line.split()) for line in shown.get().splitlines()]
    assert lines[1:] == [
        "shop web True 5 name:web-* ok",
        "erp all False 100 * error: [red] is no markup",
        "new x True 100 * not seen yet",
    ]
