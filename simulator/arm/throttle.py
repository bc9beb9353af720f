"""The published token buckets of Resource Manager and of the compute provider."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from simulator.arm import errors


@dataclass(frozen=True, slots=True)
class Rate:
    """A bucket of ``size`` tokens that gains ``per_second`` until full."""

    size: float
    per_second: float

    @classmethod
    def per_minute(cls, refill: float, size: float) -> "Rate":
        """As Azure's compute table writes it: refill a minute, then the bucket."""
        return cls(size, refill / 60)


# learn.microsoft.com: virtual-machines/compute-throttling-limits (a VM's, a subscription's bucket;
# both per region) and azure-resource-manager/management/request-limits-and-throttling.
COMPUTE: Final[dict[str, tuple[Rate | None, Rate]]] = {
    "UpdateVM": (Rate.per_minute(4, 12), Rate.per_minute(500, 1_500)),
    "VMGuestPatch": (Rate.per_minute(2, 6), Rate.per_minute(200, 600)),
    "LowCostGet": (Rate.per_minute(12, 36), Rate.per_minute(8_000, 24_000)),
    "HighCostGet": (None, Rate.per_minute(300, 900)),
    "GetOperation": (Rate.per_minute(15, 45), Rate.per_minute(5_000, 15_000)),
    "UpdateVMScaleSet": (None, Rate.per_minute(500, 1_500)),
    "LowCostGetVMScaleSet": (Rate.per_minute(12, 36), Rate.per_minute(800, 2_400)),
    # The page does not place two requests about instances: their list, counted here as the view of
    # the whole set is, and performMaintenance of one, counted as the other changes of one are.
    "HighCostGetVMScaleSet": (Rate.per_minute(10, 30), Rate.per_minute(360, 1_080)),
    "UpdateVMScaleSetVM": (Rate.per_minute(4, 12), Rate.per_minute(500, 1_500)),
    "GetVMScaleSetVM": (Rate.per_minute(12, 36), Rate.per_minute(2_000, 6_000)),
}
READS: Final = Rate(250, 25)
WRITES: Final = Rate(200, 10)

_Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Charge:
    """What one request costs.

    Attributes:
        subscription: whose buckets pay.
        region: compute's buckets are per region; empty for a request that names none.
        resource: the lower-cased id of the VM or of the scale set, or empty.
        policy: a name of ``COMPUTE``, or empty for a request that compute does not count.
        is_write: whether Resource Manager counts it as a write.
    """

    subscription: str
    region: str = ""
    resource: str = ""
    policy: str = ""
    is_write: bool = False


@dataclass
class Throttle:
    """All buckets. ``scale`` multiplies size and refill; 0 switches throttling off."""

    scale: float = 1.0
    _levels: dict[_Key, tuple[float, datetime]] = field(default_factory=dict)

    def take(self, charge: Charge, now: datetime) -> dict[str, str]:
        """Pay for a request from every bucket it falls under, or from none.

        Returns:
            The headers that tell what is left.

        Raises:
            ArmError: 429 with Retry-After, when a bucket is empty.
        """
        if self.scale == 0:
            return {}
        kind = "write" if charge.is_write else "read"
        front = (f"subscription-{kind}s", charge.subscription)
        front_rate = WRITES if charge.is_write else READS
        if wait := self._wait(front, front_rate, now):
            raise errors.subscription_throttled(charge.subscription, kind, wait)
        compute = list(self._compute_buckets(charge))
        for key, rate in compute:
            if wait := self._wait(key, rate, now):
                raise errors.compute_throttled(key[0], wait)
        headers = {f"x-ms-ratelimit-remaining-{front[0]}": str(self._pay(front, front_rate, now))}
        left = [f"Microsoft.Compute/{key[0]};{self._pay(key, rate, now)}" for key, rate in compute]
        if left:
            headers["x-ms-ratelimit-remaining-resource"] = ",".join(left)
        return headers

    def _compute_buckets(self, charge: Charge) -> Iterator[tuple[_Key, Rate]]:
        if not charge.policy:
            return
        per_resource, per_subscription = COMPUTE[charge.policy]
        yield (
            (f"{charge.policy}SubscriptionMaximum", charge.subscription, charge.region),
            per_subscription,
        )
        if per_resource is not None and charge.resource:
            yield (f"{charge.policy}Resource", charge.resource), per_resource

    def _level(self, key: _Key, rate: Rate, now: datetime) -> float:
        size = rate.size * self.scale
        level, since = self._levels.get(key, (size, now))
        # A wall clock may step back; that must not cost tokens.
        passed = max(0.0, (now - since).total_seconds())
        return min(size, level + passed * rate.per_second * self.scale)

    def _wait(self, key: _Key, rate: Rate, now: datetime) -> float:
        """Seconds until the bucket holds one token; 0 when it does now."""
        return max(0.0, (1 - self._level(key, rate, now)) / (rate.per_second * self.scale))

    def _pay(self, key: _Key, rate: Rate, now: datetime) -> int:
        level = self._level(key, rate, now) - 1
        self._levels[key] = (level, now)
        return int(level)
