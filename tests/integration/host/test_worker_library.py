"""Microsoft's own worker library indexes the app as our host does."""

import json
import subprocess
import sys
from typing import Any

from cli.paths import ROOT

INDEX = """
import asyncio, json, os, sys
from types import SimpleNamespace as Plain
from azure_functions_runtime import handle_event

class Status:
    Failure, Success, Cancelled = 0, 1, 2
    def __init__(self, **fields): self.__dict__.update(fields)

class Any_:
    def __init__(self, *given, **fields): self.__dict__.update(fields)

class BindingInfo(Any_):
    in_, out, inout = 0, 1, 2

setattr(BindingInfo, "in", 0)

class Protos:
    StatusResult = Status
    def __getattr__(self, name): return BindingInfo if name == "BindingInfo" else Any_

async def main():
    init = Plain(capabilities={}, function_app_directory=os.getcwd())
    asked = Plain(request=Plain(worker_init_request=init), properties={"host": "127.0.0.1", "protos": Protos()})
    answer = await handle_event.worker_init_request(asked)
    if answer.result.status != Status.Success:
        sys.exit(str(vars(answer.result.exception)))
    metadata = await handle_event.functions_metadata_request(Plain())
    print(json.dumps([{"name": f.name, "entryPoint": f.entry_point, "bindings": [json.loads(b) for b in f.raw_bindings]} for f in metadata.function_metadata_results]))

asyncio.run(main())
"""


def printed(*command: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, list)
    return found


def binding(raw: dict[str, Any]) -> dict[str, Any]:
    """A binding as both spell it: directions are words in one and numbers in the other."""
    return {key: value for key, value in raw.items() if key != "direction"}


def told(functions: list[dict[str, Any]]) -> list[object]:
    return sorted(
        (
            f["name"],
            f["entryPoint"],
            json.dumps([binding(b) for b in f["bindings"]], sort_keys=True),
        )
        for f in functions
    )


def test_the_worker_librarys_index_of_the_app_equals_the_hosts():
    theirs = printed("-c", INDEX)
    ours = printed("-m", "simulator.host", "--index")

    assert told(ours) == told(theirs)
    assert len(ours) == 8
