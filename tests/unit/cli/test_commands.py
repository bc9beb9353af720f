"""Every command of `./baton` can be found, and explains itself."""

import io
import json
import os
import re
import runpy
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from unittest import mock

import pytest

from cli.checks import Finding, _timed, _tool
from cli.paths import ROOT

COMMANDS = (
    *("test", "check", "fix", "bench", "screenshots", "host", "demo", "chaos", "up", "down"),
    *("simulate", "package", "cost", "completion", "calendar"),
    *("plan", "explain", "approve", "status", "pause", "resume", "skip", "retry", "doctor"),
    "go-ahead",
    *(f"policy {verb}" for verb in ("validate", "apply", "list", "export")),
    *(f"hotpatch {verb}" for verb in ("onboard", "status", "enable", "disable")),
    *(f"hotpatch {verb}" for verb in ("calendar", "assess", "history")),
)
OF_TABLES = (
    *("plan", "explain vm", "approve a/b", "status", "pause", "resume", "skip vm", "retry vm"),
    "go-ahead vm",
    *("doctor", "calendar team", "policy list", "policy export", "hotpatch status"),
    *("hotpatch enable vm", "hotpatch disable vm", "hotpatch assess vm", "hotpatch history vm"),
)
ANSWER_PROGRAMS = (
    *("plan", "explain vm", "approve a/b", "status", "pause", "resume", "skip vm", "retry vm"),
    "go-ahead vm",
    *("doctor", "cost", "policy validate f", "policy apply f", "policy list"),
    *("hotpatch status", "hotpatch calendar", "hotpatch assess vm", "hotpatch history vm"),
)


@dataclass
class Ended:
    """How a command ended, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def baton(*arguments: str) -> Ended:
    """Runs it as a person does, without settings; in this process, for a new one takes half a second."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith("BATON")}
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, environment | {"COLUMNS": "80"}, clear=True),
        mock.patch.object(sys, "argv", ["./baton", *arguments]),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):
        runpy.run_module("cli", run_name="__main__")
    return Ended(int(ended.value.code or 0), out.getvalue(), err.getvalue())


def test_every_command_is_known_to_these_tests():
    found = {
        f"{group} {name}".strip()
        for group in ("", "policy", "hotpatch")
        for name in re.findall(
            r"^│ ([a-z-]+) +[A-Z]", baton(*group.split(), "--help").stdout, re.MULTILINE
        )
    }

    assert found - {"policy", "hotpatch"} == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_has_an_example(command):
    shown = baton(*command.split(), "--help")

    assert shown.returncode == 0
    assert f"./baton {command}" in shown.stdout.split("Example:")[1]


@pytest.mark.parametrize("command", OF_TABLES)
def test_a_command_without_the_setting_that_it_needs_names_it_and_ends_with_2(command):
    said = baton(*command.split())

    assert said.returncode == 2
    assert "BATON_TABLES__endpoint" in said.stdout + said.stderr
    assert "Traceback" not in said.stderr


def test_what_needs_no_setting_answers_programs_without_any():
    said = baton("hotpatch", "calendar", "2026", "--output", "json")

    assert said.returncode == 0
    assert len(json.loads(said.stdout)) == 12


@pytest.mark.parametrize("command", ANSWER_PROGRAMS)
def test_an_output_that_nobody_knows_is_refused(command):
    said = baton(*command.split(), "--output", "xml")

    assert said.returncode == 2
    assert "'xml' is not one of" in said.stderr


@pytest.mark.parametrize(("words", "found"), [("pau", "pause"), ("pause --rea", "--reason")])
def test_a_shell_that_took_the_script_completes_commands_and_options(words, found):
    line = f"./baton {words}"
    asked = {
        "_BATON_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(line.count(" ")),
    }

    assert _printed(asked).split() == [found]


def test_a_shell_is_given_a_script():
    script = _printed({}, "completion", "bash")

    assert script.strip().endswith("complete -o default -F _baton_completion ./baton")


def _printed(environment: dict[str, str], *arguments: str) -> str:
    """Of a process of its own, for completion is one that becomes another."""
    command = [sys.executable, "-m", "cli", *arguments]
    environment = {**os.environ, **environment}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    ).stdout


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
