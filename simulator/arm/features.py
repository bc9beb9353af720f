"""Preview features and resource providers of a subscription."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from simulator.arm import errors

HOTPATCH: Final = ("InGuestHotPatchVMPreview", "InGuestAutoPatchVMPreview", "InGuestPatchVMPreview")
_NAMES: Final = {name.lower(): name for name in HOTPATCH}


@dataclass
class Features:
    """What one subscription has registered.

    Attributes:
        mode: ``gone`` since general availability: no such feature; ``open``: registering takes
            ``seconds``; ``stuck``: it never ends; ``registered``: all of them are.
    """

    subscription: str
    mode: str
    seconds: float
    asked: dict[str, datetime] = field(default_factory=dict)
    provider_asked: datetime | None = None

    def register(self, name: str, now: datetime) -> dict[str, Any]:
        """Begin the registration of a feature; one that was begun goes on.

        Raises:
            ArmError: 404 for one that Azure does not know.
        """
        known = self._known(name)
        self.asked.setdefault(known, now)
        return self.feature(known, now)

    def feature(self, name: str, now: datetime) -> dict[str, Any]:
        """The body of a feature.

        Raises:
            ArmError: 404 for one that Azure does not know.
        """
        known = self._known(name)
        return {
            "properties": {"state": self._state(known, now)},
            "id": f"/subscriptions/{self.subscription}/providers/Microsoft.Features/providers"
            f"/Microsoft.Compute/features/{known}",
            "type": "Microsoft.Features/providers/features",
            "name": f"Microsoft.Compute/{known}",
        }

    def register_provider(self, now: datetime) -> dict[str, Any]:
        """Propagate what was registered into the compute provider."""
        self.provider_asked = now
        return self.provider(now)

    def provider(self, now: datetime) -> dict[str, Any]:
        """The body of the compute provider."""
        since = self.provider_asked
        is_busy = since is not None and now < since + timedelta(seconds=self.seconds)
        return {
            "id": f"/subscriptions/{self.subscription}/providers/Microsoft.Compute",
            "namespace": "Microsoft.Compute",
            "registrationPolicy": "RegistrationRequired",
            "registrationState": "Registering" if is_busy else "Registered",
            "resourceTypes": [],
        }

    def _known(self, name: str) -> str:
        known = _NAMES.get(name.lower())
        if known is None or self.mode == "gone":
            raise errors.feature_not_found(name)
        return known

    def _state(self, name: str, now: datetime) -> str:
        since = self.asked.get(name)
        if self.mode == "registered":
            return "Registered"
        if since is None:
            return "NotRegistered"
        is_done = self.mode == "open" and now >= since + timedelta(seconds=self.seconds)
        return "Registered" if is_done else "Registering"
