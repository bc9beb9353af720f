"""How the operator's verbs speak: answers on stdout, complaints on stderr one line each, stable exit codes."""

import json
import sys
from collections.abc import Callable
from typing import Any

from rich.console import Console

from shared.domain.errors import BatonError, InvalidInput

OK, PROBLEMS, BAD_INPUT = 0, 1, 2

_PIPE_WIDTH = 200


def console() -> Console:
    """Stdout for people: on a pipe nothing wraps, so that a line stays a line."""
    shown = Console(highlight=False)
    return (
        shown if shown.is_terminal else Console(highlight=False, width=_PIPE_WIDTH, soft_wrap=True)
    )


def complain(text: object) -> None:
    """One complaint, one line."""
    print(" ".join(str(text).split()), file=sys.stderr)


def answer(value: Any) -> None:
    """A JSON document on stdout."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def run(verb: Callable[[], int]) -> int:
    """The exit code of a verb: its own; 2 where what it was given cannot be used, 1 where it failed."""
    try:
        return verb()
    except InvalidInput as wrong:
        for problem in wrong.problems:
            complain(f"{wrong.where}: {problem}")
        return BAD_INPUT
    except BatonError as error:
        complain(error)
        return PROBLEMS
