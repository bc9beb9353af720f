"""`./baton pause`, `resume`, `skip`, `retry`: what people ask for at a terminal, and what came of it."""

import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from cli import say
from cli.desk import Desk, at_the_desk
from cli.shown_plan import utc
from shared.domain.errors import InvalidInput, Problem
from shared.domain.job import Job
from shared.domain.ledger import PolicyKey
from shared.domain.pause import Pause
from shared.use_cases.asking import Asked
from shared.use_cases.give_go_ahead import Answered
from shared.use_cases.pause_policies import Paused
from shared.use_cases.resume_policies import Resumed
from shared.use_cases.retry_vm import Retried
from shared.use_cases.skip_vm import Skipped

T = TypeVar("T")

_NAMED_MAX = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The options that these verbs share.

    Attributes:
        by: Who asks; None for this user.
        reason: Why; `""` for no reason given.
    """

    by: str | None = None
    reason: str = ""
    as_json: bool = False

    def asked(self) -> Asked:
        """Who asks, and why.

        Raises:
            InvalidInput: A text cannot be used.
        """
        return Asked.of(self.by if self.by is not None else me(), self.reason)


def pause(scope: str, request: Request) -> int:
    """Pauses everything (`""`), TEAM or TEAM/POLICY."""
    key, asked = read_scope(scope), request.asked()
    done = _at_the_desk(lambda desk: desk.pause(*key, asked=asked))
    _tell(request, sentence_of_pause(done), pause_json(done.pause) | _counts(done))
    return say.OK


def resume(scope: str, request: Request) -> int:
    """Resumes exactly that."""
    key, asked = read_scope(scope), request.asked()
    done = _at_the_desk(lambda desk: desk.resume(*key, asked=asked))
    _tell(request, sentence_of_resume(scope, done), _resumed_json(done))
    return say.OK


def skip(name: str, request: Request) -> int:
    """Leaves a VM out of its maintenance."""
    asked = request.asked()
    done = _at_the_desk(lambda desk: desk.skip(name, asked=asked))
    _tell(request, sentence_of_skip(done), job_json(done.job) | {"already": done.already})
    return say.OK


def go_ahead(name: str, request: Request, *, allow: bool) -> int:
    """Answers a VM that asked for a go-ahead."""
    asked = request.asked()
    done = _at_the_desk(lambda desk: desk.go_ahead(name, allow=allow, asked=asked))
    sentence = sentence_of_go_ahead(done, allow=allow)
    _tell(request, sentence, job_json(done.job) | {"already": done.already})
    return say.OK


def retry(name: str, request: Request) -> int:
    """Has a maintenance tried again."""
    asked = request.asked()
    done = _at_the_desk(lambda desk: desk.retry(name, asked=asked))
    _tell(request, sentence_of_retry(done), job_json(done.job) | {"already": done.already})
    return say.OK


def calendar(team: str) -> int:
    """Prints a team's calendar, byte for byte."""
    text = _at_the_desk(lambda desk: desk.calendar(team))
    sys.stdout.buffer.write(text.encode())
    return say.OK


