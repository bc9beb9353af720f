"""What can be asked for under /api/v1: a row for each, from which requests are done and described."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from functions.reading import match, vm_id
from shared.bootstrap import Services
from shared.domain.job import Job
from shared.use_cases.approve import SeenRollout
from shared.use_cases.asking import Asked
from shared.use_cases.give_go_ahead import Answered
from shared.use_cases.shown import Done

_NAMED_MAX = 5
_REASON = "Why, for whoever reads it later."
_TEAM = "The team; without it everything is meant."
_POLICY = "The name of the team's policy; without it the whole team is meant."


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A request to act, whose every part can be used.

    Attributes:
        body: The fields that its acting knows; an absent one is absent.
        version: If-Match without its quotes; `""` without it.
    """

    path: Mapping[str, str]
    body: Mapping[str, str]
    version: str
    asked: Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """One thing that can be asked for.

    Attributes:
        path: Below /api/v1, with `{name}` for what varies.
        body: Its fields beside `by`, and what they are for.
        version: Of what If-Match names the version that the person saw; `""`: of nothing.
        needs_version: Whether it must.
    """

    name: str
    path: str
    about: str
    call: Callable[[Services, Order], Awaitable[Done]]
    body: Mapping[str, str] = field(default_factory=lambda: {"reason": _REASON})
    version: str = ""
    needs_version: bool = False

    def match(self, path: str) -> dict[str, str] | None:
        """The varying parts of a path; None if it is another's."""
        return match(self.path, path)


async def _approve(app: Services, order: Order) -> Done:
    path, until = order.path, order.body.get("until")
    done = await app.approve(
        path["team"],
        path["policy"],
        by=order.asked.by,
        until=datetime.fromisoformat(until) if until else None,
        seen=SeenRollout(int(path["number"]), order.version),
    )
    waiting = _vms(done.waiting, "waits", "wait")
    said = f"Rollout {done.rollout} is approved by {order.asked.by}; {waiting} in it."
    return Done(said=said if done.needed else f"{said} Its policy asks for no approval.")


async def _pause(app: Services, order: Order) -> Done:
    done = await app.pause(*_scope(order), asked=order.asked)
    said = f"{_capital(str(done.pause))}. {_vms(done.waiting, 'is', 'are')} held back."
    if done.away:
        said += f" {_names(done.away)} had started and will be finished."
    return Done(said=said, already=done.already)


async def _resume(app: Services, order: Order) -> Done:
    done = await app.resume(*_scope(order), asked=order.asked)
    said = "It was not paused."
    if done.pause:
        said = f"{_capital(done.pause.what)} is resumed; what is due starts within minutes."
    still = (f"Still, {pause}." for pause in done.held)
    return Done(said=" ".join((said, *still)), already=done.pause is None)


async def _skip(app: Services, order: Order) -> Done:
    done = await app.skip(vm_id(order.path), asked=order.asked)
    said = f"{done.job.vm_name} is left out of its maintenance; a retry takes that back."
    return Done(said=said, already=done.already)


async def _go_ahead(app: Services, order: Order) -> Done:
    done = await _answered(app, order, allow=True)
    said = f"{done.job.vm_name} starts as soon as every rule allows it."
    return Done(said=said, already=done.already)


async def _no_go(app: Services, order: Order) -> Done:
    done = await _answered(app, order, allow=False)
    said = f"{done.job.vm_name} is left out of its maintenance; a retry takes that back."
    return Done(said=said, already=done.already)


async def _answered(app: Services, order: Order, *, allow: bool) -> Answered:
    vm = vm_id(order.path)
    return await app.go_ahead(vm, allow=allow, asked=order.asked, seen=order.version)


async def _retry(app: Services, order: Order) -> Done:
    done = await app.retry(vm_id(order.path), asked=order.asked)
    said = f"{done.job.vm_name} is tried again: the next discovery gives it a new job."
    return Done(said=said, already=done.already)


async def _discover(app: Services, order: Order) -> Done:
    await app.discover_now(asked=order.asked)
    return Done(said="A discovery is on its way.")


async def _test_mail(app: Services, order: Order) -> Done:
    if await app.send_test_mail(asked=order.asked):
        return Done(said="A test mail is on its way; it goes out with the next mails.")
    return Done(said="No mail service is set (BATON_EMAIL_URL): the test is only recorded.")


ACTINGS = (
    Acting(
        name="approve",
        path="rollouts/{team}/{policy}/{number}/approve",
        about="Approves the rollout as it was seen; If-Match has its version.",
        call=_approve,
        body={
            "until": "The approval counts before this instant; without it for the whole rollout."
        },
        version="rollout",
        needs_version=True,
    ),
    Acting(
        name="pause",
        path="pause",
        about="Pauses everything, a team or a policy: what runs is finished, nothing else starts.",
        call=_pause,
        body={"team": _TEAM, "policy": _POLICY, "reason": _REASON},
    ),
    Acting(
        name="resume",
        path="resume",
        about="Ends a pause of exactly this.",
        call=_resume,
        body={"team": _TEAM, "policy": _POLICY, "reason": _REASON},
    ),
    Acting(
        name="skip",
        path="vms/{subscription}/{resourceGroup}/{vm}/skip",
        about="Leaves a VM that has not started out of its maintenance.",
        call=_skip,
    ),
    Acting(
        name="goAhead",
        path="vms/{subscription}/{resourceGroup}/{vm}/go-ahead",
        about="Gives the go-ahead that a VM asked for.",
        call=_go_ahead,
        version="question",
    ),
    Acting(
        name="noGo",
        path="vms/{subscription}/{resourceGroup}/{vm}/no-go",
        about="Refuses the go-ahead that a VM asked for: it is left out of its maintenance.",
        call=_no_go,
        version="question",
    ),
    Acting(
        name="retry",
        path="vms/{subscription}/{resourceGroup}/{vm}/retry",
        about="Has a maintenance that ended without success tried again, where no promise forbids it.",
        call=_retry,
    ),
    Acting(
        name="discover",
        path="discover",
        about="Has Baton discover now; however often that is asked for, once in half a minute.",
        call=_discover,
    ),
    Acting(
        name="testMail",
        path="test-mail",
        about="Sends a test mail to the recipients of every alert.",
        call=_test_mail,
    ),
)


def _scope(order: Order) -> tuple[str, str]:
    return order.body.get("team", ""), order.body.get("policy", "")


def _vms(number: int, one: str, more: str) -> str:
    return f"1 VM {one}" if number == 1 else f"{number} VMs {more}"


def _names(jobs: tuple[Job, ...]) -> str:
    names, more = [job.vm_name for job in jobs[:_NAMED_MAX]], len(jobs) - _NAMED_MAX
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
