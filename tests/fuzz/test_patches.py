"""Whatever Azure says of patches, the VM is read, judged and kept; and cells about patching are right or named."""

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from shared.adapters import arm_decode, arm_patch_decode, arm_patches
from shared.adapters.patch_rows import patch_of, patch_row
from shared.domain.errors import InvalidInput
from shared.domain.patching.calendar import last_release, unplanned_baseline
from shared.domain.patching.columns import read_classifications, read_kbs
from shared.domain.patching.observe import assessed, observed, wants_assessment
from shared.domain.patching.record import PatchState
from tests.builders import NOW, a_vm_id
from tests.fuzz.hostile import cells, json_values, spoilt, texts
from tests.patch_builders import a_patch_record

BODIES = Path(__file__).parents[1] / "azure-bodies"
ASSESSED, INSTALLED, VIEW = (
    json.loads((BODIES / f"VirtualMachine_{name}.json").read_text())
    for name in ("AssessPatches", "InstallPatches", "Get_InstanceView")
)
WINDOWS = {
    "provisionVMAgent": True,
    "enableAutomaticUpdates": True,
    "timeZone": "W. Europe Standard Time",
    "patchSettings": {
        "patchMode": "AutomaticByPlatform",
        "enableHotpatching": True,
        "assessmentMode": "ImageDefault",
        "automaticByPlatformSettings": {"rebootSetting": "IfRequired"},
    },
}
IMAGE = {"publisher": "MicrosoftWindowsServer", "offer": "WindowsServer", "sku": "x", "id": "y"}
PAST = {"properties": {"status": "Succeeded", "errorDetails": {"code": "c", "message": "m"}}}


@given(
    profile=spoilt({"windowsConfiguration": WINDOWS}),
    storage=spoilt({"imageReference": IMAGE, "osDisk": {"osType": "Windows"}}),
    status=spoilt(VIEW["patchStatus"]),
)
def test_a_vm_is_read_and_judged_whatever_it_says_of_patches(profile, storage, status):
    vm = arm_decode.seen_vm_of(
        {
            "id": a_vm_id(),
            "location": "westeurope",
            "properties": {
                "osProfile": profile,
                "storageProfile": storage,
                "instanceView": {
                    "statuses": [{"code": "PowerState/running"}],
                    "patchStatus": status,
                },
            },
        }
    )

    record = observed(vm, None, key=("shop", "web"), now=NOW)

    assert vm.view.is_running
    assert record.state in PatchState
    assert record.reason
    assert patch_of(patch_row(record)).state is record.state
    wants_assessment(vm, record, NOW)


@given(spoilt(ASSESSED))
def test_an_assessment_of_anything_is_a_record_that_the_table_takes(body):
    found = arm_patch_decode.assessment_of(body)

    record = assessed(a_patch_record(assessing_url="u"), found, NOW)

    assert not patch_of(patch_row(record)).assessing_url
    unplanned_baseline(record.due_patches, last_release(NOW), compliant_at=NOW)


@given(spoilt(INSTALLED), spoilt(PAST))
def test_an_installation_of_anything_is_read(body, past):
    assert isinstance(arm_patch_decode.installation_of(body).patches, tuple)
    assert isinstance(arm_patch_decode.past_installation_of(past).status, str)


@given(texts | (spoilt(ASSESSED) | json_values).map(json.dumps))
def test_a_result_is_found_in_an_answer_or_there_is_none(body):
    found = arm_patches._result_in(body, "assessmentActivityId")

    assert found is None or found["assessmentActivityId"]


@given(data=st.data())
def test_a_row_with_a_spoilt_cell_is_read_or_named(data):
    row = patch_row(a_patch_record())
    column = data.draw(st.sampled_from(sorted(row.keys() - {"PartitionKey", "RowKey"})))
    value = data.draw(cells | json_values.map(json.dumps) | st.datetimes() | st.binary())
    try:
        patch_of(row | {column: value})
    except InvalidInput as wrong:
        assert wrong.problems[0].field == column


@given(cells)
def test_a_cell_about_patching_is_right_or_named(cell):
    for read in (read_classifications, read_kbs):
        try:
            assert all(isinstance(one, str) and one for one in read("kbInclude", cell))
        except InvalidInput as wrong:
            assert all(problem.expected for problem in wrong.problems)
