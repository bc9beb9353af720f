"""What goes wrong between a client and Resource Manager, by plan, whatever the request is about.

What one VM's redeploy leads to is the scenario's script; these strike any request.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from simulator.arm import errors
from simulator.arm.call import Answer, Call, vm_key
from simulator.arm.errors import ArmError
from simulator.faults import Fault, FaultPlan, Kinds

KINDS: Final[Kinds] = {
    "drop-after": None,
    "drop-before": None,
    "error": None,
    "forget": None,
    "hang": timedelta(seconds=60),
    "slow": timedelta(seconds=2),
    "stale": timedelta(seconds=3),
    "status-dropped": None,
    "throttle": timedelta(seconds=5),
    "unavailable": None,
}
_ANY: Final = ("drop-after", "drop-before", "error", "hang", "slow", "throttle", "unavailable")


class ArmFaults:
    """Subjects are `METHOD PATH`; of `status-dropped` a VM's id, of `forget` an operation's."""

    def __init__(self, plan: FaultPlan) -> None:
        self.plan = plan
        self._forgotten: set[str] = set()
        self._dropped: dict[str, bool] = {}
        self._frozen: dict[str, tuple[datetime, Answer]] = {}

    def draw(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets; None where it goes its way."""
        return self.plan.strike(f"{method} {path}", *_ANY)

    @staticmethod
    def delay_seconds(fault: Fault | None) -> float:
        """How long it waits before anyone looks at it."""
        return fault.seconds if fault and fault.kind == "slow" else 0.0

    def answer(self, fault: Fault | None, call: Call, apply: Callable[[], Answer]) -> Answer:
        """The answer under a fault; `apply` gives the true one, and what it does is done."""
        if fault:
            call.note["fault"] = fault.kind
        match fault.kind if fault else "":
            case "drop-before" | "hang":
                return Answer(None)
            case "drop-after":
                apply()
                return Answer(None)
            case "error":
                return _refusal(errors.internal())
            case "unavailable":
                return _refusal(errors.unavailable())
            case "throttle":
                wait = fault.seconds if fault else 0.0
                return _refusal(errors.compute_throttled("Faults", wait))
            case _:
                return self._untrue(call, apply)

    def _untrue(self, call: Call, apply: Callable[[], Answer]) -> Answer:
        """The true answer, or what Azure may say instead."""
        if "operation" in call.params and self._forgets(call.params["operation"].lower()):
            call.note["fault"] = "forget"
            return _refusal(errors.operation_not_found(call.params["operation"]))
        answer = apply()
        if call.method != "GET" or answer.status != 200 or answer.body is None:
            return answer
        answer = replace(answer, body=self._without_done(answer.body, call.path))
        return self._frozen_for_a_while(call, answer) if vm_key(call.params) else answer

    def _forgets(self, operation: str) -> bool:
        """Once it does, the operation stays forgotten."""
        if operation not in self._forgotten and self.plan.strike(operation, "forget"):
            self._forgotten.add(operation)
        return operation in self._forgotten

    def _frozen_for_a_while(self, call: Call, answer: Answer) -> Answer:
        """The true answer, which may then be given again and again until it is that old."""
        question = f"{call.path}?{sorted(call.query.items())}".lower()
        until, frozen = self._frozen.get(question, (call.now, answer))
        if call.now < until:
            call.note["fault"] = "stale"
            return frozen
        if fault := self.plan.strike(f"{call.method} {call.path}", "stale"):
            self._frozen[question] = call.now + fault.length, answer
        return answer

    def _without_done(self, body: Any, path: str) -> Any:
        """The body without the maintenance of VMs whose status Azure drops once it is completed."""
        if "value" in body:
            return {**body, "value": [self._without_done(item, path) for item in body["value"]]}
        if "maintenanceRedeployStatus" in body:
            return self._view(body, path.rpartition("/")[0])
        properties = body.get("properties", {})
        if "instanceView" not in properties:
            return body
        view = self._view(properties["instanceView"], body["id"])
        return {**body, "properties": {**properties, "instanceView": view}}

    def _view(self, view: Any, vm_id: str) -> Any:
        """Decided once for each VM, when its maintenance is first seen completed."""
        code = view.get("maintenanceRedeployStatus", {}).get("lastOperationResultCode")
        if code != "MaintenanceCompleted":
            return view
        vm = vm_id.lower()
        if vm not in self._dropped:
            self._dropped[vm] = self.plan.strike(vm, "status-dropped") is not None
        if not self._dropped[vm]:
            return view
        return {name: value for name, value in view.items() if name != "maintenanceRedeployStatus"}


def _refusal(error: ArmError) -> Answer:
    return Answer(error.status, error.body(), error.headers)