def me() -> str:
    """Who sits here."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "somebody at a terminal"


def read_scope(text: str) -> PolicyKey:
    """Nothing, TEAM, or TEAM/POLICY.

    Raises:
        InvalidInput: It is none of these; no name of a table's key holds a slash.
    """
    team, slash, name = text.strip().partition("/")
    if "/" in name or (slash and not (team and name)):
        expected = "TEAM or TEAM/POLICY, such as shop or shop/web, or nothing for everything"
        raise InvalidInput("options", (Problem("SCOPE", text, expected),))
    return team, name


# --- what people read -------------------------------------------------------------------------------


def sentence_of_pause(done: Paused) -> str:
    """What stands still, and what is still finished."""
    said = f"{_capital(str(done.pause))}. {_count(done.waiting)} held back."
    if done.already:
        said = f"Nothing changed: {done.pause}."
    if done.away:
        said += f" {_names(done.away)} had started and will be finished."
    return f"{said} Go on with: ./baton resume {done.pause.scope}".rstrip()


def sentence_of_resume(scope: str, done: Resumed) -> str:
    """What goes on, and what holds it still."""
    said = f"Nothing changed: {scope or 'everything'} was not paused."
    if done.pause:
        said = f"{_capital(done.pause.what)} is resumed by {done.pause.resumed_by}; what is due starts within minutes."
    return " ".join((said, *(f"Still, {pause}." for pause in done.held)))


def sentence_of_skip(done: Skipped) -> str:
    """Who is left out."""
    job = done.job
    if done.already:
        return f"Nothing changed: {job.vm_name} was {job.reason}, at {_utc(job.ended_at)}."
    closes = _utc(job.closes)
    return (
        f"{job.vm_name} is left out of its maintenance; Azure does it by itself after {closes}. "
        f"Take it back before then with: ./baton retry {job.vm_name}"
    )


def sentence_of_go_ahead(done: Answered, *, allow: bool) -> str:
    """What the answer leads to."""
    job = done.job
    if not allow:
        return (
            f"{job.vm_name} is left out of its maintenance: {job.reason}. "
            f"Take it back with: ./baton retry {job.vm_name}"
        )
    given = f"{job.allowed_by} gave it at {_utc(job.allowed_at)}"
    said = (
        f"Nothing changed: {given} already" if done.already else f"{job.vm_name} has its go-ahead"
    )
    return f"{said}. It starts within minutes, if every rule still allows it."


def sentence_of_retry(done: Retried) -> str:
    """Who is tried again, and when."""
    job = done.job
    asked = f"{job.retried_by} asked at {_utc(job.retried_at)}"
    said = f"Nothing changed: {asked} already" if done.already else f"{job.vm_name} is tried again"
    return f"{said}. The next discovery gives it a new job; then ./baton explain {job.vm_name} says when."


# --- what programs read -----------------------------------------------------------------------------


def pause_json(pause: Pause) -> dict[str, Any]:
    """A pause. Its keys are part of the outer contract."""
    return {
        "team": pause.team or None,
        "policy": pause.policy or None,
        "by": pause.by,
        "at": utc(pause.at) if pause.at else None,
        "reason": pause.reason,
        "resumedBy": pause.resumed_by,
        "resumedAt": utc(pause.resumed_at) if pause.resumed_at else None,
    }


def job_json(job: Job) -> dict[str, Any]:
    """A job that somebody asked something about, or that `status` names."""
    times = {
        "plannedStart": job.planned_start,
        "startedAt": job.started_at or job.claimed_at,
        "endedAt": job.ended_at,
        "retriedAt": job.retried_at,
    }
    return {
        "jobId": job.id,
        "vmId": job.vm_id,
        "vm": job.vm_name,
        "team": job.team,
        "policy": job.policy,
        "rollout": job.rollout,
        "stage": job.stage,
        "state": str(job.state),
        "reason": job.reason,
        "retriedBy": job.retried_by,
        **{name: utc(at) if at else None for name, at in times.items()},
    }


def _resumed_json(done: Resumed) -> dict[str, Any]:
    return {
        "resumed": pause_json(done.pause) if done.pause else None,
        "held": [pause_json(pause) for pause in done.held],
    }


def _counts(done: Paused) -> dict[str, Any]:
    away = [job.vm_name for job in done.away]
    return {"already": done.already, "waiting": done.waiting, "away": away}


# --- all --------------------------------------------------------------------------------------------


def _at_the_desk(work: Callable[[Desk], Awaitable[T]]) -> T:
    async def run() -> T:
        async with at_the_desk() as desk:
            return await work(desk)

    return asyncio.run(run())


def _tell(request: Request, sentence: str, answer: dict[str, Any]) -> None:
    if request.as_json:
        say.answer(answer)
    else:
        print(sentence)


def _count(vms: int) -> str:
    return "1 VM is" if vms == 1 else f"{vms} VMs are"


def _names(jobs: tuple[Job, ...]) -> str:
    names, more = [job.vm_name for job in jobs[:_NAMED_MAX]], len(jobs) - _NAMED_MAX
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _utc(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "an unknown time"
