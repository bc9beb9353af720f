"""What is deployed, and nothing else, is indexed and invoked by Microsoft's worker library."""

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import files as files_of
from pathlib import Path
from typing import Any

import pytest

from cli import package
from cli.paths import ROOT
from shared.adapters.messages import encode
from shared.domain.errors import Terminal
from shared.ports import Wake
from simulator.laptop import LaptopCloud
from simulator.table_rows import read_rows
from tests.infra.bicep import read

WORKER = ("azure-functions-runtime", "azurefunctions-extensions-base")
STAYS_ON_LAPTOPS = {"cli", "docs", "infra", "simulator", "tests", "baton", "azure.yaml"}


@dataclass(frozen=True)
class Deployed:
    """The package as Azure unpacks it, and an environment in which there is nothing else.

    Attributes:
        folder: the app.
        python: of a virtual environment without a single package.
        worker: Microsoft's worker library, which Azure brings.
    """

    folder: Path
    python: Path
    worker: Path

    def run(self, settings: dict[str, str], *invocations: tuple[str, str, str, str]) -> Any:
        path = f"{self.folder}:{self.folder / package.LIBRARIES}:{self.worker}"
        done = subprocess.run(
            [self.python, self.worker / "worker_library.py", *sum(invocations, ())],
            cwd=self.folder,
            # Nothing is written where the package lies, as in Azure.
            env={**settings, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        told = json.loads(done.stdout)
        assert not any(told["failures"].values()), f"{told['failures']}\n{done.stderr}"
        return told


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    folder = tmp_path_factory.mktemp("deployed")
    app, worker, clean = folder / "app", folder / "worker", folder / "clean"
    package.lay_out(app)
    for distribution in WORKER:
        for file in files_of(distribution) or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                (worker / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), worker / file)
    shutil.copy(ROOT / "tests/worker_library.py", worker)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", clean], check=True)
    return Deployed(app, clean / "bin/python", worker)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[LaptopCloud]:
    with LaptopCloud(tmp_path / "cloud") as services:
        yield services


def test_the_package_is_the_app_alone():
    files = package.files()

    assert {file.parts[0] for file in files} == {
        "function_app.py",
        "functions",
        "host.json",
        "requirements.txt",
        "shared",
    }
    assert {file.suffix for file in files} == {
        ".py",
        ".json",
        ".txt",
        ".j2",
        ".html",
        ".css",
        ".js",
    }


def test_what_stays_on_laptops_is_there_to_be_left_out():
    assert {name for name in STAYS_ON_LAPTOPS if (ROOT / name).exists()} == STAYS_ON_LAPTOPS


def test_azure_runs_the_python_that_the_package_is_for():
    app = read(ROOT / "infra/modules/app.bicep")

    assert app.variables["pythonVersion"] == package.PYTHON


def test_the_worker_library_indexes_and_invokes_the_package(deployed, cloud, capsys):
    index = deployed.run({})
    settings = cloud.settings
    timer = ("timer", "json", "{}")
    first = deployed.run(settings, ("discover", *timer), ("sweep", *timer))
    job = next(row for row in read_rows(cloud.tables, "BatonJobs") if row.get("vmId"))
    team, policy, job_id = job["RowKey"].split("|")
    body = encode(Wake(team=team, policy=policy, job_id=job_id)).decode()
    second = deployed.run(
        settings, ("redeploy", "message", "string", body), ("alerts", "message", "string", "{}")
    )
    with capsys.disabled():
        shown = ", ".join(
            f"{name} {seconds:.2f} s"
            for name, seconds in (first["seconds"] | second["seconds"]).items()
        )
        most = max(first["megabytes"], second["megabytes"])
        sys.stdout.write(f"\nthe packaged app in a clean environment: {shown}; {most:.0f} MB\n")

    names = {function["name"] for function in index["functions"]}
    assert names >= {"discover", "sweep", "redeploy", "alerts", "dead_letter"}
    assert {function["name"] for function in first["functions"]} == names


def test_the_zip_is_the_same_whenever_it_is_built(tmp_path, monkeypatch):
    monkeypatch.setattr(package, "PYTHON", package.RUNNING)
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"

    assert package.build(first) == package.build(second)
    assert first.read_bytes() == second.read_bytes()
    names = zipfile.ZipFile(first).namelist()
    assert {"function_app.py", "host.json", "requirements.txt"} <= set(names)
    assert f"{package.LIBRARIES}/azure/functions/__init__.py" in names
    tag = sys.implementation.cache_tag
    assert f"__pycache__/function_app.{tag}.pyc" in names


def test_a_python_that_azure_does_not_run_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(package, "RUNNING", "3.12")

    with pytest.raises(Terminal, match=r"Azure runs Python 3\.11, and this is 3\.12"):
        package.build(tmp_path / "never.zip")
    assert not (tmp_path / "never.zip").exists()
