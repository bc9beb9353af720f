"""Files that people hand to the command; what cannot be used is named with its file and line."""

import codecs
import json
import sys
from pathlib import Path
from typing import Any

from shared.domain.errors import InvalidInput, Problem

# What Windows' own tools write: PowerShell's `>` makes UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_text(path: Path) -> str:
    """The text of a file, or of stdin where the path is `-`.

    Raises:
        InvalidInput: It cannot be read, or is no text.
    """
    try:
        content = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise unusable(path, "the file", str(error.strerror), "a file that can be read") from error
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        shown = repr(content[error.start : error.end])
        raise unusable(path, "the text", shown, "UTF-8") from error


def read_json(path: Path) -> Any:
    """A JSON document.

    Raises:
        InvalidInput: As `read_text`; or it is no JSON, and then the line is named.
    """
    return parsed(path, read_text(path))


def parsed(path: Path, text: str) -> Any:
    """A text as JSON, as `read_json`."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        line = text.splitlines()[error.lineno - 1 : error.lineno]
        expected = f"JSON ({error.msg} at column {error.colno})"
        raise unusable(path, f"line {error.lineno}", "".join(line).strip(), expected) from error
    except (RecursionError, ValueError) as error:
        raise unusable(path, "the document", str(error), "JSON") from error


def write_text(path: Path, text: str) -> None:
    """Writes a file.

    Raises:
        InvalidInput: It cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise unusable(
            path, "the file", str(error.strerror), "a file that can be written"
        ) from error


def unusable(path: Path, field: str, value: str, expected: str) -> InvalidInput:
    """The complaint about a file as a whole."""
    return InvalidInput(shown(path), (Problem(field, value, expected),))


def shown(path: Path) -> str:
    """The file's name as people gave it."""
    return "stdin" if str(path) == "-" else str(path)


def _refuse(word: str) -> None:
    raise ValueError(word)
