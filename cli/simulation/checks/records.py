"""P6 and P7: whether everything is written down once and truly, and everything bad is told once."""

import re
from collections import Counter
from collections.abc import Iterator

from cli.simulation.checks.facts import BAD, Cells, Facts, StartSeen

_WORDS = {"failed": "failed", "timed out": "timedOut", "aborted": "aborted", "missed": "missed"}
_BY_AZURE = ("completed", "aborted", "retryLater")
_WITHOUT_START = ("missed", "withdrawn", "skipped")
_LINE = re.compile(r"^(\S+): (failed|timed out|aborted|missed)\n=====", re.MULTILINE)


def outcome(facts: Facts, verb: str, cells: Cells) -> Iterator[str]:
    """P6, as a row is written: it is new, the only terminal one of its job, and true."""
    name = cells["vmName"]
    if verb != "create":
        yield f"the outcome row of {name} was changed"
    for _, other in facts.rows:
        if other["jobId"] != cells["jobId"]:
            continue
        if other["attempt"] == cells["attempt"]:
            yield f"job {cells['jobId']} has two rows for attempt {cells['attempt']}"
        elif other["terminal"]:
            yield f"job {cells['jobId']} has an attempt after its terminal outcome"
    yield from _untrue(facts, cells)


def never_twice(facts: Facts) -> Iterator[str]:
    """P7, as a mail is taken: no end is told more often than it came."""
    told_of = Counter(end for mail in facts.mails.values() for end in told(mail.text))
    came = Counter(_end(row) for _, row in facts.rows if _is_bad(row))
    for end, count in told_of.items():
        if count > came[end]:
            yield f"{end[0]} ended {end[1]} {came[end]} times, which mails tell {count} times"


def never_none(facts: Facts) -> Iterator[str]:
    """P7, at the end: every bad end is told."""
    told_of = Counter(end for mail in facts.mails.values() for end in told(mail.text))
    came = Counter(_end(row) for _, row in facts.rows if _is_bad(row))
    for end, count in came.items():
        if told_of[end] < count:
            yield f"{end[0]} ended {end[1]} {count} times, which mails tell {told_of[end]} times"


def told(text: str) -> list[tuple[str, str]]:
    """The ends that a mail tells: (VM, outcome)."""
    return [(name, _WORDS[word]) for name, word in _LINE.findall(text)]


def unrecorded(facts: Facts) -> Iterator[str]:
    """P6, at the end: jobs without their one terminal row, and starts that are in no row."""
    terminal = Counter(row["jobId"] for _, row in facts.rows if row["terminal"])
    for job in facts.jobs.values():
        if terminal[job.id] != 1:
            yield f"job {job.id} ({job.state}) has {terminal[job.id]} terminal outcomes"
    for start in facts.starts:
        rows = [row for _, row in facts.rows if row["jobId"] == start.job.id]
        # Of a VM that was deleted before the start's lost answer could be found out, nobody knows.
        unknown = start.job.state == "gone" and not start.job.followed
        if not unknown and not any(row.get("startedAt") for row in rows):
            yield f"the start of {facts.name(start.vm)} at {start.at:%H:%M:%S} is in no outcome"


def lost(facts: Facts) -> Iterator[str]:
    """P6, at the end: VMs whose maintenance two whole discoveries saw, and which have no outcome."""
    recorded = {(row["vmId"].lower()) for _, row in facts.rows if row["terminal"]}
    for offer in facts.offers:
        if offer.seen >= 2 and offer.vm not in recorded:
            yield f"{facts.name(offer.vm)} was offered maintenance and has no outcome"


def missed(facts: Facts) -> Iterator[str]:
    """At the end, where a legal plan existed with room for every fault: who was missed all the same."""
    for at, row in facts.rows:
        if row["outcome"] == "missed" and row.get("work") != "patch":
            yield f"{row['vmName']} was missed at {at:%m-%d %H:%M:%S}, though there was room"


def _untrue(facts: Facts, cells: Cells) -> Iterator[str]:
    vm, outcome_, name = cells["vmId"].lower(), cells["outcome"], cells["vmName"]
    code = cells.get("lastOperationResultCode", "")
    if code not in facts.codes[vm]:
        yield f"the outcome of {name} says {code}, which Azure never showed"
    work = cells.get("work", "redeploy")
    mine = [start for start in facts.starts if start.job.id == cells["jobId"]]
    taken = [start for start in mine if start.work == work]
    if work == "patch" and outcome_ == "completed":
        yield from _not_patched(facts, cells, taken)
    elif outcome_ in _BY_AZURE:
        yield from _not_so(facts, cells, taken)
    elif outcome_ in _WITHOUT_START and len(taken) > _started_before(facts, cells):
        yield f"{name} was started, and its outcome is {outcome_}"


def _not_so(facts: Facts, cells: Cells, taken: list[StartSeen]) -> Iterator[str]:
    """Outcomes that tell of something Azure did, which it must have done after the last start."""
    vm, outcome_, name = cells["vmId"].lower(), cells["outcome"], cells["vmName"]
    if not taken:
        yield f"{name} is {outcome_}, and was never started"
        return
    events = [event for at, event, _ in facts.events[vm] if at >= taken[-1].at]
    if outcome_ == "completed" and {"withdrawn", "power"} & set(events):
        return  # Azure shows the same of one that is done and one that is gone; an owner can mend a VM
    if not facts.ended_so(taken[-1], outcome_):
        yield f"{name} is {outcome_}, and Azure did nothing of the kind"
    elif outcome_ == "completed" and taken[-1].was_up and "back" not in events:
        yield f"{name} is completed, and was not back"


def _not_patched(facts: Facts, cells: Cells, taken: list[StartSeen]) -> Iterator[str]:
    """Patches that are said to be installed, which Azure must have done after the last start."""
    vm, name = cells["vmId"].lower(), cells["vmName"]
    if not taken:
        yield f"{name} is patched, and no installation was started"
    elif not any(what == "installed" and at >= taken[-1].at for at, what, _ in facts.events[vm]):
        yield f"{name} is patched, and Azure installed nothing"


def _started_before(facts: Facts, cells: Cells) -> int:
    """How many attempts of the job that were started have their row."""
    rows = (
        row
        for _, row in facts.rows
        if (row["jobId"], row.get("work")) == (cells["jobId"], cells.get("work"))
    )
    return sum(bool(row.get("startedAt")) for row in rows)


def _is_bad(row: Cells) -> bool:
    is_last = bool(row["terminal"]) or row.get("work") == "patch"
    return is_last and row["outcome"] in BAD


def _end(row: Cells) -> tuple[str, str]:
    return row["vmName"], row["outcome"]
