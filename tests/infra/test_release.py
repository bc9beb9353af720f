"""A release makes the two files that a deployment without a checkout reads; azd finds its own."""

import re
from typing import Any

import yaml

from cli.paths import ROOT
from tests.infra.bicep import read

WORKFLOW = ROOT / ".github/workflows/release.yml"
RAW = "https://raw.githubusercontent.com/{}/released/{}"


def steps() -> list[dict[str, Any]]:
    return list(yaml.safe_load(WORKFLOW.read_text())["jobs"]["release"]["steps"])


def commands() -> str:
    return "\n".join(step.get("run", "") for step in steps())


def test_every_action_is_pinned_by_its_commit():
    used = [step["uses"] for step in steps() if "uses" in step]

    assert used
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action) for action in used)


def test_the_template_that_is_compiled_is_there_and_takes_the_package():
    (template,) = re.findall(r"az bicep build --file (\S+)", commands())

    assert "packageUri" in read(ROOT / template).params
    assert ".parameters.packageUri.defaultValue" in commands()


def test_nothing_is_released_that_was_not_checked():
    order = [commands().index(done) for done in ("./baton check", "az bicep build", "gh release")]

    assert order == sorted(order)


def test_the_docs_name_where_the_release_puts_the_files():
    environment = yaml.safe_load(WORKFLOW.read_text())["jobs"]["release"]["env"]
    told = (ROOT / "docs/deploy.md").read_text()

    assert environment["PACKAGE"] == RAW.format("${{ github.repository }}", "released-package.zip")
    assert RAW.format("OWNER/baton", "azuredeploy.json") in told
    assert "cp released-package.zip azuredeploy.json released/" in commands()


def test_azd_finds_the_app_by_its_tag():
    azd = yaml.safe_load((ROOT / "azure.yaml").read_text())
    (service,) = azd["services"]

    assert f"'azd-service-name': '{service}'" in (ROOT / "infra/baton.bicep").read_text()
    assert (ROOT / azd["infra"]["path"] / f"{azd['infra']['module']}.bicep").exists()
