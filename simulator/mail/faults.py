"""How the mail service misbehaves on request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class FaultError(ValueError):
    """A wish for a fault that does not exist; the message names the known ones."""


@dataclass(frozen=True)
class Faults:
    """What goes wrong until it is set otherwise.

    Attributes:
        refuse: recipients answered 550.
        down: every connection is answered 421 and closed.
        accept_then_drop: that many mails are kept, but the connection ends before the answer, so
            that the sender cannot know.
    """

    refuse: frozenset[str] = frozenset()
    down: bool = False
    accept_then_drop: int = 0

    def changed(self, wish: Mapping[str, Any]) -> "Faults":
        """These faults with those of a JSON object set; keys it does not name stay as they are.

        Raises:
            FaultError: an unknown key, or a value of the wrong kind.
        """
        unknown = sorted(set(wish) - {"refuse", "down", "acceptThenDrop"})
        if unknown:
            raise FaultError(f"{unknown[0]}: no such fault; known: refuse, down, acceptThenDrop")
        refuse = wish.get("refuse", sorted(self.refuse))
        down = wish.get("down", self.down)
        drop = wish.get("acceptThenDrop", self.accept_then_drop)
        if not isinstance(refuse, list) or not all(isinstance(to, str) for to in refuse):
            raise FaultError(f"refuse: {refuse!r} is not a list of addresses")
        if not isinstance(down, bool):
            raise FaultError(f"down: {down!r} is neither true nor false")
        if isinstance(drop, bool) or not isinstance(drop, int) or drop < 0:
            raise FaultError(f"acceptThenDrop: {drop!r} is not a number of mails")
        return Faults(frozenset(address.lower() for address in refuse), down, drop)

    def as_json(self) -> dict[str, Any]:
        """The wish that makes these faults."""
        return {
            "refuse": sorted(self.refuse),
            "down": self.down,
            "acceptThenDrop": self.accept_then_drop,
        }
