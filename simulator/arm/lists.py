"""Lists as Resource Manager gives them: what is looked through, and a page at a time."""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from simulator.arm import errors
from simulator.arm.call import Answer, Call
from simulator.arm.cloud import Cloud
from simulator.arm.records import VmRecord

_OF_SET: Final = re.compile(r"'virtualMachineScaleSet/id' eq '([^']+)'", re.IGNORECASE)


def wanted_scale_set(call: Call) -> str:
    """The lower-cased id of the scale set that ``$filter`` asks for, the only filter there is; empty for none.

    Raises:
        ArmError: 400 for another filter, or for an ``$expand`` without one.
    """
    given = call.query.get("$filter", "")
    found = _OF_SET.fullmatch(given.strip())
    if given and not found:
        raise errors.invalid_parameter("$filter", given, "Use 'virtualMachineScaleSet/id' eq 'ID'.")
    if "$expand" in call.query and not found:
        why = "It needs a $filter on a virtual machine scale set."
        raise errors.invalid_parameter("$expand", call.query["$expand"], why)
    return found[1].lower() if found else ""


def whole_list(value: list[dict[str, Any]]) -> Answer:
    """A list that fits on one page."""
    return Answer(200, {"value": value})


def vms_under(cloud: Cloud, prefix: str) -> list[VmRecord]:
    """The VMs whose ids begin so, in the order of their keys."""
    lowered = prefix.lower()
    return [vm for key, vm in sorted(cloud.vms.items()) if key.startswith(lowered)]


def page(
    cloud: Cloud,
    call: Call,
    found: list[VmRecord],
    body_of: Callable[[VmRecord], dict[str, Any]],
) -> Answer:
    """The next page of what was found, which is in the order of keys."""
    after = _read_token(call.query["$skiptoken"]) if "$skiptoken" in call.query else ""
    size = cloud.scenario.arm.page_size
    rest = [vm for vm in found if vm.key > after]
    page = rest[:size]
    body: dict[str, Any] = {"value": [body_of(vm) for vm in page]}
    if len(rest) > size:
        # By key and not by number: a VM deleted between two pages must not hide its neighbour.
        token = base64.urlsafe_b64encode(page[-1].key.encode()).decode()
        query = {**call.query, "$skiptoken": token}
        body["nextLink"] = f"{call.base_url}{call.path}?{urlencode(query)}"
    return Answer(200, body)


def _read_token(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, UnicodeError) as error:
        raise errors.invalid_parameter("$skiptoken", token, "Follow nextLink.") from error


def known_group(cloud: Cloud, call: Call) -> tuple[str, str]:
    """Name and location of the resource group that a path is about.

    Raises:
        ArmError: 404, there is no such group.
    """
    name = call.params["group"]
    found = cloud.groups.get((call.params["subscription"].lower(), name.lower()))
    if found is None:
        raise errors.group_not_found(name)
    return found
