"""The columns of the tables that Baton writes: which field each keeps, and how."""

from collections.abc import Iterable
from datetime import UTC, datetime

from shared.adapters.behind_cell import BEHIND
from shared.adapters.cells import (
    FLAG,
    INT,
    SENTENCE,
    TEXT,
    TEXTS,
    TIME,
    Cell,
    Column,
    Shape,
    cut,
    read_list,
    word_of,
    wrong,
)
from shared.domain.alert import Alert, AlertState, Span
from shared.domain.attempt import Attempt
from shared.domain.due import DuePatches, Installed
from shared.domain.errors import InvalidInput
from shared.domain.heartbeat import Heartbeat, LeftAlone
from shared.domain.job import Job, JobState
from shared.domain.ledger import Head
from shared.domain.maintenance import MaintenanceStatus

MAINTENANCE = Shape(
    MaintenanceStatus,
    (
        Column(
            "isCustomerInitiatedMaintenanceAllowed",
            "is_customer_initiated_maintenance_allowed",
            FLAG,
        ),
        Column("preMaintenanceWindowStartTime", "pre_maintenance_window_start_time", TIME),
        Column("preMaintenanceWindowEndTime", "pre_maintenance_window_end_time", TIME),
        Column("maintenanceWindowStartTime", "maintenance_window_start_time", TIME),
        Column("maintenanceWindowEndTime", "maintenance_window_end_time", TIME),
        Column("lastOperationResultCode", "last_operation_result_code", TEXT),
        Column("lastOperationMessage", "last_operation_message", SENTENCE),
    ),
)
JOB = Shape(
    Job,
    (
        Column("jobId", "id", TEXT),
        Column("state", "state", word_of(JobState)),
        Column("vmId", "vm_id", TEXT),
        Column("vmName", "vm_name", TEXT),
        Column("resourceGroup", "resource_group", TEXT),
        Column("subscriptionId", "subscription_id", TEXT),
        Column("location", "location", TEXT),
        Column("zone", "zone", TEXT),
        Column("zoneKey", "zone_key", TEXT),
        Column("findings", "findings", TEXTS),
        # By their first names, so that the version before reads them: the set is a scale set too, and the
        # domain a fault domain where it is a flexible one's.
        Column("availabilitySet", "domain_set", TEXT),
        Column("platformUpdateDomain", "domain", INT),
        Column("pairedRegions", "region_pairs", TEXTS),
        Column("team", "team", TEXT),
        Column("policy", "policy", TEXT),
        Column("rollout", "rollout", INT),
        Column("stage", "stage", INT),
        Column("sequenceNumber", "sequence_number", INT),
        Column("attempt", "attempt", INT),
        Column("refusals", "refusals", INT),
        Column("reason", "reason", SENTENCE),
        Column("discoveredAt", "discovered_at", TIME),
        Column("plannedStart", "planned_start", TIME),
        Column("plannedAt", "planned_at", TIME),
        Column("toldStart", "told_start", TIME),
        Column("toldAt", "told_at", TIME),
        Column("notBefore", "not_before", TIME),
        Column("askedAt", "asked_at", TIME),
        Column("allowedBy", "allowed_by", TEXT),
        Column("allowedAt", "allowed_at", TIME),
        Column("claimedAt", "claimed_at", TIME),
        Column("startedAt", "started_at", TIME),
        Column("verifiedAt", "verified_at", TIME),
        Column("endedAt", "ended_at", TIME),
        Column("freedAt", "freed_at", TIME),
        Column("lastOperationResultCodeBefore", "code_before", TEXT),
        Column("wasRunning", "was_running", FLAG),
        Column("wasReady", "was_ready", FLAG),
        Column("operationUrl", "operation_url", TEXT),
        Column("correlationId", "correlation_id", TEXT),
        Column("requestId", "request_id", TEXT),
        Column("skippedBecause", "skipped_because", TEXT),
        Column("retriedBy", "retried_by", TEXT),
        Column("retriedAt", "retried_at", TIME),
        Column("accepted", "accepted", FLAG),
        Column("triedRelease", "tried_release", TEXT, added=True),
        Column("installations", "installations", INT, added=True),
    ),
)
PATCHES = Shape(
    DuePatches,
    (
        Column("release", "release", TEXT),
        Column("dueSince", "since", TIME),
        Column("azureInstallsUntil", "until", TIME),
        Column("kbIds", "kbs", TEXTS),
        Column("needsReboot", "needs_reboot", FLAG),
        Column("mayReboot", "may_reboot", FLAG),
    ),
)
HEAD = Shape(
    Head,
    (
        Column("team", "team", TEXT),
        Column("policy", "policy", TEXT),
        Column("version", "version", TEXT),
        Column("approvedRollout", "approved_rollout", INT),
        Column("approvedBy", "approved_by", TEXT),
        Column("approvedAt", "approved_at", TIME),
        Column("approvedUntil", "approved_until", TIME),
    ),
)
# An attempt that is not recorded yet stands beside its job, column by column rather than as JSON: its
# texts can then be as long as Azure's, and a person can read them.
UNSETTLED = "unsettled"
ATTEMPT_CELLS: tuple[tuple[str, str, Cell], ...] = (
    ("Attempt", "number", INT),
    ("Outcome", "outcome", TEXT),
    ("Terminal", "terminal", FLAG),
    ("Reason", "reason", SENTENCE),
    ("StartedAt", "started_at", TIME),
    ("VerifiedAt", "verified_at", TIME),
    ("EndedAt", "ended_at", TIME),
    ("LastOperationResultCode", "last_operation_result_code", TEXT),
    ("LastOperationMessage", "last_operation_message", SENTENCE),
    ("CorrelationId", "correlation_id", TEXT),
)
_ADDED_CELLS: tuple[tuple[str, str, Cell], ...] = (
    ("Work", "work", TEXT),
    ("Release", "release", TEXT),
)
ATTEMPT = Shape(
    Attempt,
    (
        *(Column(UNSETTLED + n, f, cell) for n, f, cell in ATTEMPT_CELLS),
        *(Column(UNSETTLED + n, f, cell, added=True) for n, f, cell in _ADDED_CELLS),
    ),
)
INSTALLED_CELLS: tuple[tuple[str, str, Cell], ...] = (
    ("InstallationActivityId", "installation_activity_id", TEXT),
    ("RebootStatus", "reboot_status", TEXT),
    ("InstalledPatchCount", "installed_patch_count", INT),
    ("FailedPatchCount", "failed_patch_count", INT),
)
INSTALLED = Shape(
    Installed, (Column(UNSETTLED + n, f, cell, added=True) for n, f, cell in INSTALLED_CELLS)
)
OUTCOME_CELLS = (*(name for name, _, _ in ATTEMPT_CELLS), "Work")
# Of an installation alone.
OUTCOME_OF_PATCHES = ("Release", *(name for name, _, _ in INSTALLED_CELLS))

