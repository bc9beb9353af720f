"""Seeded faults as data: which of an emulator's kinds strike, how often, where, and how often they did.

A list of faults is written `KIND=RATE[xMOST][:LENGTH][@SUBJECT]`, separated by commas:

    duplicate=0.05, delay=0.1:2s, drop-after=1x1@send alerts

RATE is between 0 and 1, MOST bounds how often it strikes at all, LENGTH is for kinds that take time, and
SUBJECT says what it strikes: a glob, case ignored, over what each emulator calls its requests.

Whether the n-th request about a subject is struck depends on the seed, the fault, the subject and n alone:
the same requests in another order meet the same faults.
"""

import argparse
import hashlib
import json
import re
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any, Final

from aiohttp import web

from simulator.scenario_table import parse_duration

Kinds = Mapping[str, timedelta | None]
"""The faults that an emulator knows, each with its usual length; None where it takes no time."""

_FORM: Final = re.compile(
    r"(?P<kind>[a-z-]+)=(?P<rate>\d*\.?\d+)(?:x(?P<most>\d+))?"
    r"(?::(?P<length>[^@]+))?(?:@(?P<subject>.+))?",
    re.ASCII,
)
_HTTP_SECONDS: Final = 60


class FaultError(ValueError):
    """A list of faults that cannot be used; the message names the part and the fix."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of the list. `length` is zero where its kind takes no time; `most` None: no limit."""

    kind: str
    rate: float
    most: int | None
    length: timedelta
    subject: str

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.length.total_seconds()


class FaultPlan:
    """The faults of one emulator, now."""

    def __init__(self, kinds: Kinds, faults: str = "", seed: int = 0) -> None:
        """Plan these faults.

        Raises:
            FaultError: `faults` cannot be read, or names a kind that is not known.
        """
        self._kinds = kinds
        self._seed = seed
        self._injected: Counter[str] = Counter()
        self.set(faults)

    def set(self, faults: str, seed: int | None = None) -> None:
        """Plan other faults from now on, by the same seed where none is given. Counts go on.

        Raises:
            FaultError: they cannot be used; nothing changes.
        """
        parts = [part.strip() for part in faults.split(",") if part.strip()]
        self._faults = [_parse(part, self._kinds) for part in parts]
        self._written = ",".join(parts)
        self._seed = self._seed if seed is None else seed
        self._asked: Counter[tuple[int, str]] = Counter()
        self._struck: Counter[int] = Counter()

    def strike(self, subject: str, *kinds: str) -> Fault | None:
        """The first fault of these kinds, in the order of the list, that strikes this request."""
        subject = subject.lower()
        for number, fault in enumerate(self._faults):
            if fault.kind not in kinds or not fnmatchcase(subject, fault.subject):
                continue
            if fault.most is not None and self._struck[number] >= fault.most:
                continue
            if self._draw(number, subject) < fault.rate:
                self._struck[number] += 1
                self._injected[fault.kind] += 1
                return fault
        return None

    def report(self) -> dict[str, Any]:
        """What is planned, and how many faults of each kind ever struck."""
        return {
            "faults": self._written,
            "seed": self._seed,
            "injected": dict(sorted(self._injected.items())),
            "known": sorted(self._kinds),
        }

    def _draw(self, number: int, subject: str) -> float:
        """A number between 0 and 1: always the same for the same question."""
        fault = self._faults[number]
        self._asked[number, subject] += 1
        times = self._asked[number, subject]
        question = f"{self._seed}/{fault.kind}/{fault.subject}/{subject}/{times}"
        digest = hashlib.sha256(question.encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64


def _parse(part: str, kinds: Kinds) -> Fault:
    match = _FORM.fullmatch(part)
    if match is None:
        raise FaultError(
            f"faults: {part!r}: write KIND=RATE, KIND=RATExMOST, KIND=RATE:LENGTH or KIND=RATE@SUBJECT"
        )
    kind, rate, length = match["kind"], float(match["rate"]), match["length"]
    if kind not in kinds:
        raise FaultError(f"faults: {part!r}: no such kind; use one of {', '.join(sorted(kinds))}")
    if rate > 1:
        raise FaultError(f"faults: {part!r}: a rate is between 0 and 1")
    usual = kinds[kind]
    if length and usual is None:
        raise FaultError(f"faults: {part!r}: {kind} takes no length")
    try:
        lasts = parse_duration(length.strip()) if length else usual or timedelta()
    except ValueError as error:
        raise FaultError(f"faults: {part!r}: {error}") from error
    most = int(match["most"]) if match["most"] else None
    return Fault(kind, rate, most, lasts, (match["subject"] or "*").lower())


# --- as options of a process, and at run time over HTTP ----------------------------------------------


def add_options(parser: argparse.ArgumentParser) -> None:
    """`--faults` and `--seed`."""
    parser.add_argument("--faults", default="", help="KIND=RATE[xMOST][:LENGTH][@SUBJECT],...")
    parser.add_argument("--seed", type=int, default=0, help="of the faults; default: 0")


def add_routes(app: web.Application, plan: FaultPlan, path: str) -> None:
    """GET tells the plan and its counts; PUT `{"faults": "...", "seed": 7}` plans others."""

    async def show(_request: web.Request) -> web.Response:
        return web.json_response(plan.report())

    async def change(request: web.Request) -> web.Response:
        try:
            plan.set(*_wish(await request.text()))
        except FaultError as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response(plan.report())

    app.router.add_get(path, show)
    app.router.add_put(path, change)


def _wish(text: str) -> tuple[str, int | None]:
    try:
        wish = json.loads(text)
    except ValueError as error:
        raise FaultError(f"request body: not JSON: {error}") from error
    known = {"faults": str, "seed": int}
    if not isinstance(wish, dict) or not all(
        isinstance(value, known.get(name, ())) for name, value in wish.items()
    ):
        raise FaultError(
            'request body: use {"faults": "KIND=RATE,...", "seed": 7}; seed may be left out'
        )
    return wish.get("faults", ""), wish.get("seed")


def read_faults(url: str) -> dict[str, Any]:
    """The report of an emulator's faults."""
    return _ask(urllib.request.Request(url))  # noqa: S310 - loopback


def put_faults(url: str, faults: str) -> dict[str, Any]:
    """Plan these faults in an emulator; none for an empty text.

    Raises:
        FaultError: it does not take them.
    """
    body = json.dumps({"faults": faults}).encode()
    try:
        return _ask(urllib.request.Request(url, body, method="PUT"))  # noqa: S310 - loopback
    except urllib.error.HTTPError as error:
        with error:
            raise FaultError(json.load(error)["error"]) from error


def _ask(request: urllib.request.Request) -> dict[str, Any]:
    with urllib.request.urlopen(request, timeout=_HTTP_SECONDS) as answer:  # noqa: S310 - loopback
        report: dict[str, Any] = json.load(answer)
        return report
