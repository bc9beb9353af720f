"""The queues and tables of infra are those that the code relies on."""

import importlib
import inspect
import json
from typing import Any

from cli.paths import ROOT
from shared.adapters import table_jobs
from shared.domain import health
from shared.domain.durations import parse_duration
from shared.domain.health import QueueProperties
from shared.settings import ALERTS_QUEUE, JOBS_QUEUE, read_settings
from tests.infra.bicep import Bicep, Expression, Resource, read

MODULES = ROOT / "infra/modules"
LAPTOP = ROOT / "simulator/servicebus/default-config.json"


def resource(bicep: Bicep, kind: str) -> Resource:
    (found,) = [r for r in bicep.resources if r.type == kind]
    return found


def laptop_queues() -> dict[str, dict[str, Any]]:
    """Queue → its properties, spelled as Resource Manager does. What every test of the code ran on."""
    lines = [line for line in LAPTOP.read_text().splitlines() if not line.lstrip().startswith("//")]
    (namespace,) = json.loads("\n".join(lines))["UserConfig"]["Namespaces"]
    return {
        queue["Name"]: {k[0].lower() + k[1:]: v for k, v in queue["Properties"].items()}
        for queue in namespace["Queues"]
    }


def test_the_queues_are_the_laptops():
    bus = read(MODULES / "bus.bicep")
    queues = resource(bus, "Microsoft.ServiceBus/namespaces/queues")
    names = bus.variables["queueNames"]

    assert queues.each == Expression("queueNames")
    assert dict.fromkeys(names, queues.body["properties"]) == laptop_queues()
    assert names == [JOBS_QUEUE, ALERTS_QUEUE]


def test_the_doctor_finds_the_queues_well():
    bus = read(MODULES / "bus.bicep")
    properties = resource(bus, "Microsoft.ServiceBus/namespaces/queues").body["properties"]
    durations = ("lockDuration", "defaultMessageTimeToLive", "duplicateDetectionHistoryTimeWindow")
    lock, live, duplicates = (parse_duration(properties[d], field=d) for d in durations)

    found = QueueProperties(
        lock_duration=lock,
        max_delivery_count=properties["maxDeliveryCount"],
        default_message_time_to_live=live,
        requires_duplicate_detection=properties["requiresDuplicateDetection"],
        duplicate_detection_history_time_window=duplicates,
        requires_session=False,
        dead_lettering_on_message_expiration=False,
        forwards=False,
        status="Active",
    )
    assert health.queue(JOBS_QUEUE, found).state is health.State.OK


def test_the_bus_takes_no_keys():
    namespace = resource(read(MODULES / "bus.bicep"), "Microsoft.ServiceBus/namespaces")

    assert namespace.body["properties"]["disableLocalAuth"] is True


class Service:
    """Stands where the table account does, and remembers which tables are opened."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def table(self, name: str) -> None:
        self.names.append(name)


def tables_of_the_code() -> list[str]:
    service = Service()
    folder = (ROOT / table_jobs.__file__).parent
    for path in sorted(folder.glob("table_*.py")):
        module = importlib.import_module(f"shared.adapters.{path.stem}")
        for name, kind in inspect.getmembers(module, inspect.isclass):
            opens: Any = kind
            if name.startswith("Table") and kind.__module__ == module.__name__:
                opens(service)
    return service.names


def test_the_tables_are_the_codes():
    storage = read(MODULES / "storage.bicep")
    tables = resource(storage, "Microsoft.Storage/storageAccounts/tableServices/tables")

    assert sorted(tables.each) == sorted(set(tables_of_the_code()))
    assert tables.body["name"] == Expression("'${tablePrefix}${table}'")
    defaults = {"BATON_TABLES__endpoint": "https://x.example", "BATON_BUS": "a=b;c=d"}
    assert storage.variables["tablePrefix"] == read_settings(defaults).table_prefix


def test_authors_write_policies_and_nothing_else():
    storage = read(MODULES / "storage.bicep")
    tables = resource(storage, "Microsoft.Storage/storageAccounts/tableServices/tables")
    (writes,) = [r for r in storage.resources if r.symbol == "authorsWrite"]

    assert tables.each[0] == "Policies"
    assert writes.body["scope"] == Expression("tables[0]")


def test_nobody_has_a_key_to_the_storage():
    account = resource(read(MODULES / "storage.bicep"), "Microsoft.Storage/storageAccounts")

    assert account.body["properties"]["allowSharedKeyAccess"] is False
    assert account.body["properties"]["allowBlobPublicAccess"] is False
