"""Policies by chance, and what people do to them, to VMs and to the app while it works."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from cli.simulation.dice import Dice
from cli.simulation.fleet import a_script, windows_from
from cli.simulation.setup import (
    Columns,
    Garbage,
    Illegible,
    ModeChange,
    PolicyWrite,
    offset,
)
from simulator.scenario_model import Edit, Fault, Subscription, Vm, VmEdit, Windows

_HOUR = timedelta(hours=1)
_START = timedelta(0)
# Ways to share a fleet among policies, each with the columns that decide it.
_SPLITS: tuple[tuple[tuple[str, Columns], ...], ...] = (
    (("all", {}),),
    (("all", {"match": "*", "exclude": "tag:tier=none"}),),
    (("db", {"match": "tag:tier=db"}), ("front", {"match": "tag:tier=app,web"})),
    (("db", {"match": "name:db-*", "priority": 10}), ("rest", {"priority": 200})),
    (
        ("west", {"match": "location:westeurope"}),
        ("all", {"match": "*", "priority": 300}),
        ("web", {"match": "tag:tier=web", "priority": 50}),
    ),
)
_SEQUENCES = (
    "",
    "tag:wave",
    "tag:wave",
    "tag:tier=db; tag:tier=app",
    "name:web-*; name:db-*",
    "zone:1; zone:2",
)
# Open often enough that something happens, shut often enough to be in the way.
_WINDOWS = (
    "00:00-12:00; 14:00-24:00",
    "22:00-06:00; 10:00-16:00",
    "Mon-Fri 18:00-08:00; Sat,Sun 00:00-24:00",
    "00:30+5h; 06:00+5h; 12:00+5h; 18:00+5h",
    "02:00-05:30; 09:00-21:00",
    "Sat,Sun 01:00-03:00; Mon-Fri 00:00-24:00; Sun#-1 03:00+20h",
)
_ZONES = ("Europe/Amsterdam", "America/New_York", "W. Europe Standard Time", "Australia/Lord_Howe")
_WRONG: tuple[Columns, ...] = (
    {"gap": "soon"},
    {"freeze": "2026-12-24"},
    {"concurrency": 0},
    {"match": "nme:web-*"},
    {"onFailure": "stop"},
    {"windows": "Monday 22:00-04:00"},
    {"freezes": "christmas"},
)
_GARBAGE = (b"", b"hello", b'{"v": 2}', b'{"v": 1, "team": "shop"}', b"\xff\xfe", b"[" * 3000)


def some_policies(dice: Dice, t0: datetime) -> list[PolicyWrite]:
    """The rows at the start, all right."""
    hours = _hours(dice, t0)
    return [
        PolicyWrite(
            at=_START,
            team=dice.choice(("shop", "bank")),
            name=name,
            columns={**shared, **hours, **_own_columns(dice)},
        )
        for name, shared in dice.choice(_SPLITS)
    ]


def broken(dice: Dice, row: PolicyWrite) -> PolicyWrite:
    """The row with a mistake in it."""
    return replace(row, columns={**(row.columns or {}), **dice.choice(_WRONG)}, is_wrong=True)


def with_go_ahead(dice: Dice, rows: Sequence[PolicyWrite]) -> list[PolicyWrite]:
    """The rows, and the edits of them, most with a go-ahead to be asked for: people change that as well."""
    return [
        row
        if row.columns is None or dice.happens(0.3)
        else replace(
            row,
            columns={
                **row.columns,
                "goAhead": dice.choice(("1m", "PT10M", "30m")),
                "goAheadDefault": dice.choice(("start", "start", "skip")),
            },
        )
        for row in rows
    ]


def _hours(dice: Dice, t0: datetime) -> dict[str, Any]:
    """When VMs may be away, by whose clock, and from when on somebody must have said yes."""
    begins = t0 + dice.duration(_START, 8 * _HOUR)
    freeze = f"{begins:%Y-%m-%dT%H:%MZ}/{begins + dice.duration(_HOUR, 6 * _HOUR):%Y-%m-%dT%H:%MZ}"
    columns = {
        "windows": dice.choice(_WINDOWS),
        "timeZone": dice.choice(_ZONES),
        "freezes": dice.choice((freeze, f"{begins:%Y-%m-%d}", f"2025-12-24; {freeze}")),
        "lead": dice.choice(("10m", "1h", "PT3H")),
        "approval": "required",
    }
    chances = {"windows": 0.4, "timeZone": 0.4, "freezes": 0.2, "lead": 0.15, "approval": 0.12}
    return {name: value for name, value in columns.items() if dice.happens(chances[name])}


def _own_columns(dice: Dice) -> dict[str, Any]:
    columns: dict[str, Any] = {
        "sequence": dice.choice(_SEQUENCES),
        "gap": dice.choice(("0s", "1m", "PT5M", "15m", "30m")),
        "concurrency": dice.one_of({1: 5, 2: 3, 4: 2}),
        "onFailure": dice.choice(("halt", "continue")),
        "retries": dice.randint(0, 3),
        "estimate": dice.choice(("10m", "25m")),
        "retryAborted": dice.happens(0.4),
    }
    if dice.happens(0.3):
        columns["stageGap"] = dice.choice(("0s", "10m", "1h"))
    if dice.happens(0.4):
        columns["owners"] = dice.choice(("shop@example.com", "shop@example.com, gone@example.com"))
    return {name: value for name, value in columns.items() if dice.happens(0.8)}


def policy_edits(
    dice: Dice, rows: Sequence[PolicyWrite], count: int, last: timedelta, t0: datetime
) -> Iterator[PolicyWrite]:
    """Edits of the rows, in the order of time: columns changed, broken and mended, rows gone and back."""
    current = {(row.team, row.name): dict(row.columns or {}) for row in rows}
    for at in sorted(dice.duration(_START, last) for _ in range(count)):
        key = dice.choice(sorted(current))
        columns = current[key]
        match dice.one_of({"own": 6, "off": 2, "on": 3, "wrong": 2, "delete": 1, "mend": 3}):
            case "own":
                columns = {**columns, **_own_columns(dice), **_hours(dice, t0)}
            case "off":
                columns = {**columns, "enabled": False}
            case "on" | "mend":
                columns = {k: v for k, v in columns.items() if k != "enabled"}
            case "wrong":
                yield broken(dice, PolicyWrite(at=at, team=key[0], name=key[1], columns=columns))
                continue
            case _:
                yield PolicyWrite(at=at, team=key[0], name=key[1], columns=None)
                continue
        current[key] = columns
        yield PolicyWrite(at=at, team=key[0], name=key[1], columns=columns)


def vm_edits(
    dice: Dice, vms: Sequence[Vm], count: int, last: timedelta, level: str
) -> Iterator[Edit]:
    """What Azure and the VMs' owners do: delete, withdraw, move, announce, retag, stop."""
    for at in sorted(dice.duration(timedelta(minutes=1), last) for _ in range(count)):
        vm = dice.choice(vms)
        edits: dict[str, dict[str, Any]] = {
            "delete": {"delete": True},
            "withdraw": {"withdraw": True},
            "move": {"windows": _moved(dice, vm)},
            "announce": {"withdraw": True, "windows": _announced(dice, vm, at)},
            "tags": {"tags": {**vm.tags, "wave": str(dice.randint(1, 3))}},
            "script": {"script": a_script(dice, level)},
            "power": {"power": dice.choice(("running", "stopped"))},
        }
        kind = dice.one_of(
            {
                "delete": 1,
                "withdraw": 2,
                "move": 3,
                "announce": 2,
                "tags": 1,
                "script": 1,
                "power": 1,
            }
        )
        edit = VmEdit(name=vm.name, resource_group=vm.resource_group, **edits[kind])
        yield Edit(at=at, vm=edit)


