"""What is legal in a policy and yet looks like a slip."""

from collections.abc import Iterator
from datetime import datetime

from shared.domain.durations import format_duration
from shared.domain.policy import Policy
from shared.domain.windows import longest


def notes(policy: Policy, now: datetime) -> tuple[str, ...]:
    """Sentences for whoever checks a policy; none of them keeps it from acting."""
    return (*_of_estimate(policy), *_of_gap(policy), *_of_freezes(policy, now))


def _of_estimate(policy: Policy) -> Iterator[str]:
    if not policy.hours.has_windows:
        return
    length, where = longest(policy.hours.windows)
    if policy.estimate > length:
        yield (
            f"estimate {format_duration(policy.estimate)} is longer than the longest window ({where}, "
            f"{format_duration(length)}): nothing will ever start"
        )


def _of_gap(policy: Policy) -> Iterator[str]:
    if not policy.hours.has_windows:
        return
    length, where = longest(policy.hours.windows)
    if policy.gap > length:
        yield (
            f"gap {format_duration(policy.gap)} is longer than the longest window ({where}): "
            "a slot takes one VM per window"
        )


def _of_freezes(policy: Policy, now: datetime) -> Iterator[str]:
    for freeze in policy.hours.freezes:
        if freeze.end <= now:
            yield f"the freeze {freeze.text} is over and can be deleted"
