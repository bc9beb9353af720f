"""The error bodies of Azure Resource Manager and of its compute provider."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

PRINCIPAL: Final = "9c2d7a52-5d0e-4a1f-8f53-0c5b6a1f7e11"
"""The object id that error texts give the caller: the emulator knows one identity."""


@dataclass(eq=False)
class ArmError(Exception):
    """An answer of Resource Manager that is not a success.

    Attributes:
        status: the HTTP status.
        code: ARM's error code, the only thing a client should classify by.
        message: ARM's sentence for people.
        headers: what goes with it, for example Retry-After.
        details: the ``details`` array of the body, where the real answer has one.
        target: what of the request is wrong, where the real answer says so.
    """

    status: int
    code: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)
    details: tuple[Mapping[str, Any], ...] = ()
    target: str = ""

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.message}"

    def body(self) -> dict[str, Any]:
        """The JSON body: ``{"error": {"code", "message"}}`` and ``details`` where there are any."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.target:
            error["target"] = self.target
        if self.details:
            error["details"] = [dict(detail) for detail in self.details]
        return {"error": error}


def unauthenticated() -> ArmError:
    """No bearer token."""
    return ArmError(
        401,
        "AuthenticationFailed",
        "Authentication failed. The 'Authorization' header is missing.",
        {"WWW-Authenticate": 'Bearer authorization_uri="https://login.windows.net/common"'},
    )


def missing_api_version() -> ArmError:
    """No ``api-version`` in the query."""
    return ArmError(
        400,
        "MissingApiVersionParameter",
        "The api-version query parameter (?api-version=) is required for all requests.",
    )


def invalid_api_version(version: str) -> ArmError:
    """An ``api-version`` that is no date."""
    return ArmError(400, "InvalidApiVersionParameter", f"The api-version '{version}' is invalid.")


def invalid_parameter(name: str, value: str, why: str) -> ArmError:
    """A query option with a value the provider does not take."""
    return ArmError(
        400, "InvalidParameter", f"The value '{value}' of parameter '{name}' is invalid. {why}"
    )


def subscription_not_found(subscription: str) -> ArmError:
    """No such subscription, or none that the caller can see: ARM does not tell which."""
    return ArmError(
        404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found."
    )


def subscription_disabled(subscription: str) -> ArmError:
    """A subscription that Azure switched off: it can be read, and nothing in it changed."""
    return ArmError(
        409,
        "ReadOnlyDisabledSubscription",
        f"The subscription '{subscription}' is disabled and therefore marked as read only. You "
        "cannot perform any write actions on this subscription until it is re-enabled.",
    )


def no_instance(instance: str) -> ArmError:
    """No such instance of a uniform scale set, as a request to change one has it.

    The answer is Azure's: github.com/microsoft/onefuzz/issues/2547.
    """
    text = f"The provided instanceId {instance} is not an active Virtual Machine Scale Set VM instanceId."
    return ArmError(400, "InvalidParameter", text, target="instanceIds")


def not_numbered() -> ArmError:
    """An instance of a flexible scale set asked for as if it had a number.

    The answer is Azure's: github.com/Azure/azure-sdk-for-go/issues/19707.
    """
    text = "Virtual Machine Scale Set VM instanceId must be a number."
    return ArmError(400, "InvalidParameter", text, target="instanceId")


def instances_not_listed(scale_set: str) -> ArmError:
    """The instances of a flexible scale set asked for with their views.

    The answer is Azure's: github.com/microsoft/OMS-Agent-for-Linux/pull/1475.
    """
    text = (
        "Operation 'VirtualMachineScaleSets.virtualMachines.GET' is not allowed on "
        f"Virtual Machine Scale Set '{scale_set}'."
    )
    return ArmError(400, "BadRequest", text)


def group_not_found(group: str) -> ArmError:
    """No such resource group."""
    return ArmError(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")


def resource_not_found(kind: str, name: str, group: str) -> ArmError:
    """No such resource; ``kind`` as in ``Microsoft.Compute/virtualMachines``."""
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{kind}/{name}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )


