"""`./baton hotpatch onboard`: step after step, with a line for each change, until Azure is done."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

from cli import say
from cli.desk import Desk, at_the_desk
from shared.domain.durations import format_duration, parse_duration
from shared.domain.errors import InvalidInput, Problem, Retryable
from shared.settings import GUID
from shared.use_cases.onboard import REGISTERED, Onboard, Onboarding

# "Feature registration can take up to 15 minutes" (learn.microsoft.com, automanage hotpatch).
PATIENCE = timedelta(minutes=15)


def run(subscription: str, every: str) -> int:
    """Onboards a subscription."""
    if not GUID.fullmatch(subscription.strip()):
        problem = Problem("--subscription", subscription, "the id of a subscription, a GUID")
        raise InvalidInput("onboard", (problem,))
    pause = parse_duration(every, field="--every")
    try:
        return asyncio.run(_onboard(subscription.strip(), pause))
    except KeyboardInterrupt:
        print("\nInterrupted. Azure goes on by itself; the same command takes it up where it is.")
        return say.PROBLEMS


async def _onboard(subscription: str, pause: timedelta) -> int:
    async with at_the_desk() as desk:
        onboard = Onboard(enrolment=desk.enrolment)
        began, here = desk.clock.now(), None
        while True:
            before = here
            here = await _step(onboard, subscription, before)
            waited = desk.clock.now() - began
            for line in changes(before, here):
                print(f"{waited.total_seconds():5.0f} s  {line}", flush=True)
            if here and here.is_done:
                print(done(subscription, here))
                return say.OK
            if waited > PATIENCE:
                print(_given_up(subscription, here))
                return say.PROBLEMS
            await asyncio.sleep(pause.total_seconds())


async def _step(
    onboard: Onboard, subscription: str, before: Onboarding | None
) -> Onboarding | None:
    try:
        return await onboard(subscription, before)
    except Retryable as busy:
        say.complain(f"Azure is busy, trying again: {busy}")
        return before


def changes(before: Onboarding | None, here: Onboarding | None) -> Iterator[str]:
    """A line for each thing whose state is another than before."""
    if here is None:
        return
    for name, state in here.features.items():
        if before is None or before.features[name] != state:
            yield f"{name}: {_told(state)}"
    if here.provider and (before is None or before.provider != here.provider):
        yield f"Microsoft.Compute: {here.provider}"


def done(subscription: str, here: Onboarding) -> str:
    """The end, for people."""
    if here.is_needless:
        return (
            f"Subscription {subscription} needs no onboarding: Azure does not know the preview features any "
            "more, since Hotpatch is generally available. Nothing was registered.\n"
            "Next: ./baton hotpatch status, or enable a VM."
        )
    return f"Subscription {subscription} is ready for Hotpatch. Next: ./baton hotpatch enable VM"


def _told(state: str) -> str:
    if state == "Pending":
        return "Pending: Microsoft has to approve it"
    return state or "not known to Azure (any more), and so not needed"


def _given_up(subscription: str, here: Onboarding | None) -> str:
    left = (
        [name for name, state in here.features.items() if state not in (REGISTERED, "")]
        if here
        else []
    )
    what = ", ".join(left) or "Microsoft.Compute"
    return (
        f"After {format_duration(PATIENCE)} Azure is not done with {what} of subscription {subscription}. "
        "It goes on by itself; the same command takes it up where it is."
    )


async def progress(desk: Desk, subscription: str) -> Onboarding:
    """How far a subscription is; nothing is asked for."""
    return await Onboard(enrolment=desk.enrolment).look(subscription)
