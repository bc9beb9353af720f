"""`./baton doctor` against the laptop cloud: in good health, and with one thing broken at a time."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
from azure.data.tables import TableServiceClient
from azure.servicebus import ServiceBusClient, ServiceBusMessage

from cli.doctor import command
from cli.paths import ROOT
from shared.adapters.memory import MemoryClock
from shared.adapters.system_clock import SystemClock
from shared.adapters.table_alerts import TableAlerts
from shared.adapters.tables import connect_tables
from shared.domain.heartbeat import Heartbeat
from shared.ports import Clock
from simulator.faults import put_faults
from simulator.laptop import LaptopCloud
from simulator.table_rows import read_rows
from tests.builders import an_alert
from tests.integration.arm.emulator import Emulator

SUB = "11111111-1111-4111-8111-111111111111"
NOBODYS = "99999999-9999-4999-8999-999999999999"
SCOPE = f"rights /subscriptions/{SUB}"
ACT = "Microsoft.Compute/virtualMachines/performMaintenance/action"
READ = "Microsoft.Compute/virtualMachines/read"
OPTIONAL = "Microsoft.Network/publicIPAddresses/read"
SHOWN = "Microsoft.Authorization/permissions/read"
SILENT = timedelta(minutes=20)


class Patient:
    """A laptop cloud with everything that a running app leaves in it, but no app."""

    def __init__(self, cloud: LaptopCloud, capsys: pytest.CaptureFixture[str]) -> None:
        self.cloud = cloud
        self.settings = dict(cloud.settings)
        self.clock: Clock = SystemClock()
        self._capsys = capsys

    def examine(self, *, send_test: bool = False) -> tuple[int, dict[str, dict[str, str]]]:
        """The exit code, and the findings by name, in their order."""
        code = command.run(self.settings, self.clock, as_json=True, send_test=send_test)
        text = self._capsys.readouterr().out
        document = json.loads(text)
        assert document["healthy"] is (code == 0)
        for secret in command._secrets(self.cloud.settings):
            assert secret not in text
        return code, {one["name"]: one for one in document["findings"]}

    # --- what can be broken ---

    def unset(self, name: str) -> None:
        del self.settings[name]

    def set(self, **settings: str) -> None:
        self.settings |= settings

    def deny(self, *rights: str, fail: str = "") -> None:
        edit = {"denied": list(rights), "fail": fail}
        status, answer = Emulator(self.cloud.arm_url).post(f"/_emulator/subscriptions/{SUB}", edit)
        assert status == 200, answer

    def mail_faults(self, faults: str) -> None:
        put_faults(self.cloud.fault_urls["mail"], faults)

    def clock_is_off(self, by: timedelta) -> None:
        self.clock = MemoryClock(SystemClock().now() + by)

    def beat(self, ago: timedelta = timedelta(0)) -> None:
        beat = Heartbeat(
            at=SystemClock().now() - ago,
            vms=14,
            changed=0,
            unmatched=0,
            unreadable=0,
            failed_subscriptions=0,
        )
        self._alerts(lambda alerts: alerts.beat(beat))

    def forgotten_alert(self) -> None:
        alert = an_alert("old", raised_at=SystemClock().now() - timedelta(hours=2))
        self._alerts(lambda alerts: alerts.add(alert))

    def own_tables(self) -> None:
        self.settings["BATON_TABLE_PREFIX"] = "Own"
        self.make_tables()
        self.beat()

    def make_tables(self) -> None:
        with TableServiceClient.from_connection_string(self.cloud.tables) as service:
            for name in ("Policies", "Jobs", "Outcomes", "Alerts", "Pauses", "Patches"):
                service.create_table_if_not_exists(self.prefix + name)

    def give_up_a_message(self, queue: str) -> None:
        with ServiceBusClient.from_connection_string(self.cloud.bus) as client:
            with client.get_queue_sender(queue) as sender:
                sender.send_messages(ServiceBusMessage("{}", message_id="m1"))
            with client.get_queue_receiver(queue) as receiver:
                (message,) = receiver.receive_messages(max_wait_time=60)
                receiver.dead_letter_message(message, reason="MaxDeliveryCountExceeded")

    @property
    def prefix(self) -> str:
        return self.settings.get("BATON_TABLE_PREFIX", "Baton")

    def _alerts(self, work):
        async def run():
            tables = connect_tables(self.cloud.tables, None, None, self.prefix)
            await work(TableAlerts(tables))
            await tables.close()

        asyncio.run(run())


def more_queues(text: str) -> str:
    """Baton's queues, one more like them, and one that somebody made in a hurry."""
    config = json.loads(re.sub(r"^\s*//.*", "", text, flags=re.MULTILINE))
    queues = config["UserConfig"]["Namespaces"][0]["Queues"]
    queues.append({**queues[0], "Name": "given-up"})
    hurried = {"DeadLetteringOnMessageExpiration": True}
    queues.append({"Name": "made-by-hand", "Properties": hurried})
    return json.dumps(config)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaptopCloud]:
    folder = tmp_path_factory.mktemp("cloud")
    config = folder / "bus.json"
    config.write_text(more_queues((ROOT / "simulator/servicebus/default-config.json").read_text()))
    with LaptopCloud(folder, bus_config=config) as running:
        yield running


