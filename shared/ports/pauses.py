"""What people stopped."""

from collections.abc import Sequence
from typing import Protocol

from shared.domain.pause import Pause


class PauseStore(Protocol):
    """Table `BatonPauses`: one row for everything, for a team, or for a policy that was ever paused."""

    async def all(self) -> Sequence[Pause]:
        """Every row, read now, the widest first; those that were resumed too.

        A row that cannot be read holds whatever its key names, until somebody mends or resumes it.
        """
        ...

    async def write(self, pause: Pause) -> None:
        """Keeps a pause in the place of the one that was read (by its ETag), or as a new one.

        Raises:
            Stale: Somebody wrote it meanwhile.
            InvalidInput: A name or a text that no table takes.
        """
        ...
