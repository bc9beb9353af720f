"""host.json: what of it is honoured here, with the defaults of Functions 4 and the Service Bus extension 5."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from simulator.host.index import HostError


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryOptions:
    """`clientRetryOptions`: how long to wait before connecting again. The trigger itself never gives up."""

    exponential: bool = True
    delay: timedelta = timedelta(milliseconds=800)
    delay_max: timedelta = timedelta(minutes=1)
    retries_max: int = 3
    try_timeout: timedelta = timedelta(minutes=1)

    def wait(self, failures: int) -> timedelta:
        """Before the next try, after so many failures in a row (at least 1).

        It grows for `retries_max` tries and then stays: the real host's processor begins a new
        round of tries for ever.
        """
        factor = 2 ** min(failures - 1, self.retries_max) if self.exponential else 1
        return min(self.delay * factor, self.delay_max)


@dataclass(frozen=True, slots=True, kw_only=True)
class BusOptions:
    """`extensions.serviceBus`."""

    calls_max: int = 16 * (os.cpu_count() or 1)
    renewal_max: timedelta = timedelta(minutes=5)
    auto_complete: bool = True
    prefetch: int = 0
    retry: RetryOptions = field(default_factory=RetryOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOptions:
    """host.json.

    Attributes:
        function_timeout: None is without limit.
    """

    function_timeout: timedelta | None = timedelta(minutes=30)
    route_prefix: str = "api"
    bus: BusOptions = field(default_factory=BusOptions)


def load_host_options(path: Path) -> HostOptions:
    """Reads host.json; without the file the defaults stand.

    Raises:
        HostError: It is no JSON object, or a value in it has the wrong form; it is named by its path.
    """
    if not path.exists():
        return HostOptions()
    try:
        host = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise HostError(f"{path.name}: {error}") from error
    top = _Part({path.name: host}, "").part(path.name)
    extensions = top.part("extensions")
    unlimited = host.get("functionTimeout") == "-1"
    return HostOptions(
        function_timeout=None if unlimited else top.span("functionTimeout", timedelta(minutes=30)),
        route_prefix=extensions.part("http").text("routePrefix", "api").strip("/"),
        bus=_bus(extensions.part("serviceBus")),
    )


def _bus(part: "_Part") -> BusOptions:
    default, retry, given = BusOptions(), RetryOptions(), part.part("clientRetryOptions")
    return BusOptions(
        calls_max=part.whole("maxConcurrentCalls", default.calls_max, low=1),
        renewal_max=part.span("maxAutoLockRenewalDuration", default.renewal_max),
        auto_complete=part.flag("autoCompleteMessages", default.auto_complete),
        prefetch=part.whole("prefetchCount", default.prefetch, low=0),
        retry=RetryOptions(
            exponential=given.text("mode", "exponential").lower() != "fixed",
            delay=given.span("delay", retry.delay),
            delay_max=given.span("maxDelay", retry.delay_max),
            retries_max=given.whole("maxRetries", retry.retries_max, low=0),
            try_timeout=given.span("tryTimeout", retry.try_timeout),
        ),
    )


class _Part:
    """An object in the file that knows its path, for the errors."""

    def __init__(self, values: Mapping[str, Any], path: str) -> None:
        self._values = values
        self._path = path

    def part(self, key: str) -> "_Part":
        return _Part(self._typed(key, {}, dict, "an object"), f"{self._path}{key}: ")

    def text(self, key: str, default: str) -> str:
        return str(self._typed(key, default, str, "text"))

    def flag(self, key: str, default: bool) -> bool:
        return bool(self._typed(key, default, bool, "true or false"))

    def whole(self, key: str, default: int, *, low: int) -> int:
        value = self._typed(key, default, int, "a whole number")
        if isinstance(value, bool) or value < low:
            raise HostError(f"{self._path}{key} is {value!r}; {low} or more is expected")
        return int(value)

    def span(self, key: str, default: timedelta) -> timedelta:
        """A .NET TimeSpan: `[d.]hh:mm:ss[.fraction]`."""
        if key not in self._values:
            return default
        text = self.text(key, "")
        found = re.fullmatch(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2}(?:\.\d{1,7})?)", text)
        if not found:
            raise HostError(f"{self._path}{key} is {text!r}; hh:mm:ss is expected")
        days, hours, minutes = (int(part or 0) for part in found.groups()[:3])
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=float(found[4]))

    def _typed(self, key: str, default: Any, kind: type, expected: str) -> Any:
        value = self._values.get(key, default)
        if not isinstance(value, kind):
            raise HostError(f"{self._path}{key} is {value!r}; {expected} is expected")
        return value