@pytest.fixture
def patient(cloud: LaptopCloud, capsys: pytest.CaptureFixture[str]) -> Iterator[Patient]:
    found = Patient(cloud, capsys)
    found.make_tables()
    found.beat()
    yield found
    found.deny()
    found.mail_faults("")


def test_in_good_health_everything_is_well_and_nothing_is_left_behind(patient):
    code, findings = patient.examine(send_test=True)

    assert code == 0
    assert {one["state"] for one in findings.values()} == {"ok"}
    assert list(findings) == [
        "python",
        "packages",
        "settings",
        "identity",
        "clock",
        SCOPE,
        SCOPE.replace("1", "2"),
        "subscriptions",
        "tables",
        "heartbeat",
        "alerts",
        "queue redeploy-jobs",
        "dead letters redeploy-jobs",
        "queue alerts",
        "dead letters alerts",
        "mail",
        "test mail",
        "mode",
    ]
    rows = read_rows(patient.cloud.tables, "BatonAlerts")
    assert {row["PartitionKey"] for row in rows} == {"heartbeat"}


BROKEN = {
    "a setting is missing": (
        lambda it: it.unset("BATON_TABLES"),
        "setting BATON_TABLES__endpoint",
        "Set it to the service's address, or a connection string in BATON_TABLES",
    ),
    "a setting is wrong": (
        lambda it: it.set(BATON_CHECK_INTERVAL="soon"),
        "setting BATON_CHECK_INTERVAL",
        "Set it to a duration",
    ),
    "a setting is misspelt": (
        lambda it: it.set(BATON_MOED="paused"),
        "setting BATON_MOED",
        "Rename it to BATON_MODE",
    ),
    "Resource Manager is not there": (
        lambda it: it.set(BATON_ARM_URL="http://127.0.0.1:1"),
        "clock",
        "Is BATON_ARM_URL right",
    ),
    "the clock is off": (
        lambda it: it.clock_is_off(timedelta(minutes=-5)),
        "clock",
        "Synchronise this machine's clock",
    ),
    "the right to act is missing": (
        lambda it: it.deny(ACT),
        SCOPE,
        "Assign Baton's role to act",
    ),
    "the right to read VMs is missing": (
        lambda it: it.deny(READ),
        SCOPE,
        "Assign Baton's role to observe",
    ),
    "a subscription may not be read": (
        lambda it: it.deny(fail="forbidden"),
        SCOPE,
        "Assign Baton's role to observe",
    ),
    "a subscription is nobody's": (
        lambda it: it.set(BATON_SUBSCRIPTIONS=NOBODYS),
        f"rights /subscriptions/{NOBODYS}",
        "Assign Baton's role to observe",
    ),
    "the tables' key is wrong": (
        lambda it: it.set(
            BATON_TABLES=it.settings["BATON_TABLES"].replace("AccountKey=", "AccountKey=AAAA")
        ),
        "tables",
        "Storage Table Data Contributor",
    ),
    "the tables are another's": (
        lambda it: it.set(BATON_TABLE_PREFIX="Nobodys"),
        "tables",
        "Correct BATON_TABLES__endpoint",
    ),
    "discovery is silent": (
        lambda it: it.beat(SILENT),
        "heartbeat",
        "Is the Function App running",
    ),
    "alerts wait for long": (
        lambda it: (it.own_tables(), it.forgotten_alert()),
        "alerts",
        "See mail and the dead letters",
    ),
    "a queue does not exist": (
        lambda it: it.set(BATON_JOBS_QUEUE="nosuch"),
        "queue nosuch",
        "Correct BATON_JOBS_QUEUE",
    ),
    "a queue was made by hand": (
        lambda it: it.set(BATON_ALERTS_QUEUE="made-by-hand"),
        "queue made-by-hand",
        "Delete the queue and deploy it again: requiresDuplicateDetection",
    ),
    "messages were given up": (
        lambda it: (it.give_up_a_message("given-up"), it.set(BATON_JOBS_QUEUE="given-up")),
        "dead letters given-up",
        "The running app empties the queue",
    ),
    "the mail service is away": (
        lambda it: it.mail_faults("down=1"),
        "mail",
        "Correct BATON_EMAIL_URL",
    ),
    "nobody takes the events": (
        lambda it: it.set(BATON_EVENTS_URL="http://127.0.0.1:1/?code=Zm9vYmFy"),
        "events",
        "Correct BATON_EVENTS_URL",
    ),
}


