"""Writes azure_types.json anew: what our Bicep uses of Azure's own types.

    ./baton test needs none of this. After a new resource type or property: python -m tests.infra.refresh_types

It installs, into a temporary folder, msmcp-azure (which prints the types that Bicep itself uses, but lacks a
few) and, for those few, the models of Microsoft's own SDKs.
"""

import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.infra.azure_types import SNAPSHOT, UNTYPED, AzureTypes
from tests.infra.bicep import read

INFRA = Path(__file__).parents[2] / "infra"
MSMCP = "msmcp-azure==3.0.0"
# Type: version, package, module, model.
BY_SDK = {
    # The models of 2016-09-01, unchanged in 2020-05-01.
    "Microsoft.Authorization/locks": (
        "2020-05-01",
        "azure-mgmt-resource==23.4.0",
        "azure.mgmt.resource.locks.v2016_09_01.models",
        "ManagementLockObject",
    ),
    "Microsoft.Insights/activityLogAlerts": (
        "2020-10-01",
        "azure-mgmt-monitor==7.0.0",
        "azure.mgmt.monitor.models",
        "ActivityLogAlertResource",
    ),
    "Microsoft.Insights/actionGroups": (
        "2023-01-01",
        "azure-mgmt-monitor==7.0.0",
        "azure.mgmt.monitor.models",
        "ActionGroupResource",
    ),
    "Microsoft.Insights/scheduledQueryRules": (
        "2023-12-01",
        "azure-mgmt-monitor==7.0.0",
        "azure.mgmt.monitor.models",
        "ScheduledQueryRuleResource",
    ),
    "Microsoft.Insights/metricAlerts": (
        "2018-03-01",
        "azure-mgmt-monitor==7.0.0",
        "azure.mgmt.monitor.models",
        "MetricAlertResource",
    ),
    "Microsoft.Insights/diagnosticSettings": (
        "2021-05-01-preview",
        "azure-mgmt-monitor==6.0.2",
        "azure.mgmt.monitor.v2021_05_01_preview.models",
        "DiagnosticSettingsResource",
    ),
    "Microsoft.Network/privateDnsZones": (
        "2024-06-01",
        "azure-mgmt-privatedns==1.2.0",
        "azure.mgmt.privatedns.models",
        "PrivateZone",
    ),
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": (
        "2024-06-01",
        "azure-mgmt-privatedns==1.2.0",
        "azure.mgmt.privatedns.models",
        "VirtualNetworkLink",
    ),
}


def main() -> None:
    """Checks every file against whole types, and keeps of them what the check looked at."""
    files = [read(path) for path in sorted(INFRA.rglob("*.bicep"))]
    wanted = sorted(
        {
            resource.type
            for file in files
            for resource in file.resources
            if (resource.type, resource.version) not in UNTYPED
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        whole = {kind: _whole(kind, Path(folder)) for kind in wanted}
    types = AzureTypes(whole)
    for file in files:
        for problem in types.problems(file):
            sys.stdout.write(problem + "\n")
    for kind, known in whole.items():
        seen = {name for resource, name in types.seen if resource == kind}
        known["objects"] = {name: value for name, value in known["objects"].items() if name in seen}
    SNAPSHOT.write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n")


def _whole(kind: str, folder: Path) -> dict[str, Any]:
    if kind in BY_SDK:
        version, package, module, model = BY_SDK[kind]
        printed = _run([sys.executable, __file__, module, model], _installed(package, folder))
        return {"source": package, "version": version, **json.loads(printed)}
    tool = _installed(MSMCP, folder)
    command = [sys.executable, str(tool / "bin/azmcp"), "bicepschema", "get"]
    answer = json.loads(_run([*command, "--resource-type", kind], tool))
    rows = answer["results"]["BicepSchemaResult"]
    body = next(row for row in rows if row["$type"] == "Resource")["bodyType"]
    version = next(row["name"].partition("@")[2] for row in rows if row["$type"] == "Resource")
    objects = {row["name"]: _of_bicep(row) for row in rows if row["$type"] == "Object"}
    return {
        "source": MSMCP,
        "version": version,
        "body": kind,
        "objects": {kind: _of_bicep(body), **objects},
    }


def _installed(package: str, folder: Path) -> Path:
    target = folder / package
    if not target.exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(target), package]
        subprocess.run(pip, check=True)
    return target


def _run(command: list[str], path: Path) -> str:
    quiet = {"AZURE_MCP_COLLECT_TELEMETRY": "false", "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    environment = {**os.environ, **quiet, "PYTHONPATH": f"{path}{os.pathsep}{INFRA.parent}"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stdout


def _of_bicep(row: dict[str, Any]) -> dict[str, Any]:
    """An object of azmcp's, as azure_types.json has it: `!` is required, `-` read-only."""
    properties = {
        each["name"]: each["type"] + _mark(each.get("flags") or "")
        for each in row.get("properties") or []
    }
    # An object of which nothing is known takes anything: tags, and a choice by some field's value.
    return {
        "open": bool(row.get("additionalProperties")) or not properties,
        "properties": properties,
    }


def _mark(flags: str) -> str:
    return "-" if "ReadOnly" in flags else "!" if "Required" in flags else ""


# --- in a process that has an SDK on its path --------------------------------------------------------


def _print_model(module: str, model: str) -> None:
    models = importlib.import_module(module)
    objects: dict[str, Any] = {}
    _add(models, model, objects)
    body = objects[model]["properties"]
    body |= {"name": "string!", "type": "string-", "id": "string-", "etag": "string"}
    sys.stdout.write(json.dumps({"body": model, "objects": objects}))


def _add(models: Any, model: str, objects: dict[str, Any]) -> None:
    """The object of a model, and of those in it; `properties.x` becomes an object of its own."""
    kind = getattr(models, model)
    objects[model] = {"open": False, "properties": {}}
    for attribute, told in _attributes(kind).items():
        *parents, name = told["key"].replace("\\.", "\0").split(".")
        owner = model
        for parent in parents:
            nested = f"{owner}.{parent}"
            objects[owner]["properties"].setdefault(parent, nested)
            objects.setdefault(nested, {"open": False, "properties": {}})
            owner = nested
        rule = kind._validation.get(attribute, {})
        mark = "-" if rule.get("readonly") else "!" if rule.get("required") else ""
        text = _kind(models, told["type"], objects)
        objects[owner]["properties"][name.replace("\0", ".")] = text + mark
        if mark == "!" and parents and not objects[model]["properties"][parents[0]].endswith("!"):
            objects[model]["properties"][parents[0]] += "!"


def _attributes(kind: Any) -> dict[str, Any]:
    """Of the model and of every model that may stand in its place."""
    found: dict[str, Any] = {}
    for choices in kind.__dict__.get("_subtype_map", {}).values():
        for name in choices.values():
            found |= _attributes(getattr(sys.modules[kind.__module__], name))
    return found | dict(kind._attribute_map)


def _kind(models: Any, kind: str, objects: dict[str, Any]) -> str:
    if kind.startswith("["):
        return _kind(models, kind[1:-1], objects) + "[]"
    if kind.startswith("{"):
        return "any"
    model = getattr(models, kind, None)
    if model is not None and hasattr(model, "_attribute_map"):
        if kind not in objects:
            _add(models, kind, objects)
        return kind
    return {"bool": "bool", "int": "int", "long": "int", "float": "int"}.get(kind, "string")


if __name__ == "__main__":
    _print_model(*sys.argv[1:]) if sys.argv[1:] else main()
