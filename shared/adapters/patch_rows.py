"""Rows of `BatonPatches`: how one VM stands, in Azure's own names where Azure has one."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.adapters.cells import (
    FLAG,
    INT,
    SENTENCE,
    TEXT,
    TIME,
    Cell,
    Column,
    Entity,
    Shape,
    cut,
    key,
    read_list,
    word_of,
    write_json,
    wrong,
)
from shared.domain.patching.model import (
    AvailablePatchSummary,
    LastPatchInstallationSummary,
    PatchError,
)
from shared.domain.patching.record import PatchRecord, PatchState
from shared.domain.patching.results import AvailablePatch
from shared.domain.vm_ids import VmId

# Bytes in UTF-16, less than a cell holds.
_PATCHES_MAX = 60_000
_NAME_MAX = 300


def _write_error(_: str, error: PatchError) -> str:
    return cut(f"{error.code}: {error.message}")


def _read_error(column: str, value: object) -> PatchError:
    code, _, message = str(TEXT.read(column, value)).partition(": ")
    return PatchError(code=code, message=message)


def _write_patches(column: str, patches: tuple[AvailablePatch, ...]) -> str:
    """As many as fit, critical and security patches first."""
    kept: list[dict[str, object]] = []
    size = 0
    for patch in sorted(patches, key=lambda one: not one.is_automatic):
        item = _json_of(patch)
        size += len(json.dumps(item, ensure_ascii=False).encode("utf-16-le", "surrogatepass"))
        if size > _PATCHES_MAX:
            break
        kept.append(item)
    return write_json(column, kept)


def _json_of(patch: AvailablePatch) -> dict[str, object]:
    published = patch.published_date
    return {
        "patchId": patch.patch_id,
        "name": cut(patch.name, _NAME_MAX),
        "version": patch.version,
        "kbId": patch.kb_id,
        "classifications": list(patch.classifications),
        "rebootBehavior": str(patch.reboot_behavior),
        "publishedDate": published.astimezone(UTC).isoformat() if published else None,
        "assessmentState": patch.assessment_state,
    }


def _read_patches(column: str, value: object) -> tuple[AvailablePatch, ...]:
    try:
        return tuple(_patch_of(item) for item in read_list(column, value))
    except (KeyError, TypeError, ValueError) as error:
        raise wrong(column, value, "a JSON array of patches") from error


def _patch_of(item: Any) -> AvailablePatch:
    published = item["publishedDate"]
    return AvailablePatch(
        patch_id=str(item["patchId"]),
        name=str(item["name"]),
        version=str(item["version"]),
        kb_id=str(item["kbId"]),
        classifications=tuple(map(str, item["classifications"])),
        reboot_behavior=str(item["rebootBehavior"]),
        published_date=datetime.fromisoformat(published).astimezone(UTC) if published else None,
        assessment_state=str(item["assessmentState"]),
    )


_ERROR = Cell(_write_error, _read_error)
_RECORD = Shape(
    PatchRecord,
    (
        Column("vmId", "vm_id", TEXT),
        Column("vmName", "vm_name", TEXT),
        Column("resourceGroup", "resource_group", TEXT),
        Column("subscriptionId", "subscription_id", TEXT),
        Column("location", "location", TEXT),
        Column("team", "team", TEXT),
        Column("policy", "policy", TEXT),
        Column("state", "state", word_of(PatchState)),
        Column("reason", "reason", SENTENCE),
        Column("image", "image", TEXT),
        Column("enableHotpatching", "enable_hotpatching", FLAG),
        Column("patchMode", "patch_mode", TEXT),
        Column("assessmentMode", "assessment_mode", TEXT),
        Column("rebootSetting", "reboot_setting", TEXT),
        Column("timeZone", "time_zone", TEXT),
        Column("powerState", "power_state", TEXT),
        Column("availablePatches", "patches", Cell(_write_patches, _read_patches)),
        Column("availablePatchesAt", "patches_at", TIME),
        Column("dueSince", "due_since", TIME),
        Column("azureInstallsBy", "azure_installs_by", TIME),
        Column("compliantAt", "compliant_at", TIME),
        Column("offPeakSince", "off_peak_since", TIME),
        Column("offPeakSeen", "off_peak_seen", INT),
        Column("offPeakRunning", "off_peak_running", INT),
        Column("assessingUrl", "assessing_url", TEXT),
        Column("assessingSince", "assessing_since", TIME),
        Column("assessmentFailures", "assessment_failures", INT),
        Column("assessmentProblem", "assessment_problem", SENTENCE),
        Column("seenAt", "seen_at", TIME),
    ),
)
_ASSESSMENT = Shape(
    AvailablePatchSummary,
    (
        Column("assessmentStatus", "status", TEXT),
        Column("assessmentActivityId", "assessment_activity_id", TEXT),
        Column("rebootPending", "reboot_pending", FLAG),
        Column("criticalAndSecurityPatchCount", "critical_and_security_patch_count", INT),
        Column("otherPatchCount", "other_patch_count", INT),
        Column("assessmentStartTime", "start_time", TIME),
        Column("assessmentLastModifiedTime", "last_modified_time", TIME),
        Column("assessmentError", "error", _ERROR),
    ),
)
_INSTALLATION = Shape(
    LastPatchInstallationSummary,
    (
        Column("installationStatus", "status", TEXT),
        Column("installationActivityId", "installation_activity_id", TEXT),
        Column("maintenanceWindowExceeded", "maintenance_window_exceeded", FLAG),
        Column("notSelectedPatchCount", "not_selected_patch_count", INT),
        Column("excludedPatchCount", "excluded_patch_count", INT),
        Column("pendingPatchCount", "pending_patch_count", INT),
        Column("installedPatchCount", "installed_patch_count", INT),
        Column("failedPatchCount", "failed_patch_count", INT),
        Column("installationStartTime", "start_time", TIME),
        Column("installationLastModifiedTime", "last_modified_time", TIME),
        Column("installationError", "error", _ERROR),
    ),
)


def patch_keys(vm_id: str) -> tuple[str, str]:
    """(PartitionKey, RowKey) of a VM's row: its subscription, and its group and name, lower-cased."""
    vm = VmId.parse(vm_id.lower())
    return key("PartitionKey", vm.subscription_id), key("RowKey", f"{vm.resource_group}|{vm.name}")


