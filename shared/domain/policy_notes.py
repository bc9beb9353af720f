"""What is legal in a policy and yet looks like a slip."""

from collections.abc import Iterator
from datetime import datetime

from shared.domain.durations import format_duration
from shared.domain.patching.columns import Patching
from shared.domain.patching.model import RebootSetting
from shared.domain.patching.results import AUTOMATIC
from shared.domain.policy import Policy
from shared.domain.windows import longest


def notes(policy: Policy, now: datetime) -> tuple[str, ...]:
    """Sentences for whoever checks a policy; none of them keeps it from acting."""
    return (
        *_of_estimate(policy),
        *_of_gap(policy),
        *_of_freezes(policy, now),
        *_of_patching(policy),
    )


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


def _of_patching(policy: Policy) -> Iterator[str]:
    if policy.patching is not Patching.INSTALL:
        if policy.kb_include or policy.kb_exclude:
            yield f"kbInclude and kbExclude do nothing while patching is {policy.patching}"
        return
    if policy.reboot_setting is RebootSetting.NEVER:
        yield (
            "rebootSetting Never: in a baseline month a VM stands rebootPending, unprotected, "
            "until somebody reboots it"
        )
    missing = [str(one) for one in AUTOMATIC if one not in policy.patch_classifications]
    if missing:
        yield (
            f"patchClassifications without {' and '.join(missing)}: a VM stays due for what Azure "
            "itself would install"
        )