@pytest.mark.parametrize(("breaks", "name", "fix"), BROKEN.values(), ids=BROKEN)
def test_the_one_thing_that_is_broken_comes_first_with_its_fix(patient, breaks, name, fix):
    breaks(patient)

    code, findings = patient.examine()

    first = next(iter(findings.values()))
    assert (first["name"], first["state"]) == (name, "broken")
    assert fix in first["fix"]
    assert [one for one, found in findings.items() if found["state"] == "broken"] == [name]
    assert code == (2 if name.startswith("setting ") else 1)


@pytest.mark.parametrize(
    "bus", ["Endpoint=sb://127.0.0.1:1;SharedAccessKey=x", "nonsense=1;", "Endpoint=sb://x"]
)
def test_a_bus_that_is_not_there_breaks_both_queues_and_nothing_else(patient, bus):
    key = "SharedAccessKeyName=Root;SharedAccessKey=KEY;UseDevelopmentEmulator=true;"
    patient.set(BATON_BUS=f"{bus};{key}")

    code, findings = patient.examine()

    broken = [name for name, one in findings.items() if one["state"] == "broken"]
    assert (code, broken) == (1, ["queue redeploy-jobs", "queue alerts"])
    assert "BATON_BUS" in findings["queue alerts"]["fix"]


def test_a_queue_made_by_hand_has_every_property_named_that_is_wrong(patient):
    patient.set(BATON_ALERTS_QUEUE="made-by-hand")

    says = patient.examine()[1]["queue made-by-hand"]["says"]

    for name in (
        "requiresDuplicateDetection",
        "maxDeliveryCount is 3",
        "defaultMessageTimeToLive is 60 min",
        "deadLetteringOnMessageExpiration",
    ):
        assert name in says


def test_what_baton_can_do_without_is_a_note_and_nothing_is_broken(patient):
    patient.deny(OPTIONAL)
    patient.unset("BATON_EMAIL_URL")
    patient.set(BATON_MODE="dryRun")

    code, findings = patient.examine()

    notes = {name for name, one in findings.items() if one["state"] == "note"}
    assert (code, notes) == (0, {SCOPE, "mail", "mode"})


def test_in_dry_run_the_right_to_act_is_only_worth_a_note(patient):
    patient.deny(ACT)
    patient.set(BATON_MODE="dryRun")

    code, findings = patient.examine()

    assert (code, findings[SCOPE]["state"]) == (0, "note")
    assert "needed before BATON_MODE is live" in findings[SCOPE]["says"]


def test_where_permissions_are_not_shown_reading_is_tried_and_acting_is_unknown(patient):
    patient.deny(SHOWN)

    code, findings = patient.examine()

    assert (code, findings[SCOPE]["state"]) == (0, "unknown")
    assert "VMs can be read" in findings[SCOPE]["says"]


def test_the_mail_of_communication_services_is_looked_at_too(patient):
    patient.set(BATON_EMAIL_URL=patient.cloud.acs_url)
    assert patient.examine(send_test=True)[1]["test mail"]["state"] == "ok"

    patient.mail_faults("deny=1")
    found = patient.examine()[1]["mail"]
    assert found["state"] == "broken"
    assert "needs the role 'Communication and Email Service Owner'" in found["says"]


def test_a_person_reads_what_is_missing_first_and_sees_no_secret(patient):
    environment = {**patient.cloud.environment, "BATON_JOBS_QUEUE": "nosuch"}

    answer = subprocess.run(
        [sys.executable, "-m", "cli", "doctor"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    lines = answer.stdout.splitlines()
    assert (answer.returncode, answer.stderr) == (1, "")
    assert lines[0] == "Baton needs one thing; begin with the first."
    assert lines[1].startswith("✖ queue nosuch: ")
    assert lines[2].startswith("  fix: Correct BATON_JOBS_QUEUE")
    assert lines[-1].startswith("✔ mode: live")
    for secret in command._secrets(environment):
        assert secret not in answer.stdout
