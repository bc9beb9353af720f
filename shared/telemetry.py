"""Logs: a sentence for people, an `action` for machines, and the job's context, as one JSON line each."""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

# What every LogRecord has; the rest came in by `extra`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# JSON leaves these as they are; readers break lines at some, terminals obey others, and no stream takes
# half of a surrogate pair.
_LOOSE = re.compile(r"[\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, then whatever `extra` carried."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line; control characters arrive escaped, so that no value forges a line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {k: v for k, v in vars(record).items() if k not in _STANDARD and v != ""}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        text = json.dumps(line, default=str, ensure_ascii=False)
        return _LOOSE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def configure_logging() -> None:
    """Formats Baton's own lines as JSON on whatever handlers the worker has, and quiets the SDKs."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    own = logging.getLogger("baton")
    own.setLevel(logging.INFO)
    # What is only measured, and not worth a line: see `adapters.otel`.
    logging.getLogger("baton.meter").propagate = False
    root = logging.getLogger()
    if root.handlers:
        for theirs in root.handlers:
            theirs.setFormatter(_Own(theirs.formatter))
    elif not own.handlers:
        own.addHandler(handler)
    # These log every request's headers at INFO: noise, and no business of a log.
    for name in ("azure", "uamqp", "aiohttp"):
        logging.getLogger(name).setLevel(logging.WARNING)


class _Own(logging.Formatter):
    """Baton's lines as JSON; everybody else's as their handler had them."""

    def __init__(self, theirs: logging.Formatter | None) -> None:
        super().__init__()
        self._theirs = theirs or logging.Formatter()
        self._json = JsonLines()

    def format(self, record: logging.LogRecord) -> str:
        """The line, by whose logger it is."""
        ours = record.name.startswith("baton")
        return (self._json if ours else self._theirs).format(record)
