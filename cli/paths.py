"""Where the project's files are, from wherever the command was called."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".baton"  # all that commands leave behind; never committed
