"""Onboarding: Azure's own state is the only memory, and every step may be taken twice."""

import pytest

from shared.use_cases.onboard import FEATURES, Onboard

HOT, AUTO, GUEST = FEATURES


class Azure:
    """Enrolment: what a subscription has registered, and what was asked for."""

    def __init__(self, **states):
        self.states = {HOT: "NotRegistered", AUTO: "NotRegistered", GUEST: "NotRegistered"} | states
        self.compute = "Registered"  # as in every subscription that has a VM
        self.asked = []

    async def feature(self, subscription_id, name):
        return self.states[name]

    async def register_feature(self, subscription_id, name):
        self.asked.append(name)
        self.states[name] = "Registering"
        return self.states[name]

    async def provider(self, subscription_id):
        return self.compute

    async def register_provider(self, subscription_id):
        self.asked.append("provider")
        self.compute = "Registering"
        return self.compute

    def finish(self):
        self.states = {name: state and "Registered" for name, state in self.states.items()}


async def test_the_provider_comes_after_the_features_and_is_waited_for():
    azure = Azure()
    onboard = Onboard(enrolment=azure)

    first = await onboard("s", None)
    assert azure.asked == [*FEATURES]
    azure.finish()
    second = await onboard("s", first)
    assert (azure.asked[3:], second.is_done) == (["provider"], False)
    azure.compute = "Registered"
    third = await onboard("s", second)

    assert third.is_done
    assert len(azure.asked) == 4


async def test_one_that_was_interrupted_asks_for_nothing_that_azure_is_at():
    azure = Azure(**{HOT: "Registered", AUTO: "Registering"})

    await Onboard(enrolment=azure)("s", None)

    assert azure.asked == [GUEST]


async def test_one_that_was_interrupted_before_the_provider_registers_that():
    azure = Azure()
    azure.finish()

    await Onboard(enrolment=azure)("s", None)

    assert azure.asked == ["provider"]


@pytest.mark.parametrize("states", [{HOT: "", AUTO: "", GUEST: ""}, {HOT: "Pending"}])
async def test_the_provider_is_left_alone_where_there_is_nothing_or_not_yet(states):
    azure = Azure(**states)

    here = await Onboard(enrolment=azure)("s", None)

    assert "provider" not in azure.asked
    assert here.is_done is here.is_needless


async def test_a_feature_that_is_gone_keeps_nothing_from_going_on():
    azure = Azure(**{GUEST: ""})
    azure.finish()
    onboard = Onboard(enrolment=azure)

    here = await onboard("s", None)
    azure.compute = "Registered"

    assert (await onboard("s", here)).is_done


async def test_looking_asks_for_nothing():
    azure = Azure()

    here = await Onboard(enrolment=azure).look("s")

    assert (azure.asked, here.provider) == ([], "Registered")
