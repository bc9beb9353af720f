"""Reads the official emulator's config.json (comments allowed) into queues.

Source: the schema of Azure/azure-service-bus-emulator-installer. Limits are Azure's own where those are wider
than the container's, so that what Baton relies on (duplicates remembered for ten minutes) can be said.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from simulator.servicebus.options import FOREVER, QueueOptions

_DURATION: Final = re.compile(
    r"P(?!$)(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.ASCII
)
_UNSUPPORTED: Final = ("ForwardTo", "ForwardDeadLetteredMessagesTo")


class ConfigError(ValueError):
    """The configuration cannot be used: names the path, the value and the fix."""


def load_config(path: Path) -> tuple[QueueOptions, ...]:
    """The queues of a configuration file.

    Raises:
        ConfigError: Names what is wrong and where.
    """
    try:
        # A // inside quotes is text; anywhere else it begins a comment.
        text = re.sub(r'("(?:\\.|[^"\\])*")|//[^\n]*', r"\1", path.read_text(encoding="utf-8"))
        config = json.loads(text)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}: no JSON: {error}") from error
    user = _map(config, "UserConfig")
    namespaces = _list(user.get("Namespaces"), "UserConfig.Namespaces")
    if len(namespaces) != 1:
        raise ConfigError(
            f"UserConfig.Namespaces has {len(namespaces)} items; exactly one is expected"
        )
    where = "UserConfig.Namespaces[0]"
    namespace = _checked(namespaces[0], where)
    if namespace.get("Topics"):
        raise ConfigError(f"{where}.Topics: topics are not emulated; leave them out")
    queues = [
        _queue(item, f"{where}.Queues[{index}]")
        for index, item in enumerate(_list(namespace.get("Queues", []), f"{where}.Queues"))
    ]
    names = [queue.name.lower() for queue in queues]
    if len(set(names)) != len(names):
        raise ConfigError(f"{where}.Queues: two queues have the same name")
    return tuple(queues)


def _queue(item: Any, where: str) -> QueueOptions:
    item = _checked(item, where)
    name = item.get("Name")
    if not isinstance(name, str) or not re.fullmatch(
        r"[A-Za-z0-9](?:[\w./-]{0,258}[A-Za-z0-9])?", name
    ):
        raise ConfigError(
            f"{where}.Name is {name!r}; expected a queue's name such as redeploy-jobs"
        )
    properties = _checked(item.get("Properties", {}), f"{where}.Properties")
    read: dict[str, Any] = {}
    for key, value in properties.items():
        place = f"{where}.Properties.{key}"
        if key in _UNSUPPORTED:
            if value:
                raise ConfigError(
                    f"{place} is {value!r}; forwarding is not emulated, leave it empty"
                )
        elif key not in _PROPERTIES:
            raise ConfigError(f"{place} is not known; known are {', '.join(_PROPERTIES)}")
        else:
            field, reader = _PROPERTIES[key]
            read[field] = reader(value, place)
    return QueueOptions(name=name, **read)


def _span(least: timedelta, most: timedelta) -> Callable[[Any, str], timedelta]:
    def read(value: Any, where: str) -> timedelta:
        found = _DURATION.fullmatch(value) if isinstance(value, str) else None
        if not found:
            raise ConfigError(f"{where} is {value!r}; expected an ISO 8601 duration such as PT1M")
        days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        span = min(timedelta(days=min(days, FOREVER.days)), FOREVER)
        span += timedelta(hours=hours, minutes=minutes, seconds=seconds)
        if not least <= span <= most:
            raise ConfigError(f"{where} is {value}; expected {least} to {most}")
        return span

    return read


def _flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{where} is {value!r}; expected true or false")
    return value


def _count(value: Any, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 2000:
        raise ConfigError(f"{where} is {value!r}; expected a whole number from 1 to 2000")
    return value


_SECONDS: Final = timedelta(seconds=1)
_PROPERTIES: Final[Mapping[str, tuple[str, Callable[[Any, str], Any]]]] = {
    "LockDuration": ("lock_duration", _span(5 * _SECONDS, 300 * _SECONDS)),
    "MaxDeliveryCount": ("max_delivery_count", _count),
    "DefaultMessageTimeToLive": ("default_message_time_to_live", _span(_SECONDS, 2 * FOREVER)),
    "DeadLetteringOnMessageExpiration": ("dead_lettering_on_message_expiration", _flag),
    "RequiresDuplicateDetection": ("requires_duplicate_detection", _flag),
    "DuplicateDetectionHistoryTimeWindow": (
        "duplicate_detection_history_time_window",
        _span(5 * _SECONDS, timedelta(days=7)),
    ),
    "RequiresSession": ("requires_session", _flag),
}


def _map(config: Any, key: str) -> Mapping[str, Any]:
    return _checked(_checked(config, "the file").get(key), key)


def _checked(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{where} is {type(value).__name__}; expected an object")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise ConfigError(f"{where} is {type(value).__name__}; expected a list")
    return value
