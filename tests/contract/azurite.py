"""Azurite for the tests of one process: real tables on a free port, kept in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from shared.adapters.tables import TableService, connect_tables
from simulator import azurite
from simulator.processes import Child, Watchdog

_INSTALLED = Path(__file__).resolve().parents[2] / ".baton" / "node"


@contextmanager
def running_azurite(folder: Path) -> Iterator[str]:
    """Starts it, gives its connection string, and stops it."""
    entry = azurite.install(_INSTALLED, print)
    watchdog = Watchdog()
    child = Child(azurite.program(entry), folder / "azurite.log", watchdog)
    try:
        yield str(child.await_ready()["connectionString"])
    finally:
        child.stop()
        watchdog.close()


def own_tables(connection_string: str) -> TableService:
    """An account whose tables nobody else uses."""
    return connect_tables(connection_string, None, None, f"T{uuid4().hex[:12]}")
