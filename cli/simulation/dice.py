"""The one source of chance: streams of it, by name, so that a throw more in one changes none of another."""

import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

T = TypeVar("T")


class Dice(random.Random):
    """A stream. Seeded by text, which Python hashes in the same way in every process."""

    def __init__(self, seed: int, name: str) -> None:
        super().__init__(f"{seed}/{name}")
        self._seed = seed

    def happens(self, chance: float) -> bool:
        """Whether something of this chance, 0 to 1, happens."""
        return self.random() < chance

    def one_of(self, weights: Mapping[T, float]) -> T:
        """One of the keys, by its weight."""
        return self.choices(list(weights), list(weights.values()))[0]

    def some(self, items: Sequence[T], least: int, most: int) -> list[T]:
        """A few different ones, in any order."""
        return self.sample(items, min(len(items), self.randint(least, most)))

    def duration(self, least: timedelta, most: timedelta) -> timedelta:
        """A length of time in whole seconds."""
        return timedelta(
            seconds=self.randint(int(least.total_seconds()), int(most.total_seconds()))
        )
