"""The laptop cloud: every service that the app needs, as real processes on loopback, and its host."""

import fcntl
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TextIO

from simulator import azurite
from simulator.processes import Child, ProcessError, Program, Watchdog, python
from simulator.scenario import load_scenario
from simulator.scenario_rows import in_time
from simulator.table_rows import delete_row, merge_rows, read_rows

ROOT: Final = Path(__file__).resolve().parent.parent
NODE: Final = ROOT / ".baton" / "node"
_TOKEN: Final = "laptop"  # noqa: S105 - the ARM emulator takes any; it guards nothing
_OURS: Final = ("logs", "mails", "host")


@dataclass(frozen=True, kw_only=True)
class Ports:
    """The port of each service on 127.0.0.1; 0 takes a free one."""

    tables: int = 0
    bus: int = 0
    bus_admin: int = 0
    arm: int = 0
    smtp: int = 0
    mail: int = 0
    host: int = 0


WELL_KNOWN: Final = Ports(
    tables=10002,  # Azurite's own
    bus=5672,  # AMQP
    bus_admin=5300,  # where Microsoft's Service Bus emulator answers /health
    arm=8900,
    smtp=1025,  # SMTP and HTTP as most mail sinks have them
    mail=8025,
    host=7071,  # the Functions Core Tools' own
)


def in_use(folder: Path) -> bool:
    """Whether a laptop cloud runs in this folder."""
    if not folder.exists():
        return False
    with _lock_of(folder).open("a") as lock:
        return not _take(lock)


def _lock_of(folder: Path) -> Path:
    return folder / "lock"