# What an outcome's row takes from its job, under the same names.
OUTCOME_OF_JOB = (
    "jobId",
    "vmId",
    "vmName",
    "resourceGroup",
    "location",
    "team",
    "policy",
    "stage",
    "plannedStart",
    "preMaintenanceWindowStartTime",
    "preMaintenanceWindowEndTime",
)


def _write_facts(column: str, facts: Iterable[tuple[str, str]]) -> str:
    """A fact can be a message of Azure's as long as the whole column may be; then every value is cut."""
    pairs = [list(pair) for pair in facts]
    try:
        return str(_FACTS_JSON.write(column, pairs))
    except InvalidInput:
        return str(_FACTS_JSON.write(column, [[label, cut(text, 500)] for label, text in pairs]))


def _read_facts(column: str, value: object) -> tuple[tuple[str, str], ...]:
    found = read_list(column, value)
    for pair in found:
        if not (isinstance(pair, list) and len(pair) == 2 and all(type(t) is str for t in pair)):
            raise wrong(column, value, "a JSON array of [label, value]")
    return tuple((label, text) for label, text in found)


_FACTS_JSON = Cell(TEXTS.write, read_list)


def _write_spans(column: str, spans: Iterable[Span]) -> str:
    return str(TEXTS.write(column, [[s.label, *map(_iso, (s.start, s.end))] for s in spans]))


def _read_spans(column: str, value: object) -> tuple[Span, ...]:
    try:
        found = [
            Span(str(label), datetime.fromisoformat(start), datetime.fromisoformat(end))
            for label, start, end in read_list(column, value)
        ]
    except (TypeError, ValueError) as error:
        raise wrong(column, value, "a JSON array of [label, start, end]") from error
    if not all(span.start.tzinfo and span.end.tzinfo for span in found):
        raise wrong(column, value, "instants with their zone")
    return tuple(found)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


ALERT = Shape(
    Alert,
    (
        Column("kind", "kind", TEXT),
        Column("state", "state", word_of(AlertState)),
        Column("subject", "subject", SENTENCE),
        Column("team", "team", TEXT),
        Column("policy", "policy", TEXT),
        Column("reason", "reason", SENTENCE),
        Column("nextStep", "next_step", SENTENCE),
        Column("facts", "facts", Cell(_write_facts, _read_facts)),
        Column("recipients", "recipients", TEXTS),
        Column("raisedAt", "raised_at", TIME),
        Column("mailId", "mail_id", TEXT),
        Column("leasedUntil", "leased_until", TIME),
        Column("tries", "tries", INT),
        Column("triedAt", "tried_at", TIME),
        Column("takenAt", "taken_at", TIME),
        Column("note", "note", SENTENCE),
        Column("deadline", "deadline", TIME),
        Column("vmId", "vm_id", TEXT, added=True),
        Column("timeZone", "zone", TEXT, added=True),
        Column("spans", "spans", Cell(_write_spans, _read_spans), added=True),
    ),
)

HEARTBEAT = Shape(
    Heartbeat,
    (
        Column("at", "at", TIME),
        Column("vms", "vms", INT),
        Column("changed", "changed", INT),
        Column("unmatched", "unmatched", INT),
        Column("unreadable", "unreadable", INT),
        Column("failedSubscriptions", "failed_subscriptions", INT),
        Column("seenAt", "seen_at", TIME, added=True),
        Column("behind", "behind", BEHIND, added=True),
    ),
)

LEFT_ALONE = Shape(
    LeftAlone,
    (
        Column("vmId", "vm_id", TEXT),
        Column("location", "location", TEXT),
        Column("preMaintenanceWindowEndTime", "closes", TIME),
        Column("reason", "reason", SENTENCE),
    ),
)

SENTENCES = frozenset(
    column.name
    for shape in (JOB, MAINTENANCE, ATTEMPT, ALERT)
    for column in shape.columns
    if column.cell is SENTENCE
)