def _moved(dice: Dice, vm: Vm) -> Mapping[str, timedelta]:
    """The VM's own windows a little earlier or later: what overlaps is the same maintenance (ADR 2)."""
    old = vm.maintenance
    if old is None:
        return _all(windows_from(dice, _HOUR))
    opens, closes = offset(old.pre_start), offset(old.pre_end)
    half = (closes - opens) / 2
    new_opens = opens + dice.duration(-2 * _HOUR, half)
    new_closes = closes + dice.duration(-half / 2, 6 * _HOUR)
    start = new_closes + _HOUR
    return _all(Windows(new_opens, new_closes, start, start + 3 * _HOUR))


def _announced(dice: Dice, vm: Vm, at: timedelta) -> Mapping[str, timedelta]:
    """Another maintenance, which shares no instant with the VM's own windows, moved as they may be."""
    after = offset(vm.maintenance.pre_end) + 7 * _HOUR if vm.maintenance else at
    return _all(windows_from(dice, max(at, after) + dice.duration(_START, 3 * _HOUR)))


def _all(windows: Windows) -> Mapping[str, timedelta]:
    return {
        name: offset(getattr(windows, name)) for name in ("pre_start", "pre_end", "start", "end")
    }


def subscription_edits(
    dice: Dice, subscriptions: Sequence[Subscription], count: int, last: timedelta
) -> Iterator[Edit]:
    """Subscriptions that cannot be read, and can again."""
    for _ in range(count):
        at = dice.duration(_START, last)
        identity = dice.choice(subscriptions).id
        kind = dice.choice(("forbidden", "unavailable", "page2"))
        yield Edit(at=at, subscription=(identity, Fault(kind)))
        until = min(at + dice.duration(timedelta(minutes=1), _HOUR), last)
        yield Edit(at=until, subscription=(identity, Fault()))


def mode_changes(dice: Dice, first: str, last: timedelta) -> Iterator[ModeChange]:
    """Where Baton begins in dry run or paused it goes live some day; now and then it is paused for a while."""
    if first != "live":
        yield ModeChange(at=dice.duration(_START, last / 2), mode="live")
    elif dice.happens(0.1):
        at = dice.duration(_START, last / 2)
        yield ModeChange(at=at, mode="paused")
        yield ModeChange(at=at + dice.duration(timedelta(minutes=1), last / 4), mode="live")


def garbage(dice: Dice, count: int, last: timedelta) -> Iterator[Garbage]:
    """Messages that nobody can read."""
    for _ in range(count):
        queue = dice.choice(("redeploy-jobs", "redeploy-jobs", "alerts"))
        yield Garbage(at=dice.duration(_START, last), queue=queue, body=dice.choice(_GARBAGE))


def illegible(dice: Dice, vms: Sequence[Vm], count: int, last: timedelta) -> Iterator[Illegible]:
    """VMs whose answers nobody can use, for a while."""
    for _ in range(count):
        at = dice.duration(_START, last)
        until = min(at + dice.duration(timedelta(minutes=1), _HOUR), last)
        yield Illegible(at=at, until=until, vm=dice.choice(vms).name)
