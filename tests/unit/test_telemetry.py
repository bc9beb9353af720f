"""Log lines: whatever a value holds, it is one line of plain text."""

import json
import logging

from hypothesis import given
from hypothesis import strategies as st

from shared.telemetry import JsonLines


@given(st.text() | st.sampled_from(["a\nb", "a\x85b", "a\u2028b", "\x9b31m", "\x7f", "\ud800"]))
def test_no_value_breaks_a_line_or_moves_a_terminal(value):
    record = logging.makeLogRecord(
        {"name": "baton", "msg": "saw %s", "args": (value,), "vm": value}
    )

    line = JsonLines().format(record)

    assert line.splitlines() == [line]
    assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in line)
    assert line.encode()
    read = json.loads(line)
    assert (read["message"], read.get("vm", "")) == (f"saw {value}", value)