def patch_row(record: PatchRecord) -> Entity:
    """A record as an entity. Three columns are for people alone and never read back."""
    partition, row_key = patch_keys(record.vm_id)
    entity: Entity = {"PartitionKey": partition, "RowKey": row_key} | _RECORD.write(record)
    if record.assessment:
        entity |= _ASSESSMENT.write(record.assessment)
    if record.installation:
        entity |= _INSTALLATION.write(record.installation)
    return entity | _for_people(record)


def patch_of(entity: Mapping[str, object], _: str = "") -> PatchRecord:
    """A record from its entity.

    Raises:
        InvalidInput: A column is missing or holds something else; names it.
    """
    return PatchRecord(
        **_RECORD.read(entity),
        assessment=_read(_ASSESSMENT, AvailablePatchSummary, entity),
        installation=_read(_INSTALLATION, LastPatchInstallationSummary, entity),
    )


def _read(shape: Shape, of: type[Any], entity: Mapping[str, object]) -> Any:
    """A summary; None where its first column, which every summary has, is not there."""
    present = entity.get(shape.columns[0].name) is not None
    return of(**shape.read(entity)) if present else None


def _for_people(record: PatchRecord) -> Entity:
    seen_at = record.seen_at
    shown: Entity = {}
    if seen_at and record.azure_installs_by:
        shown["daysLeft"] = max((record.azure_installs_by - seen_at).days, 0)
    if seen_at and record.assessment and record.assessment.at:
        shown["assessmentAgeHours"] = (seen_at - record.assessment.at) // timedelta(hours=1)
    if record.off_peak_seen:
        shown["ranInOffPeakHours"] = record.off_peak_running > 0
    return shown


COLUMNS = (
    *(column.name for shape in (_RECORD, _ASSESSMENT, _INSTALLATION) for column in shape.columns),
    "daysLeft",
    "assessmentAgeHours",
    "ranInOffPeakHours",
)
