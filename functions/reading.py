"""What can be read under /api/v1: a row for each, from which requests are answered and described."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from functions.question import (
    KIND,
    PAGING,
    PATCHES,
    PHASE,
    POLICY,
    ROLLOUT,
    TEAM,
    TEXT,
    Parameter,
    Question,
)
from shared.bootstrap import Services
from shared.use_cases.shown import (
    Page,
    ShownAlert,
    ShownLeftAlone,
    ShownPolicy,
    ShownRollout,
    ShownStatus,
    ShownStory,
    ShownVm,
)
from shared.use_cases.shown_patches import PatchesPage

_GUID = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_NAME = r"[^/|\\#?\x00-\x1f\x7f-\x9f]{1,200}"  # what a table's key may hold
_SEGMENTS: Mapping[str, str] = {
    "subscription": _GUID,
    "resourceGroup": r"[\w().-]{1,90}",
    # An instance of a uniform scale set is SET~3: its name, SET_3, could be another VM's.
    "vm": r"[\w.-]{1,64}(?:~\w{1,20})?",
    "team": _NAME,
    "policy": _NAME,
    "number": r"[1-9][0-9]{0,8}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One thing that can be read.

    Attributes:
        path: Below /api/v1, with `{name}` for what varies.
        answers: The type of the answer.
        missing: What to say where there is none; `""` where there always is one.
    """

    name: str
    path: str
    about: str
    answers: Any
    call: Callable[[Services, Question], Awaitable[object | None]]
    query: Mapping[str, Parameter] = field(default_factory=dict)
    missing: str = ""

    def match(self, path: str) -> dict[str, str] | None:
        """The varying parts of a path; None if it is another's."""
        return match(self.path, path)


def match(template: str, path: str) -> dict[str, str] | None:
    """What stands in a path where the template varies; None where the path does not fit it."""
    pattern = re.sub(r"\{(\w+)\}", lambda part: f"(?P<{part[1]}>{_SEGMENTS[part[1]]})", template)
    found = re.fullmatch(pattern, path)
    return found.groupdict() if found else None


def segment(name: str) -> str:
    """The pattern of a varying part."""
    return f"^{_SEGMENTS[name]}$"


def vm_id(path: Mapping[str, str]) -> str:
    """The ARM id that a path names."""
    scale_set, _, vm = path["vm"].rpartition("~")
    return (
        f"/subscriptions/{path['subscription']}/resourceGroups/{path['resourceGroup']}"
        f"/providers/Microsoft.Compute{f'/virtualMachineScaleSets/{scale_set}' if scale_set else ''}"
        f"/virtualMachines/{vm}"
    )


READINGS = (
    Reading(
        name="status",
        path="status",
        about="How Baton itself is: its mode, its last discovery, and what a person should see to.",
        answers=ShownStatus,
        call=lambda app, _: app.show.status(),
    ),
    Reading(
        name="rollouts",
        path="rollouts",
        about="Rollouts: running ones first, then planned ones, then past ones.",
        answers=Page[ShownRollout],
        call=lambda app, asked: app.show.rollouts(asked.wanted, skip=asked.skip, limit=asked.limit),
        query={
            "team": TEAM,
            "policy": POLICY,
            "phase": PHASE,
            "kind": KIND,
            "text": TEXT,
            **PAGING,
        },
    ),
    Reading(
        name="rollout",
        path="rollouts/{team}/{policy}/{number}",
        about="One rollout of a policy.",
        answers=ShownRollout,
        call=lambda app, asked: app.show.rollout(
            asked.path["team"], asked.path["policy"], int(asked.path["number"])
        ),
        missing="The policy has no such rollout; /api/v1/rollouts lists those that there are.",
    ),
    Reading(
        name="vms",
        path="vms",
        about="VMs in a rollout: those that ask for a go-ahead, those away, those that went wrong, those without a start, and so on.",
        answers=Page[ShownVm],
        call=lambda app, asked: app.show.vms(asked.wanted, skip=asked.skip, limit=asked.limit),
        query={
            "team": TEAM,
            "policy": POLICY,
            "rollout": ROLLOUT,
            "kind": KIND,
            "text": TEXT,
            **PAGING,
        },
    ),
    Reading(
        name="story",
        path="vms/{subscription}/{resourceGroup}/{vm}",
        about="A VM's whole story: why it stands as it does, its outcomes, its alerts.",
        answers=ShownStory,
        call=lambda app, asked: app.tell_story(vm_id(asked.path)),
        missing="Baton knows nothing of such a VM: Azure announced no maintenance for it, or it was deleted.",
    ),
    Reading(
        name="patches",
        path="patches",
        about="How the VMs stand in patching whose policy watches it; the worst first.",
        answers=PatchesPage,
        call=lambda app, asked: app.show_patches(asked.wanted, skip=asked.skip, limit=asked.limit),
        query={"team": TEAM, "policy": POLICY, "state": PATCHES, "text": TEXT, **PAGING},
    ),
    Reading(
        name="policies",
        path="policies",
        about="Policy rows, with what is wrong with them; the wrong ones first.",
        answers=Page[ShownPolicy],
        call=lambda app, asked: app.show.policies(asked.wanted, skip=asked.skip, limit=asked.limit),
        query={"team": TEAM, "policy": POLICY, "text": TEXT, **PAGING},
    ),
    Reading(
        name="unmatched",
        path="unmatched",
        about="VMs that have a maintenance and no policy, as the last discovery found them.",
        answers=Page[ShownLeftAlone],
        call=lambda app, asked: app.show.unmatched(
            asked.wanted, skip=asked.skip, limit=asked.limit
        ),
        query={"text": TEXT, **PAGING},
    ),
    Reading(
        name="alerts",
        path="alerts",
        about="What people were told in the last 30 days, newest first.",
        answers=Page[ShownAlert],
        call=lambda app, asked: app.show.told(asked.wanted, skip=asked.skip, limit=asked.limit),
        query={"team": TEAM, "policy": POLICY, "text": TEXT, **PAGING},
    ),
)
