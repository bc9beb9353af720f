"""Onboarding a subscription to Hotpatch: three preview features, then the compute provider.

Azure's own registration state is the only memory: whoever is interrupted begins anew and goes on where it was.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from shared.ports import Enrolment

# The features of the preview (learn.microsoft.com, automanage hotpatch, 02/2021). Since Hotpatch is generally
# available Microsoft's documentation asks for none of them, and Azure need not know them any more.
FEATURES = ("InGuestHotPatchVMPreview", "InGuestAutoPatchVMPreview", "InGuestPatchVMPreview")
REGISTERED = "Registered"
# In which there is something to ask for; in any other Azure is at it, or somebody has to decide.
_TO_REGISTER = ("NotRegistered", "Unregistered", "Unregistering")


@dataclass(frozen=True, slots=True, kw_only=True)
class Onboarding:
    """How far a subscription is.

    Attributes:
        features: Name → Azure's word; `""` for one that Azure does not know.
        provider: Azure's word of Microsoft.Compute; `""` while the features are not there yet.
    """

    features: Mapping[str, str]
    provider: str = ""

    @property
    def is_needless(self) -> bool:
        """Whether Azure knows none of the features, so that there is nothing to register."""
        return not any(self.features.values())

    @property
    def has_features(self) -> bool:
        """Whether every feature that Azure knows is registered."""
        return all(state in (REGISTERED, "") for state in self.features.values())

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do or to wait for."""
        return self.is_needless or (self.has_features and self.provider == REGISTERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Onboard:
    """Takes one step, and tells how far it is. Taking a step twice does no harm."""

    enrolment: Enrolment

    async def look(self, subscription_id: str) -> Onboarding:
        """How far the subscription is; asks for nothing."""
        states = await asyncio.gather(
            *(self.enrolment.feature(subscription_id, name) for name in FEATURES)
        )
        return Onboarding(
            features=dict(zip(FEATURES, states, strict=True)),
            provider=await self.enrolment.provider(subscription_id),
        )

    async def __call__(self, subscription_id: str, before: Onboarding | None) -> Onboarding:
        """Registers what is not registered, and the provider once the features are.

        Args:
            subscription_id: Which one.
            before: What the step before it gave; None at first. Only from then on the provider's word
                counts: it has been registered all along, without the features.

        Raises:
            Terminal: The identity lacks a right; it is named.
            Retryable: Azure is busy.
        """
        states = {name: await self._feature(subscription_id, name) for name in FEATURES}
        here = Onboarding(features=states)
        if here.is_needless or not here.has_features:
            return here
        if before is None or not before.provider:
            provider = await self.enrolment.register_provider(subscription_id)
        else:
            provider = await self.enrolment.provider(subscription_id)
        return Onboarding(features=states, provider=provider)

    async def _feature(self, subscription_id: str, name: str) -> str:
        state = await self.enrolment.feature(subscription_id, name)
        if state in _TO_REGISTER:
            return await self.enrolment.register_feature(subscription_id, name)
        return state
