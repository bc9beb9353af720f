"""Durations as people write them in settings and policies: `PT15M`, `15m`, `1h30m`, `90s`."""

import re
from datetime import timedelta

from shared.domain.errors import InvalidInput, Problem

EXPECTED = "a duration such as PT15M, 15m, 1h30m or 90s"

_ISO = re.compile(
    r"P(?:(?P<w>\d+)W)?(?:(?P<d>\d+)D)?"
    r"(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d{1,6})?)S)?)?",
    re.IGNORECASE | re.ASCII,
)
_SHORT = re.compile(
    r"(?:(?P<w>\d+)w)?(?:(?P<d>\d+)d)?(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+(?:\.\d{1,6})?)s)?",
    re.IGNORECASE | re.ASCII,
)
# Long enough for any gap or lead that means something; short enough that sums never overflow.
_LONGEST = timedelta(days=366)


def parse_duration(text: str, *, field: str) -> timedelta:
    """Reads a duration.

    Args:
        text: ISO 8601 (weeks to seconds) or the short form; case does not matter.
        field: What to name in the error.

    Raises:
        InvalidInput: It is no duration, or longer than 366 days.
    """
    found = _ISO.fullmatch(text.strip()) or _SHORT.fullmatch(text.strip())
    parts = {k: v for k, v in found.groupdict().items() if v} if found else {}
    # A number of more than nine digits is a slip of the keyboard, and would overflow timedelta.
    if not parts or text.strip().upper().endswith("T") or any(len(v) > 16 for v in parts.values()):
        raise InvalidInput(field, (Problem(field, text, EXPECTED),))
    numbers = {k: float(v) for k, v in parts.items()}
    seconds = (
        numbers.get("w", 0) * 604_800
        + numbers.get("d", 0) * 86_400
        + numbers.get("h", 0) * 3_600
        + numbers.get("m", 0) * 60
        + numbers.get("s", 0)
    )
    if seconds > _LONGEST.total_seconds():
        raise InvalidInput(field, (Problem(field, text, "a duration of at most 366 days"),))
    return timedelta(seconds=seconds)


def format_duration(duration: timedelta) -> str:
    """A duration as a person reads it: `2d 3h`, `1h 30m`, `90s`; the two largest units that count."""
    total = round(abs(duration.total_seconds()))
    sign = "-" if duration < timedelta(0) and total else ""
    parts: list[str] = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, total = divmod(total, size)
        if count:
            parts.append(f"{count}{unit}")
    return sign + " ".join(parts[:2]) if parts else "0s"
