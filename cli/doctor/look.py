"""Looks: what is looked at, in turn and side by side, so that one thing that is broken hides no other."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass

from shared.domain.errors import BatonError
from shared.domain.health import Finding, State

_SECONDS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One thing to look at.

    Attributes:
        name: Of the finding, where it cannot be looked at.
        findings: What there is to say; an error says that it is broken.
        fix: What to do then.
    """

    name: str
    findings: AsyncIterator[Finding]
    fix: str


async def look_at(groups: Iterable[Sequence[Look]]) -> list[Finding]:
    """Every finding, in order. The groups are looked at side by side, the looks of one in turn."""
    found = await asyncio.gather(*(_in_turn(group) for group in groups))
    return list(itertools.chain.from_iterable(found))


async def _in_turn(group: Sequence[Look]) -> list[Finding]:
    """The looks of a group until one fails: the next ones would only fail for the same reason."""
    findings: list[Finding] = []
    for number, look in enumerate(group):
        found, failed = await _look(look)
        findings += found
        if failed:
            says = f"not looked at, because {look.name} is broken"
            rest = group[number + 1 :]
            return findings + [
                Finding(name=one.name, state=State.UNKNOWN, says=says) for one in rest
            ]
    return findings


async def _look(look: Look) -> tuple[list[Finding], bool]:
    """Its findings, and whether it ended in an error."""
    found: list[Finding] = []
    try:
        async with asyncio.timeout(_SECONDS):
            async for finding in look.findings:
                found.append(finding)  # noqa: PERF401 - what came before an error stays
    except TimeoutError:
        says = f"no answer within {_SECONDS} s"
    except BatonError as error:
        says = str(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, the rest is looked at all the same
        says = f"{type(error).__name__}: {error}"
    else:
        return found, False
    return [*found, Finding(name=look.name, state=State.BROKEN, says=says, fix=look.fix)], True
