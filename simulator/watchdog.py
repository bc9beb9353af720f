"""Ends what a process started once that process is gone, however it went.

Reads lines from stdin: `+PGID` (a process group to watch over) and `-PGID` (it was seen to end).
When stdin closes, which the kernel does for a killed parent too, the groups still listed get SIGTERM,
and two seconds later SIGKILL. Run as a file, in a session of its own, so that Ctrl-C passes it by.
"""

import os
import signal
import sys
import time

_GRACE_SECONDS = 2.0  # the services stop within it; the host may take ten, and survives SIGKILL
_LOOK_SECONDS = 0.05


def main() -> None:
    """Collect the groups until the parent is gone, then end them."""
    groups: set[int] = set()
    for line in sys.stdin:
        sign, group = line[0], int(line[1:])
        (groups.add if sign == "+" else groups.discard)(group)
    _signal_all(groups, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_SECONDS
    while groups and time.monotonic() < deadline:
        groups = {group for group in groups if _exists(group)}
        time.sleep(_LOOK_SECONDS)  # noqa: TID251 - this process has nothing to do but wait
    _signal_all(groups, signal.SIGKILL)


def _exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _signal_all(groups: set[int], number: signal.Signals) -> None:
    for group in groups:
        try:
            os.killpg(group, number)
        except ProcessLookupError:
            continue


if __name__ == "__main__":
    main()
