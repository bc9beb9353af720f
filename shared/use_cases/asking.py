"""What everything that people ask for shares: their words, the policies they name, and writing beside a rollout."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from shared.domain.errors import InvalidInput, Problem, Stale, Unknown
from shared.domain.ledger import Books, PolicyKey
from shared.ports import JobStore, PolicyStore

T = TypeVar("T")

# A running rollout writes the same rows; each try decides on what is there then.
_TRIES_MAX = 8
_BY_MAX, _REASON_MAX = 200, 1_000
_NAMED_MAX = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, and why, each in one line.

    Attributes:
        by: A name; never empty.
        reason: `""` if none was given.
    """

    by: str
    reason: str = field(default="")

    @classmethod
    def of(cls, by: str, reason: str = "") -> "Asked":
        """The words as they are kept.

        Raises:
            InvalidInput: Nobody is named, or a text is too long.
        """
        said = (("by", by, _BY_MAX), ("reason", reason, _REASON_MAX))
        problems = [
            Problem(name, text[:80], f"at most {most} characters")
            for name, text, most in said
            if len(text) > most
        ]
        if not by.split():
            problems.append(Problem("by", by, "the name of whoever asks"))
        if problems:
            raise InvalidInput("request", tuple(problems))
        return cls(*(" ".join(text.split()) for _, text, _ in said))

    def __str__(self) -> str:
        return f"{self.by}: {self.reason}" if self.reason else self.by


async def until_written(work: Callable[[], Awaitable[T]]) -> T:
    """Does it anew each time that somebody else wrote first.

    Raises:
        Stale: Others kept writing first.
    """
    tries = 0
    while True:
        tries += 1
        try:
            return await work()
        except Stale:
            if tries == _TRIES_MAX:
                raise


async def books_of(
    jobs: JobStore, policies: PolicyStore, team: str, policy: str
) -> tuple[Books, list[PolicyKey]]:
    """The books, and the policies that are meant: one, those of a team, or all where team is `""`.

    Raises:
        Unknown: There is no such team or policy; those that there are are named.
    """
    books = await jobs.books()
    known = {(row.team, row.policy) for row in await policies.rows()} | set(books.ledgers)
    named = [key for key in sorted(known) if team in ("", key[0]) and policy in ("", key[1])]
    if team and not named:
        names = sorted({"/".join(key) if policy else key[0] for key in known})
        more = f" and {len(names) - _NAMED_MAX} more" if len(names) > _NAMED_MAX else ""
        expected = f"one of {', '.join(names[:_NAMED_MAX])}{more}" if names else "a policy"
        value = f"{team}/{policy}" if policy else team
        raise Unknown("request", (Problem("TEAM/POLICY", value, expected),))
    return books, named
