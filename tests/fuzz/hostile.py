"""What people, Azure and strangers might write: the pieces of a right value in any order, and plain noise."""

from typing import Any

from hypothesis import strategies as st

_PIECES = (
    *("Mon", "Fri", "Tue#2", "Sun#-1", "Mon-Fri", "22:00", "04:00", "24:00", "99:99", "00:00-24:00", "+5h"),
    *("2026-12-24", "0000-00-00", "9999-12-31", "2999-12-31T23:59", "T18:00", "Z", "+14:00", "/", "PT12H"),
    *("P", "PT", "9" * 20, "15m", "1h30m", "0", "-1", "1e999", "NaN", "٣", "true", "yes", "none"),
    *("name:", "tag:", "tag:a=", "rg:", "sub:", "zone:1", "location:", "*", "?", "!", '"', "\\", "[", "(", "a"),
    *("Europe/Amsterdam", "../../etc/passwd", "W. Europe Standard Time", "UTC", "a@example.com"),
    *(";", ",", " ", "-", "+", "#", ":", "=", "\t", "\n", "\r\n", "\x00", "\x1b[31m", "\u2028", "🗼", "İ", "ß"),
)  # fmt: skip
words = st.lists(st.sampled_from(_PIECES) | st.text(max_size=3), max_size=12).map("".join)
long_words = st.builds(lambda piece, count: piece * count, words, st.integers(100, 3_000))
texts = words | st.text(max_size=30) | long_words
numbers = st.integers() | st.just(10**400) | st.floats()
cells = texts | st.booleans() | numbers | st.none()
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=10,
)


def deep(depth: int) -> list[Any]:
    """A list in a list in a list."""
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def spoilt(value: Any) -> st.SearchStrategy[Any]:
    """A right JSON value with some of its parts left out or replaced."""
    odd = json_values | st.integers(1, 400).map(deep)
    match value:
        case dict():
            kept = {key: spoilt(part) for key, part in value.items()}
            whole = st.fixed_dictionaries({}, optional=kept) | st.fixed_dictionaries(kept)
        case list():
            whole = st.tuples(*map(spoilt, value)).map(list)
        case _:
            whole = st.just(value)
    return st.integers(0, 9).flatmap(lambda dice: odd if dice == 0 else whole)
