"""Every command of `./baton` can be found, and explains itself."""

import os
import subprocess
import sys

import pytest

from cli.checks import Finding, _timed, _tool
from cli.paths import ROOT

COMMANDS = (
    *("test", "check", "fix", "bench", "screenshots", "host", "demo", "up", "down"),
    *("plan", "explain", "approve", "package"),
    *("status", "pause", "resume", "skip", "go-ahead", "retry", "calendar", "completion"),
)
POLICY_COMMANDS = ("policy validate", "policy apply", "policy list", "policy export")


def baton(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_help_lists_every_command():
    shown = baton("--help")

    assert shown.returncode == 0
    assert all(command in shown.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS + POLICY_COMMANDS)
def test_the_help_of_a_command_has_an_example(command):
    shown = baton(*command.split(), "--help")

    assert shown.returncode == 0
    assert f"./baton {command}" in shown.stdout.split("Example:")[1]


@pytest.mark.parametrize(("words", "found"), [("pau", "pause"), ("pause --rea", "--reason")])
def test_a_shell_that_took_the_script_completes_commands_and_options(words, found):
    script = baton("completion", "bash").stdout
    line = f"./baton {words}"
    asked = {
        "_BATON_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(line.count(" ")),
    }
    shown = subprocess.run(
        [sys.executable, "-m", "cli"],
        cwd=ROOT,
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        check=False,
    )

    assert script.strip().endswith("complete -o default -F _baton_completion ./baton")
    assert shown.stdout.split() == [found]


def test_an_unknown_command_is_an_error():
    assert baton("redeploy-everything").returncode == 2


def test_a_failing_tool_is_a_finding_with_its_output():
    complain = _tool(sys.executable, "-c", "print('line 3 is wrong'); raise SystemExit(1)")

    finding = _timed("lint", complain)

    assert (finding.passed, finding.output) == (False, "line 3 is wrong")


def test_a_tool_that_says_nothing_on_failing_still_fails():
    assert not _timed("lint", _tool(sys.executable, "-c", "raise SystemExit(1)")).passed


def test_a_check_that_breaks_is_a_finding_too():
    def broken() -> str:
        raise OSError("no such tool")

    finding = _timed("lint", broken)

    assert finding == Finding(
        "lint", passed=False, seconds=finding.seconds, output="OSError: no such tool"
    )
