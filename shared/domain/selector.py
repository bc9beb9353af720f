"""Selectors: which VMs a policy or a stage means.

    tag:tier=web,api rg:prod-* !name:*-test

Terms are separated by spaces and all must hold; a comma inside a term means any of; `!` negates; `*` is
every VM. Globs know `*` and `?`; a value in double quotes is taken literally; case does not matter.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from shared.domain.errors import InvalidInput, Problem, shown
from shared.domain.maintenance import Vm

EXPECTED = (
    "terms such as name:web-*, vmss:web, rg:prod-*, sub:ID, location:westeurope, zone:1, tag:tier=db, tag:tier, "
    "!name:*-test or *, separated by spaces"
)
_KEYS = ("name", "vmss", "rg", "sub", "location", "zone", "tag")


@dataclass(frozen=True)
class Term:
    """One term.

    Attributes:
        key: One of name, vmss, rg, sub, location, zone, tag; `*` for every VM.
        tag: For `tag:NAME=...`: the name.
        patterns: Any of these must fit: the value, or the tag's name where `tag` is empty.
        prefixes: What a value that fits begins with, lower-cased, pattern by pattern.
    """

    key: str
    patterns: tuple[str, ...] = ()
    tag: str = ""
    negated: bool = False
    prefixes: tuple[str, ...] = ()

    @cached_property
    def _fits(self) -> Callable[[str], object]:
        return re.compile(
            "|".join(f"(?:{p})" for p in self.patterns), re.IGNORECASE | re.DOTALL
        ).fullmatch

    def matches(self, vm: Vm) -> bool:
        """Whether the term holds for a VM."""
        return self._holds(vm) != self.negated

    def _holds(self, vm: Vm) -> bool:
        match self.key:
            case "*":
                return True
            case "name":
                return bool(self._fits(vm.name))
            case "vmss":
                return bool(vm.scale_set and self._fits(vm.scale_set_name))
            case "rg":
                return bool(self._fits(vm.resource_group))
            case "sub":
                return bool(self._fits(vm.subscription_id))
            case "location":
                return bool(self._fits(vm.location.replace(" ", "")))
            case "zone":
                return bool(vm.zone and self._fits(vm.zone))
            case _:  # tag
                pass
        if not self.tag:
            return any(self._fits(name) for name in vm.tags)
        return any(
            name.lower() == self.tag and self._fits(value) for name, value in vm.tags.items()
        )


@dataclass(frozen=True)
class Selector:
    """A parsed selector.

    Attributes:
        text: As it was written.
    """

    text: str
    terms: tuple[Term, ...]

    def matches(self, vm: Vm) -> bool:
        """Whether every term holds for the VM."""
        return all(term.matches(vm) for term in self.terms)


def parse_selector(text: str, *, field: str) -> Selector:
    """Reads a selector.

    Raises:
        InvalidInput: A term is unknown, empty, or its quotes do not close; names the term.
    """
    terms = tuple(_term(word, field) for word in _split(text, " ", field) if word.strip())
    if not terms:
        raise InvalidInput(field, (Problem(field, text, EXPECTED),))
    return Selector(text, terms)


def split_selectors(text: str, *, field: str) -> tuple[str, ...]:
    """The selectors of a `sequence`, separated by `;` outside quotes; empty ones left out."""
    return tuple(part.strip() for part in _split(text, ";", field) if part.strip())


def numbered_tag(text: str) -> str:
    """NAME where the text is exactly one `tag:NAME` without `=`: stages by number; else `""`."""
    found = re.fullmatch(r'\s*tag:(?:"([^"]+)"|([^\s;=,!"*?]+))\s*', text, re.IGNORECASE)
    return (found[1] or found[2]).lower() if found else ""


def _split(text: str, separator: str, field: str) -> list[str]:
    parts, quoted = [""], False
    for char in text:
        quoted ^= char == '"'
        if (char.isspace() if separator == " " else char == separator) and not quoted:
            parts.append("")
        else:
            parts[-1] += char
    if quoted:
        raise InvalidInput(field, (Problem(field, text, "double quotes that close"),))
    return parts


def _term(word: str, field: str) -> Term:
    negated = word.startswith("!")
    body = word[1:] if negated else word
    if body == "*":
        return Term("*", negated=negated)
    key, colon, value = body.partition(":")
    if not colon or key.lower() not in _KEYS:
        raise _bad(word, field)
    key = key.lower()
    tag = ""
    if key == "tag":
        # After the first "=" every comma part is a value; without one they are names.
        head = _split(value, "=", field)
        if len(head) > 1:
            tag = head[0].strip('"').lower()
            value = "=".join(head[1:])
            if not tag or "," in tag:
                raise _bad(word, field)
    patterns, prefixes = zip(
        *(_pattern(part, key) for part in _split(value, ",", field)), strict=True
    )
    if any(not pattern for pattern in patterns) and not tag:
        raise _bad(word, field)
    return Term(key, patterns, tag, negated, prefixes)


def _pattern(part: str, key: str) -> tuple[str, str]:
    """The pattern of a comma part, and what every value that fits it begins with."""
    literal = len(part) > 1 and part[0] == part[-1] == '"'
    text = part[1:-1] if literal else part.replace('"', "")
    if key == "location":
        text = text.replace(" ", "")
    if literal:
        return re.escape(text), _folded(text)
    return _glob(re.sub(r"\*+", "*", text)), _folded(re.split(r"[*?]", text, maxsplit=1)[0])


def _glob(text: str) -> str:
    """The pattern of a glob.

    What follows a `*` is taken where it first fits, and nothing else is tried: that loses no match, and a
    glob of many stars cannot keep the process busy for hours.
    """
    first, *rest = [re.escape(part).replace(r"\?", ".") for part in text.split("*")]
    middle = "".join(f"(?>.*?{part})" for part in rest[:-1])
    return first + middle + (".*" + rest[-1] if rest else "")


def _folded(text: str) -> str:
    """As far as lower case is sure to fold it as the patterns do."""
    ascii_part = re.match(r"[\x00-\x7f]*", text)
    return ascii_part[0].lower() if ascii_part else ""


def _bad(word: str, field: str) -> InvalidInput:
    problem = Problem(field, word, EXPECTED)
    return InvalidInput(f"term {shown(word)}", (problem,))
