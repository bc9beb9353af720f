"""PauseStore in memory; the contract tests hold it to the real one."""

from collections.abc import Sequence

from shared.adapters.memory.scripted import Scripted
from shared.adapters.pause_rows import pause_of_row, pause_write
from shared.domain.errors import Stale
from shared.domain.pause import Pause


class MemoryPauses(Scripted):
    """PauseStore."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[str, Pause] = {}
        self._written = 0

    async def all(self) -> Sequence[Pause]:
        """See the port."""
        async with self.call("all"):
            return sorted(self._rows.values(), key=lambda pause: (pause.team, pause.policy))

    async def write(self, pause: Pause) -> None:
        """See the port."""
        async with self.call("write", pause):
            write = pause_write(pause)
            kept = self._rows.get(write.row_key)
            if pause.etag != (kept.etag if kept else ""):
                raise Stale(f"the pause of {pause.what} is not as it was read")
            self._written += 1
            self._rows[write.row_key] = pause_of_row(write.entity, f'W/"{self._written}"')
