"""What the first trigger would wait for is imported while the host still gets ready to call it."""

import os
from collections.abc import Mapping
from threading import Thread

from shared.bootstrap import read_ahead


def import_ahead(environment: Mapping[str, str] = os.environ) -> None:
    """In a thread, where the settings name the tables: an app that is only indexed has none, and needs no SDK."""
    if any(name.startswith("BATON_TABLES") for name in environment):
        Thread(target=read_ahead, name="import-ahead").start()