def _take(lock: TextIO) -> bool:
    """The kernel gives it back when its process ends, however it ends."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


class LaptopCloud:
    """Azurite, the Service Bus and Resource Manager emulators, the mail sink; then the trigger host.

    A context manager: on entering, the services run and the scenario's policies are in their table;
    on leaving, whichever way, no process is left. Nothing survives from an earlier use of the folder.
    """

    def __init__(
        self,
        folder: Path,
        *,
        scenario: str | Path = "default",
        settings: Mapping[str, str] | None = None,
        ports: Ports = Ports(),
        bus_config: Path | None = None,
        seed: int = 0,
        acs: bool = False,
        log_requests: bool = False,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Read the scenario; start nothing yet.

        Args:
            folder: keeps logs, mails and the host's state; made if missing.
            scenario: name of a built-in one, or a path.
            settings: app settings that win over the scenario's.
            ports: where the services listen.
            bus_config: the queues, in the official emulator's format; None takes Baton's own.
            seed: of the faults that the scenario asks for.
            acs: mail goes by the wire of Communication Services instead of SMTP.
            log_requests: whether Azurite's log has a line for each request.
            say: told of what takes long.

        Raises:
            ScenarioError: the scenario cannot be used.
        """
        self.folder = folder.resolve()
        # The children run in the project's folder, wherever the caller's relative path was meant.
        self._source = str(Path(scenario).resolve() if Path(scenario).is_file() else scenario)
        self.scenario = load_scenario(scenario)
        self.services: dict[str, Child] = {}
        self.host: Child | None = None
        self._settings = {**self.scenario.settings, **(settings or {})}
        self._ports = ports
        self._bus_config = bus_config
        self._seed = seed
        self._acs = acs
        self._log_requests = log_requests
        self._say = say
        self._stack = ExitStack()
        self._watchdog: Watchdog | None = None

    def __enter__(self) -> Self:
        """Start the services side by side, and write the policies.

        Raises:
            ProcessError: one of them did not start, and the others are ended; or the folder is in use.
        """
        entry = azurite.install(NODE, self._say)
        with self._stack:
            self._take_folder()
            self._watchdog = Watchdog()
            self._stack.callback(self._watchdog.close)
            for program in self._programs(entry):
                self.services[program.name] = self._start(program)
            for child in self.services.values():
                child.await_ready()
            started = datetime.fromisoformat(self.services["arm"].facts["t0"])
            self.scenario = in_time(self.scenario, started)
            if "tables" in self.scenario.faults:
                self.services["tables_proxy"] = self._start(self._proxy())
                self.services["tables_proxy"].await_ready()
            self.merge_policies(*self.scenario.policies)
            self._stack = self._stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End every process, the latest first."""
        self._stack.close()

    @property
    def tables(self) -> str:
        """Connection string of the tables."""
        return str(self.services["azurite"].facts["connectionString"])

    @property
    def app_tables(self) -> str:
        """Connection string of the tables as the app gets it: with the faults, if there are any."""
        if "tables_proxy" not in self.services:
            return self.tables
        return azurite.connection_string(int(self.services["tables_proxy"].facts["port"]))

    @property
    def bus(self) -> str:
        """Connection string of the bus."""
        return str(self.services["servicebus"].facts["connectionString"])

    @property
    def bus_admin_url(self) -> str:
        """Where the bus tells its counts."""
        return f"http://127.0.0.1:{self.services['servicebus'].facts['adminPort']}"

    @property
    def arm_url(self) -> str:
        """Where Resource Manager answers."""
        return str(self.services["arm"].facts["url"])

    @property
    def arm_log(self) -> Path:
        """Every request that Resource Manager got and every event of its VMs, one JSON a line."""
        return self.folder / "arm.jsonl"

    @property
    def mail_url(self) -> str:
        """Where the mail sink shows what it got."""
        return f"http://127.0.0.1:{self.services['mail'].facts['httpPort']}"

    @property
    def smtp_url(self) -> str:
        """Where the mail sink takes mails by SMTP."""
        return f"smtp://127.0.0.1:{self.services['mail'].facts['port']}"

    @property
    def acs_url(self) -> str:
        """Where it takes them by the wire of Communication Services Email."""
        return f"acs://127.0.0.1:{self.services['mail'].facts['httpPort']}"

    @property
    def host_url(self) -> str:
        """Where the running host answers."""
        if self.host is None:
            raise RuntimeError("the host was not started")
        return f"http://127.0.0.1:{self.host.facts['port']}"

    @property
    def fault_urls(self) -> dict[str, str]:
        """Where the faults of each service are told and changed, see `simulator.faults`."""
        urls = {
            "arm": f"{self.arm_url}/_emulator/faults",
            "bus": f"{self.bus_admin_url}/faults",
            "mail": f"{self.mail_url}/faults",
        }
        if proxy := self.services.get("tables_proxy"):
            urls["tables"] = f"http://127.0.0.1:{proxy.facts['port']}/_emulator/faults"
        return urls

    @property
    def settings(self) -> dict[str, str]:
        """The app settings that point at these services, the scenario's among them."""
        return {
            "BATON_TABLES": self.app_tables,
            "BATON_BUS": self.bus,
            "BATON_ARM_URL": self.arm_url,
            "BATON_ARM_TOKEN": _TOKEN,
            "BATON_EMAIL_URL": self.acs_url if self._acs else self.smtp_url,
            "BATON_EMAIL_FROM": "baton@example.com",
            "BATON_EMAIL_TO": "oncall@example.com",
            **self._settings,
        }

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment of the host: ours without foreign BATON_ settings, and `settings`."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("BATON_")}
        return {**ours, **self.settings}

    def merge_policies(self, *rows: Mapping[str, object]) -> None:
        """Merge rows into the table of policies, as a team would."""
        merge_rows(self.tables, self._table("Policies"), rows)

    def outcomes(self) -> list[dict[str, Any]]:
        """Every row of the table of outcomes."""
        return read_rows(self.tables, self._table("Outcomes"))

    def patches(self) -> list[dict[str, Any]]:
        """Every row of the table of patches."""
        return read_rows(self.tables, self._table("Patches"))

    def delete_outcome(self, row: Mapping[str, object]) -> None:
        """Delete a row of the table of outcomes, as nobody should."""
        delete_row(self.tables, self._table("Outcomes"), row)

    def _table(self, name: str) -> str:
        return self.settings.get("BATON_TABLE_PREFIX", "Baton") + name

    def start_host(self, app: Path = ROOT) -> Child:
        """Start the trigger host, again if it was ended; it keeps its timers' state.

        Args:
            app: folder of the function app that it serves; another version's than this one's.

        Raises:
            ProcessError: it did not start, or it runs already.
        """
        if self.host is not None and self.host.running:
            raise RuntimeError(f"the host runs already, as process {self.host.pid}")
        state = str(self.folder / "host")
        program = python(
            *("host", "simulator.host", "--port", str(self._ports.host), "--state", state),
            environment={**self.environment, "PYTHONPATH": str(ROOT)},
            folder=app,
        )
        self.host = self._start(program)
        self.host.await_ready()
        return self.host

    def stop_host(self) -> int:
        """Ask the host to end; its exit code."""
        return self.host.stop() if self.host else 0

    def kill_host(self) -> None:
        """End the host as a power cut would."""
        if self.host:
            self.host.kill()

    def _programs(self, entry: Path) -> list[Program]:
        ports, log, mails = self._ports, str(self.arm_log), str(self.folder / "mails")
        config = ("--config", str(self._bus_config)) if self._bus_config else ()
        bus = ("--port", str(ports.bus), "--admin-port", str(ports.bus_admin), *config)
        arm = ("--port", str(ports.arm), "--scenario", self._source, "--log", log)
        mail = ("--port", str(ports.smtp), "--http-port", str(ports.mail), "--store", mails)
        return [
            azurite.program(entry, port=ports.tables, log_requests=self._log_requests),
            self._emulator("servicebus", *bus, *self._options("bus")),
            self._emulator("arm", *arm, *self._options("arm")),
            self._emulator("mail", *mail, *self._options("mail")),
        ]

    def _proxy(self) -> Program:
        port = self.services["azurite"].facts["port"]
        behind = ("--tables", f"http://127.0.0.1:{port}")
        return self._emulator("tables_proxy", *behind, *self._options("tables"))

    def _emulator(self, name: str, *options: str) -> Program:
        return python(name, f"simulator.{name}", *options, folder=ROOT)

    def _options(self, service: str) -> tuple[str, ...]:
        """A process's share of the scenario's faults."""
        return ("--faults", self.scenario.faults.get(service, ""), "--seed", str(self._seed))

    def _start(self, program: Program) -> Child:
        assert self._watchdog is not None  # noqa: S101 - programs are started inside the context
        child = Child(program, self.folder / "logs" / f"{program.name}.log", self._watchdog)
        self._stack.callback(child.stop)
        return child

    def _take_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = self._stack.enter_context(_lock_of(self.folder).open("a"))
        if not _take(lock):
            raise ProcessError(f"another laptop cloud runs in {self.folder}; end that one first")
        self.arm_log.unlink(missing_ok=True)
        for name in _OURS:
            shutil.rmtree(self.folder / name, ignore_errors=True)
