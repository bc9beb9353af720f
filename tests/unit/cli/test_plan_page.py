"""docs/plan.md shows what the commands print."""

import re
import shlex
import subprocess
import sys

import pytest

from cli.paths import ROOT

PAGE = (ROOT / "docs" / "plan.md").read_text()
SHOWN = re.findall(
    r"```console\n\./baton ((?:plan|explain) .*?)```\n+```text\n(.*?)```", PAGE, re.DOTALL
)


@pytest.mark.parametrize(("command", "shown"), SHOWN)
def test_a_command_of_the_page_prints_what_the_page_shows(command, shown, tmp_path):
    drawn = command.replace("plan.html", str(tmp_path / "plan.html")).replace("\\\n", "")
    arguments = [sys.executable, "-m", "cli", *shlex.split(drawn)]

    answer = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=True)

    lines = [line.rstrip() for line in answer.stdout.splitlines()]
    assert lines[: len(shown.splitlines())] == shown.splitlines()


def test_the_page_shows_both_commands():
    assert [command.split()[0] for command, _ in SHOWN] == ["plan", "explain"]