def operation_not_found(operation: str) -> ArmError:
    """An operation URL that the provider does not know (any more)."""
    return ArmError(404, "NotFound", f"The operation '{operation}' was not found.")


def unknown_route(path: str) -> ArmError:
    """A path this emulator does not serve; worded like ARM's answer to an unknown type."""
    return ArmError(
        404, "InvalidResourceType", f"The resource type could not be found for path '{path}'."
    )


def method_not_allowed(method: str) -> ArmError:
    """A path this emulator serves, with another method."""
    return ArmError(
        405, "HttpMethodNotSupported", f"The HTTP method '{method}' is not supported here."
    )


def forbidden(action: str, scope: str) -> ArmError:
    """The identity lacks the right to ``action`` at ``scope``."""
    return ArmError(
        403,
        "AuthorizationFailed",
        f"The client '{PRINCIPAL}' with object id '{PRINCIPAL}' does not have authorization to "
        f"perform action '{action}' over scope '{scope}' or the scope is invalid. If access was "
        "recently granted, please refresh your credentials.",
    )


def internal() -> ArmError:
    """The provider broke."""
    return ArmError(500, "InternalServerError", "Encountered internal server error.")


def unavailable() -> ArmError:
    """The provider is not there."""
    return ArmError(503, "ServiceUnavailable", "The service is unavailable. Please retry later.")


def not_allowed(vm_name: str, why: str) -> ArmError:
    """A performMaintenance refused; ``why`` continues the sentence after "since"."""
    return ArmError(
        409,
        "OperationNotAllowed",
        f"Operation 'performMaintenance' is not allowed on VM '{vm_name}' since {why}.",
    )


def patch_not_allowed(vm_name: str, why: str) -> ArmError:
    """An assessment or an installation refused; ``why`` continues the sentence after "since"."""
    return ArmError(
        409,
        "OperationNotAllowed",
        f"Operation on the patches of VM '{vm_name}' is not allowed since {why}.",
    )


def property_change_not_allowed(name: str) -> ArmError:
    """A property that a VM keeps as it was created."""
    return ArmError(409, "PropertyChangeNotAllowed", f"Changing property '{name}' is not allowed.")


def feature_not_found(name: str) -> ArmError:
    """A preview feature that Azure does not know, or not any more."""
    return ArmError(404, "FeatureNotFound", f"The feature '{name}' could not be found.")


def conflict() -> ArmError:
    """Another operation on this VM has not ended."""
    return ArmError(
        409,
        "Conflict",
        "The request failed due to conflict with a concurrent request. To resolve it, please "
        "refer to https://aka.ms/activitylog to get more details on the conflicting requests.",
    )


def another_operation() -> ArmError:
    """Some operation on this VM or on what it depends on has not ended."""
    return ArmError(
        409,
        "AnotherOperationInProgress",
        "Another operation on this or dependent resource is in progress.",
    )


def compute_throttled(policy: str, wait_seconds: float) -> ArmError:
    """The compute provider's token bucket named ``policy`` is empty."""
    return ArmError(
        429,
        "TooManyRequests",
        "The request is being throttled because too many requests have been received.",
        {"Retry-After": _whole(wait_seconds)},
        ({"code": "TooManyRequests", "target": policy, "message": "Too many requests."},),
    )


def subscription_throttled(subscription: str, kind: str, wait_seconds: float) -> ArmError:
    """Resource Manager's own bucket for ``kind`` (read or write) requests is empty."""
    wait = _whole(wait_seconds)
    return ArmError(
        429,
        "SubscriptionRequestsThrottled",
        f"Number of '{kind}' requests for subscription '{subscription}' actor '{PRINCIPAL}' "
        f"exceeded. Please try again after '{wait}' seconds after additional tokens are available.",
        {"Retry-After": wait},
    )


def _whole(seconds: float) -> str:
    return str(max(1, math.ceil(seconds)))
