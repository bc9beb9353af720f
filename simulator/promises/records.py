"""P6 and P7: whether everything was written down, and everything bad was told."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from simulator.promises.model import Evidence, Row, Verdict, clock
from simulator.promises.policies import History

_READ_AGO = timedelta(seconds=5)
"""A row carries what Azure showed when the app last read it, which is not the instant it wrote."""

_CODES = {
    "completed": "MaintenanceCompleted",
    "aborted": "MaintenanceAborted",
    "retryLater": "RetryLater",
}


def outcomes(evidence: Evidence) -> Verdict:
    """P6: one terminal row per job and maintenance, with Azure's own words; no start unrecorded."""
    violations = (
        *_uncounted(evidence),
        *_lost(evidence),
        *_unrecorded(evidence),
        *_misquoted(evidence),
    )
    counts = Counter(row.outcome for row in evidence.rows)
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())
    facts = f"{len({row.job for row in evidence.rows})} jobs: {told or 'no outcome'}"
    return Verdict("P6", "one outcome each, in Azure's words", facts, violations)


def alerts(evidence: Evidence) -> Verdict:
    """P7: every bad end is in one mail, and no bad end in two."""
    bad = [row for row in evidence.rows if row.is_bad]
    violations = []
    for row in bad:
        ids = {mail.message_id for mail in evidence.mails if _tells_of(mail.text, row)}
        if not ids:
            violations.append(f"{row.name} ended {row.outcome} and no mail says so")
        elif len(ids) > 1:
            violations.append(f"{row.name} ended {row.outcome}, which {len(ids)} mails tell")
    distinct = len({mail.message_id for mail in evidence.mails})
    repeated = len(evidence.mails) - distinct
    facts = f"bad ends: {len(bad)}; mails: {distinct}"
    if repeated:
        facts += f", delivered again under the same Message-ID: {repeated}"
    return Verdict("P7", "every bad end mailed, none twice", facts, tuple(violations))


def _uncounted(evidence: Evidence) -> Iterator[str]:
    terminal = Counter(row.job for row in evidence.rows if row.terminal)
    for job in dict.fromkeys(row.job for row in evidence.rows):
        if terminal[job] != 1:
            yield f"job {job} has {terminal[job]} terminal outcomes"


def _lost(evidence: Evidence) -> Iterator[str]:
    """VMs with fewer final outcomes than maintenances, or more."""
    announced = Counter(window.vm for window in evidence.windows if window.is_new)
    for vm in sorted(History(evidence).ever_matched):
        rows = [row for row in evidence.of(vm).rows if row.terminal]
        # A job that never started may be followed by another for the same maintenance.
        final = sum(not row.never_started and row.work == "redeploy" for row in rows)
        if announced[vm] and not rows:
            yield f"{evidence.name(vm)} was offered maintenance and has no outcome"
        elif final > announced[vm]:
            yield f"{evidence.name(vm)} has {final} final outcomes of {announced[vm]} maintenances"
    redeployed = {row.vm for row in evidence.rows if row.terminal and row.work == "redeploy"}
    for vm in sorted(redeployed - set(announced)):
        yield f"{evidence.name(vm)} has an outcome and was never offered maintenance"


def _unrecorded(evidence: Evidence) -> Iterator[str]:
    for start in (*evidence.accepted, *(one for one in evidence.installs if one.accepted)):
        if evidence.row_of(start) is None:
            yield f"the start of {evidence.name(start.vm)} at {clock(start.at)} is in no outcome"


def _misquoted(evidence: Evidence) -> Iterator[str]:
    """Rows whose result code or message is none that Azure showed at the time."""
    for row in evidence.rows:
        shown = _shown(evidence, row)
        said = "" if row.code == "None" else row.code
        if said and said not in shown:
            expected = " or ".join(sorted(code for code in shown if code)) or "none"
            yield f"{row.name}: the outcome says {said}, Azure showed {expected}"
        code, message = evidence.results.get(row.vm, ("", ""))
        if said and row.terminal and said == code and row.message != message:
            yield f"{row.name}: lastOperationMessage is {row.message!r}, Azure's is {message!r}"


def _shown(evidence: Evidence, row: Row) -> set[str]:
    """The result codes that Azure showed shortly before the row's attempt ended."""
    shown, current = set(), ""
    for event in evidence.of(row.vm).events:
        if event.at > row.ended:
            continue
        if event.at > row.ended - _READ_AGO:
            shown.add(current)
        if event.name in ("announced", "withdrawn"):
            current = ""
        current = _CODES.get(event.name, current)
    return shown | {current}


def _tells_of(text: str, row: Row) -> bool:
    """Whether a line of the mail begins with the VM's name and says how it ended.

    A line that merely mentions the VM may be about another one, whose rollout it halted.
    """
    ended = re.sub(r"(?<=[a-z])(?=[A-Z])", " ?", row.outcome)  # timedOut, or timed out
    line = rf"^\W*{re.escape(row.name)}(?![\w-]).*\b{ended}\b"
    return bool(re.search(line, text, re.IGNORECASE | re.MULTILINE))
