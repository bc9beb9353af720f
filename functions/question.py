"""What a request asks for: its path and query, read strictly, so that a typo is told and not passed over."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import azure.functions as func

from shared.domain.errors import InvalidInput, Problem
from shared.domain.patching.record import PatchState
from shared.use_cases.show import Wanted
from shared.use_cases.shown import Kind, Phase

LIMIT, LIMIT_MAX, SKIP_MAX, TEXT_MAX = 100, 500, 1_000_000, 200
# The host takes its key from the header or from here; it is nothing to us.
_KEY = "code"

E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A query parameter, as the description tells it.

    Attributes:
        choices: The words that it takes; none: any text.
        most: For a number, the largest; 0: it is a text.
    """

    about: str
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int = 0


PAGING: Mapping[str, Parameter] = {
    "skip": Parameter(about="How many to leave out at the beginning.", most=SKIP_MAX),
    "limit": Parameter(about=f"How many at most; {LIMIT} by default.", least=1, most=LIMIT_MAX),
}
TEAM = Parameter(about="Only of this team.")
POLICY = Parameter(about="Only of the policy of this name.")
TEXT = Parameter(
    about="Part of a name: of the VM, its resource group, subscription, team or policy."
)
KIND = Parameter(about="Only VMs that stand so.", choices=tuple(map(str, Kind)))
PATCHES = Parameter(about="Only VMs whose patching stands so.", choices=tuple(map(str, PatchState)))
PHASE = Parameter(about="Only rollouts that stand so.", choices=tuple(map(str, Phase)))
ROLLOUT = Parameter(about="Only of the rollout of this number.", least=1, most=1_000_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request whose every part can be used."""

    path: Mapping[str, str]
    wanted: Wanted
    skip: int
    limit: int


def read_question(
    request: func.HttpRequest, path: Mapping[str, str], allowed: Mapping[str, Parameter]
) -> Question:
    """Reads the query.

    Raises:
        InvalidInput: Naming every parameter that is unknown or cannot be used.
    """
    problems: list[Problem] = []
    given: dict[str, str] = {}
    for name, text in request.params.items():
        parameter = allowed.get(name)
        if parameter is None and name != _KEY:
            expected = f"one of {', '.join(allowed)}" if allowed else "no parameter here"
            problems.append(Problem(name, text, expected))
        elif parameter and (expected := _wrong(text, parameter)):
            problems.append(Problem(name, text, expected))
        elif parameter:
            given[name] = text
    if problems:
        raise InvalidInput("the query", tuple(problems))
    return Question(
        path=path,
        wanted=Wanted(
            team=given.get("team", ""),
            policy=given.get("policy", ""),
            text=given.get("text", ""),
            rollout=int(given.get("rollout", 0)),
            kind=_one(Kind, given.get("kind")),
            phase=_one(Phase, given.get("phase")),
            patches=_one(PatchState, given.get("state")),
        ),
        skip=int(given.get("skip", 0)),
        limit=int(given.get("limit", LIMIT)),
    )


def _wrong(text: str, parameter: Parameter) -> str:
    """What is expected instead; `""` if it is right."""
    if parameter.most:
        right = re.fullmatch(r"[0-9]{1,10}", text, re.ASCII)
        if right and parameter.least <= int(text) <= parameter.most:
            return ""
        return f"a whole number from {parameter.least} to {parameter.most}"
    if parameter.choices:
        return "" if text in parameter.choices else f"one of {', '.join(parameter.choices)}"
    return "" if len(text) <= TEXT_MAX else f"at most {TEXT_MAX} characters"


def _one(kind: type[E], text: str | None) -> E | None:
    return kind(text) if text else None
