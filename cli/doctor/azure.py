"""Resource Manager: who asks, what time it is there, which subscriptions, which rights in each."""

from collections.abc import AsyncIterator

from cli.doctor.look import Look
from shared.adapters.arm import Arm
from shared.adapters.probe_arm import ArmProbe
from shared.domain import health
from shared.domain.errors import Terminal
from shared.domain.health import Finding, State
from shared.domain.maintenance import Subscription, Vm
from shared.domain.mode import Mode
from shared.domain.rights import judge_rights
from shared.ports import Clock

_GROUPS_MAX = 50


def looks(probe: ArmProbe, arm: Arm, mode: Mode, clock: Clock) -> list[Look]:
    """What to look at, in turn."""
    return [
        Look(
            name="identity",
            findings=_identity(probe),
            fix="On Azure: assign the identity to the Function App and name it in "
            "BATON_ARM__clientId. On a terminal: az login",
        ),
        Look(
            name="clock",
            findings=_clock(probe, clock),
            fix="Is BATON_ARM_URL right, and does this machine reach it?",
        ),
        Look(
            name="subscriptions",
            findings=_subscriptions(probe, arm, mode),
            fix="Assign Baton's role to observe to the identity, or correct BATON_SUBSCRIPTIONS "
            "(docs/security.md)",
        ),
    ]


async def _identity(probe: ArmProbe) -> AsyncIterator[Finding]:
    who = await probe.caller()
    yield Finding(name="identity", state=State.OK, says=f"what follows is seen as {who}")


async def _clock(probe: ArmProbe, clock: Clock) -> AsyncIterator[Finding]:
    azure = await probe.time()
    yield health.clock(clock.now(), azure)


async def _subscriptions(probe: ArmProbe, arm: Arm, mode: Mode) -> AsyncIterator[Finding]:
    found = await arm.subscriptions()
    if not found:
        raise Terminal("the identity can read no subscription")
    for subscription in found:
        if subscription.is_read_only:
            says = f"{subscription.name} is {subscription.state}"
            fix = "Reactivate it; until then nothing in it can be redeployed"
            yield Finding(name="subscriptions", state=State.NOTE, says=says, fix=fix)
            continue
        async for finding in _rights(probe, arm, subscription, is_live=mode is Mode.LIVE):
            yield finding
    says = ", ".join(one.name for one in found)
    yield Finding(name="subscriptions", state=State.OK, says=says)


async def _rights(
    probe: ArmProbe, arm: Arm, subscription: Subscription, *, is_live: bool
) -> AsyncIterator[Finding]:
    scope = f"/subscriptions/{subscription.id}"
    try:
        held = await probe.permissions(scope)
    except Terminal as error:
        async for finding in _by_trying(arm, subscription, error):
            yield finding
        return
    found = list(judge_rights(scope, held, is_live=is_live))
    if any(one.state is State.BROKEN for one in found):
        # The role may have been assigned to resource groups instead.
        groups = [one async for one in _groups(probe, arm, subscription, is_live=is_live)]
        if any(one.state is not State.BROKEN for one in groups):
            found = groups + [one for one in found if one.state is State.NOTE]
    for finding in found:
        yield finding


async def _groups(
    probe: ArmProbe, arm: Arm, subscription: Subscription, *, is_live: bool
) -> AsyncIterator[Finding]:
    """The rights in each resource group with VMs that the identity sees."""
    try:
        vms = [vm async for vm in arm.models(subscription.id) if isinstance(vm, Vm)]
    except Terminal:
        return
    names = sorted({vm.resource_group.lower() for vm in vms})
    for name in names[:_GROUPS_MAX]:
        scope = f"/subscriptions/{subscription.id}/resourceGroups/{name}"
        held = await probe.permissions(scope)
        for finding in judge_rights(scope, held, is_live=is_live, only_vms=True):
            yield finding


async def _by_trying(
    arm: Arm, subscription: Subscription, refusal: Terminal
) -> AsyncIterator[Finding]:
    """Where permissions are not shown: whether VMs can be read; acting cannot be tried."""
    name = f"rights /subscriptions/{subscription.id}"
    try:
        async for _ in arm.models(subscription.id):
            break
    except Terminal as error:
        fix = "Assign Baton's role to observe there to the identity (docs/security.md)"
        yield Finding(name=name, state=State.BROKEN, says=str(error), fix=fix)
        return
    yield Finding(
        name=name,
        state=State.UNKNOWN,
        says=f"VMs can be read; whether they may be redeployed is not shown: {refusal}",
        fix="Ask somebody who may read role assignments there",
    )
