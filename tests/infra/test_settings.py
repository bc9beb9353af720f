"""What infra sets, the code reads; what the code reads, infra sets or leaves for a stated reason."""

import os
import re
import runpy
from typing import Any

import pytest

from cli.paths import ROOT
from shared.connections import connect
from shared.settings import read_settings
from tests.infra.bicep import read

INFRA = ROOT / "infra"
OURS = re.compile(r"BATON_\w+|AZURE_\w+|APPLICATIONINSIGHTS_\w+|AzureWebJobs\w+")
# The Functions host or an SDK reads these, not Baton.
OF_THE_PLATFORM = {
    "AzureWebJobsStorage__credential": "the host's own storage, by identity",
    "AzureWebJobsStorage__clientId": "as above",
    "AzureWebJobsStorage__blobServiceUri": "as above",
    "AzureWebJobsStorage__tableServiceUri": "as above",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "the host's telemetry",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "as above, by identity",
    "BATON_BUS__credential": "the triggers' connection, by identity",
    "BATON_BUS__clientId": "as above",
}
# Not set by infra: the parameter `settings` can.
LEFT_TO_DEFAULTS = {
    "BATON_ALERT_DIGEST",
    "BATON_CHECK_INTERVAL",
    "BATON_PATCH_ASSESS_AFTER",
    "BATON_DISCOVERY_SCHEDULE",
    "BATON_PAGE_URL",
    "BATON_PATCH_SCHEDULE",
    "BATON_REDEPLOY_TIMEOUT",
    "BATON_RETRY_DELAY",
    "BATON_SIGN_IN",
    "BATON_SWEEP_SCHEDULE",
}
NEVER_IN_AZURE = {
    "BATON_ARM_TOKEN": "an emulator's",
    "BATON_BUS": "a connection string holds a key",
    "BATON_TABLES": "a connection string holds a key",
    "BATON_ARM__clientId": "AZURE_CLIENT_ID names the one identity for all",
    "BATON_EMAIL__clientId": "as above",
    "BATON_EVENTS__clientId": "as above",
    "BATON_TABLES__clientId": "as above",
}


class Asked(dict[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return super().__getitem__(name)


AS_DEPLOYED = {
    "BATON_TABLES__endpoint": "https://stbaton.table.core.windows.net/",
    "BATON_BUS__fullyQualifiedNamespace": "sbns-baton-abc.servicebus.windows.net",
    "BATON_BUS__credential": "managedidentity",
    "BATON_BUS__clientId": "11111111-1111-4111-8111-111111111111",
    "BATON_ARM_URL": "https://management.azure.com/",
    "BATON_SUBSCRIPTIONS": "11111111-1111-4111-8111-111111111111",
    "BATON_TABLE_PREFIX": "Baton",
    "BATON_JOBS_QUEUE": "redeploy-jobs",
    "BATON_ALERTS_QUEUE": "alerts",
    "BATON_MODE": "dryRun",
    "BATON_EMAIL_URL": "acs://acs-baton-abc.europe.communication.azure.com",
    "BATON_EMAIL_FROM": "DoNotReply@11111111-1111-4111-8111-111111111111.azurecomm.net",
    "BATON_EMAIL_TO": "oncall@example.com,other@example.com",
    "BATON_EVENTS_URL": "https://evgt-ops.westeurope-1.eventgrid.azure.net/api/events",
    "BATON_EVENTS_SECRET": "",
    "AZURE_CLIENT_ID": "11111111-1111-4111-8111-111111111111",
}


def named_in_infra() -> set[str]:
    files = (read(INFRA / "baton.bicep"), read(INFRA / "modules/app.bicep"))
    return {key for file in files for key in file.keys if OURS.fullmatch(key)}


@pytest.fixture
def read_by_the_code(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    asked = Asked(AS_DEPLOYED)
    monkeypatch.setattr(os, "environ", asked)
    runpy.run_path(str(ROOT / "functions/bindings.py"))
    connect(read_settings(asked))
    return {name for name in asked.names if OURS.fullmatch(name)}


def test_every_setting_of_infra_is_read(read_by_the_code):
    unread = named_in_infra() - read_by_the_code - OF_THE_PLATFORM.keys()

    assert unread == set()


def test_every_setting_that_is_read_is_set_or_left_for_a_reason(read_by_the_code):
    unset = read_by_the_code - named_in_infra()

    assert unset <= LEFT_TO_DEFAULTS | NEVER_IN_AZURE.keys()
    assert named_in_infra() & (LEFT_TO_DEFAULTS | NEVER_IN_AZURE.keys()) == set()


def test_what_infra_sets_is_good():
    settings = read_settings(AS_DEPLOYED)

    assert settings.tables == settings.bus == settings.arm_token == ""
    assert {name for name in AS_DEPLOYED if name.startswith("BATON_")} == {
        name for name in named_in_infra() if name.startswith("BATON_")
    }


def test_a_setting_that_nobody_reads_is_found(read_by_the_code):
    assert {"BATON_MODEE"} - read_by_the_code - OF_THE_PLATFORM.keys()


def test_baton_starts_in_dry_run():
    for file in ("main.bicep", "baton.bicep"):
        assert "param mode string = 'dryRun'" in (INFRA / file).read_text()


def test_no_key_and_no_connection_string_is_asked_for():
    without_hints = [path for path in INFRA.rglob("*.bicep") if path.name != "hints.bicep"]

    assert not [p for p in without_hints if re.search(r"list[A-Z]?\w*[kK]eys\(", p.read_text())]
    assert not [p for p in without_hints if "AccountKey" in p.read_text()]
