"""Every Bicep file is one: the grammar, the names in it, its modules, and Azure's own types agree."""

import json
import re
from pathlib import Path

import pytest

from cli.paths import ROOT
from tests.infra.azure_types import UNTYPED, AzureTypes
from tests.infra.bicep import Bicep, parse, read

INFRA = ROOT / "infra"
FILES = [read(path) for path in sorted(INFRA.rglob("*.bicep"))]
# What Bicep itself brings; a function is told from a name by its parentheses.
OWN_NAMES = {"string", "object", "int", "bool", "array"}


def unknown_names(bicep: Bicep) -> list[str]:
    return [
        f"{bicep.path.name}:{line}: {name} is declared nowhere"
        for name, line in bicep.uses
        if name not in bicep.declared | OWN_NAMES
    ]


def unused(bicep: Bicep) -> list[str]:
    used = {name for name, _ in bicep.uses}
    of_bicep = {*bicep.params, *bicep.variables}
    return [f"{bicep.path.name}: {name} is used nowhere" for name in sorted(of_bicep - used)]


def wrong_modules(bicep: Bicep) -> list[str]:
    """Files that do not exist, parameters that are unknown or missing, outputs that are not there."""
    found = []
    targets = {}
    for module in bicep.modules:
        where = f"{bicep.path.name}:{module.line}: {module.file}"
        path = bicep.path.parent / module.file
        if not path.exists():
            found.append(f"{where} does not exist")
            continue
        targets[module.symbol] = target = read(path)
        must = {name for name, needed in target.params.items() if needed}
        found += [f"{where} has no parameter {p}" for p in module.params.keys() - target.params]
        found += [f"{where} lacks the parameter {p}" for p in must - module.params.keys()]
    found += [
        f"{bicep.path.name}:{line}: {symbol} has no output {output}"
        for symbol, output, line in bicep.outputs_used
        if symbol in targets and output not in targets[symbol].outputs
    ]
    return found


@pytest.mark.parametrize("bicep", FILES, ids=lambda bicep: str(bicep.path.relative_to(INFRA)))
def test_a_file_is_good_bicep_of_azures_own_types(bicep):
    assert bicep.errors == []
    assert unknown_names(bicep) == []
    assert unused(bicep) == []
    assert wrong_modules(bicep) == []
    assert AzureTypes().problems(bicep) == []


def test_there_are_files():
    assert {"main.bicep", "baton.bicep"} <= {bicep.path.name for bicep in FILES}


def test_what_azure_publishes_no_properties_of_is_the_package_alone():
    used = {(r.type, r.version) for bicep in FILES for r in bicep.resources}

    assert used & UNTYPED.keys() == {("Microsoft.Web/sites/extensions", "2022-09-01")}


NAMESPACE = "resource n 'Microsoft.ServiceBus/namespaces@2024-01-01' = { name: 'n', %s }"
QUEUE = "resource q 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = { name: 'q', properties: { %s } }"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (QUEUE % "lockDurationn: 'PT1M'", "properties.lockDurationn: unknown property"),
        (QUEUE % "accessedAt: '2026-01-01'", "properties.accessedAt: read-only"),
        (QUEUE % "maxDeliveryCount: '10'", "'10' is not int"),
        (QUEUE % "requiresDuplicateDetection: 1", "1 is not bool"),
        (QUEUE % "lockDuration: {}", "expected string, not dict"),
        (QUEUE.replace("2024-01-01", "2017-04-01") % "", "version 2017-04-01"),
        ("resource x 'Microsoft.Unheard/of@2024-01-01' = { name: 'x' }", "not in azure_types.json"),
        (
            NAMESPACE % "location: 'l', sku: { name: a ? 'Standard' : 'Gold' }",
            "'Gold' is not Basic | Standard | Premium",
        ),
        (NAMESPACE % "", "location: missing"),
    ],
)
def test_what_azure_would_refuse_is_found(source, said):
    assert any(said in problem for problem in AzureTypes().problems(parse(source)))


def test_what_bicep_would_refuse_is_found(tmp_path: Path):
    (tmp_path / "m.bicep").write_text("param must string\noutput there string = must")
    source = (
        "module m 'm.bicep' = { params: { other: missing } }\nvar idle = m.outputs.gone\nparam p ="
    )
    (tmp_path / "seeded.bicep").write_text(source)

    seeded = read(tmp_path / "seeded.bicep")

    assert seeded.errors
    assert "seeded.bicep:1: missing is declared nowhere" in unknown_names(seeded)
    assert "seeded.bicep: idle is used nowhere" in unused(seeded)
    assert sorted(wrong_modules(seeded)) == [
        "seeded.bicep:1: m.bicep has no parameter other",
        "seeded.bicep:1: m.bicep lacks the parameter must",
        "seeded.bicep:2: m has no output gone",
    ]


def test_azds_parameters_are_the_templates():
    given = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    params = read(INFRA / "main.bicep").params

    assert given.keys() <= params.keys()
    assert {name for name, needed in params.items() if needed} <= given.keys()


def test_main_hands_every_parameter_of_baton_on():
    main, baton = read(INFRA / "main.bicep"), read(INFRA / "baton.bicep")

    (handed,) = [module.params for module in main.modules if module.symbol == "baton"]
    assert handed.keys() == baton.params.keys()


def test_every_resource_that_can_have_tags_gets_them():
    types = AzureTypes()
    untagged = [
        f"{bicep.path.name}: {resource.symbol}"
        for bicep in FILES
        for resource in bicep.resources
        if not resource.existing
        and "tags" in types.properties(resource.type)
        and "tags" not in resource.body
    ]

    assert untagged == []


def test_the_docs_have_every_parameter():
    told = (ROOT / "docs/deploy.md").read_text().split("## Parameters")[1].split("## ")[0]
    rows = [line.split("|")[1] for line in told.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}

    assert named == read(INFRA / "main.bicep").params.keys()
