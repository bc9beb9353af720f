"""Microsoft's worker library as Azure's worker uses it: index the app in this folder, then invoke.

A script for whatever environment it is run in; needs nothing of ours.

    python worker_library.py [FUNCTION PARAMETER TYPE VALUE] ...

Prints JSON: `functions` (name, entryPoint, bindings), `seconds` (of the library, of the app's index, of each
invocation), `failures` (function → what it raised), `megabytes` (the most memory that the process had).
"""

import asyncio
import json
import os
import resource
import sys
import time
from types import SimpleNamespace as Plain
from typing import Any

METADATA = {
    "MessageId": ("string", "a-message"),
    "DeliveryCount": ("int", 1),
    "UserProperties": ("json", "{}"),
    "ApplicationProperties": ("json", "{}"),
}


class Told:
    """Stands for any message of the worker's protocol."""

    Failure, Success, Cancelled = 0, 1, 2

    def __init__(self, *_: object, **fields: object) -> None:
        vars(self).update(fields)


class BindingInfo(Told):
    out, inout = 1, 2


setattr(BindingInfo, "in", 0)


class Protos:
    BindingInfo, StatusResult = BindingInfo, Told

    def __getattr__(self, _: str) -> type:
        return Told


async def index() -> list[Any]:
    from azure_functions_runtime import handle_event  # noqa: PLC0415 - its import is timed

    start = Plain(capabilities={}, function_app_directory=os.getcwd())  # noqa: PTH109 - a text
    properties = {"host": "127.0.0.1", "protos": Protos()}
    asked = Plain(request=Plain(worker_init_request=start), properties=properties)
    answer = await handle_event.worker_init_request(asked)
    if answer.result.status != Told.Success:
        sys.exit(str(vars(answer.result.exception)))
    metadata = await handle_event.functions_metadata_request(Plain())
    if metadata.result.status != Told.Success:
        sys.exit(str(vars(metadata.result.exception)))
    return list(metadata.function_metadata_results)


async def invoke(function: Any, parameter: str, kind: str, value: str) -> str:
    """What the function raised; empty where it went well."""
    from azure_functions_runtime.bindings.datumdef import Datum  # noqa: PLC0415 - as above
    from azure_functions_runtime.native_invocation import (  # noqa: PLC0415
        invocation_request_native,
    )

    metadata = {name: Datum(told, type_) for name, (type_, told) in METADATA.items()}
    ok, _, _, exception, stack = await invocation_request_native(
        "an-invocation", function.function_id, [(parameter, Datum(value, kind))], metadata
    )
    return "" if ok else f"{exception}\n{stack}"


async def main(wanted: list[str]) -> None:
    seconds: dict[str, float] = {}
    failures: dict[str, str] = {}
    began = time.perf_counter()
    import azure_functions_runtime.handle_event  # noqa: F401, PLC0415 - timed
    from azure_functions_runtime.utils.threadpool import (  # noqa: PLC0415
        start_threadpool_executor,
    )

    seconds["library"] = time.perf_counter() - began
    began = time.perf_counter()
    functions = await index()
    seconds["index"] = time.perf_counter() - began
    start_threadpool_executor()
    by_name = {function.name: function for function in functions}
    for name, parameter, kind, value in zip(*[iter(wanted)] * 4, strict=True):
        began = time.perf_counter()
        failures[name] = await invoke(by_name[name], parameter, kind, value)
        seconds[name] = time.perf_counter() - began
    told = [
        {
            "name": f.name,
            "entryPoint": f.entry_point,
            "bindings": list(map(json.loads, f.raw_bindings)),
        }
        for f in functions
    ]
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    answer = {"functions": told, "seconds": seconds, "failures": failures, "megabytes": megabytes}
    print(json.dumps(answer))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
