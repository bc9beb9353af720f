"""What the app registers: the same index that the Azure worker reads."""

import importlib
import inspect
import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import azure.functions as func

TIMER: Final = "timerTrigger"
QUEUE: Final = "serviceBusTrigger"
HTTP: Final = "httpTrigger"
_ANSWER: Final = "http"  # the output binding of an HTTP function: what it returns


class HostError(Exception):
    """The app or a setting cannot be used; the message says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One function.

    Attributes:
        script: The file that the worker would name.
        handler: The user's function.
        trigger: Its trigger's binding as registered, `%NAME%` and all.
        bindings: All its bindings, the trigger among them, as the worker's metadata gives them.
    """

    name: str
    script: str
    handler: Callable[..., Any]
    trigger: Mapping[str, Any]
    bindings: tuple[Mapping[str, Any], ...]

    @property
    def kind(self) -> str:
        """The trigger's type."""
        return str(self.trigger["type"])

    @property
    def parameter(self) -> str:
        """The parameter that gets what triggered the function."""
        return str(self.trigger["name"])

    def setting(self, key: str, environment: Mapping[str, str] = os.environ) -> str:
        """A property of the trigger, with each `%NAME%` replaced by that app setting.

        Raises:
            HostError: The property is missing, or an app setting that it names.
        """
        text = self.trigger.get(key)
        if not text:
            raise HostError(f"function {self.name}: its trigger has no {key}")

        def value(found: re.Match[str]) -> str:
            if found[1] not in environment:
                raise HostError(
                    f"function {self.name}: {key} is {text!r}, but app setting {found[1]} is not set"
                )
            return environment[found[1]]

        return re.sub(r"%([^%]+)%", value, str(text))


def load_functions(app_module: str) -> list[Function]:
    """Imports the app and reads its index. Once per process: so the library allows it.

    Raises:
        HostError: The module has no function app, or more than one.
        Exception: Whatever importing or indexing it raises.
    """
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    module = importlib.import_module(app_module)
    apps = {
        id(value): value
        for value in vars(module).values()
        if isinstance(value, func.FunctionRegister)
    }
    if len(apps) != 1:
        found = "more than one function app" if apps else "no function app"
        raise HostError(f"{app_module} has {found} at its top level; exactly one is expected")
    (app,) = apps.values()
    return [_function(registered) for registered in app.get_functions()]


def check(functions: list[Function]) -> None:
    """Refuses at the start what would fail at the first trigger.

    Raises:
        HostError: A trigger or binding is not served here, or does not fit the function's parameters.
    """
    for function in functions:
        others = {str(binding["type"]) for binding in function.bindings} - {function.kind, _ANSWER}
        unknown = others | ({function.kind} - {TIMER, QUEUE, HTTP})
        if unknown:
            raise HostError(
                f"function {function.name}: not served here: {', '.join(sorted(unknown))}"
            )
        declared = set(inspect.signature(function.handler).parameters) - {"context"}
        if declared - {"context"} != {function.parameter} - {"context"}:
            raise HostError(
                f"function {function.name}: its parameters are {sorted(declared)}, "
                f"but its trigger binds {function.parameter!r}"
            )


def as_metadata(function: Function) -> dict[str, Any]:
    """A function as the worker's metadata gives it."""
    return {
        "name": function.name,
        "scriptFile": function.script,
        "entryPoint": function.name,  # the worker's own choice, whatever the Python name
        "bindings": list(function.bindings),
    }


def _function(registered: Any) -> Function:
    # The library's own encoder turns its enums into words; nothing is spelt twice here.
    bindings = tuple(json.loads(raw) for raw in registered.get_raw_bindings())
    trigger = registered.get_bindings().index(registered.get_trigger())
    return Function(
        name=registered.get_function_name(),
        script=registered.function_script_file,
        handler=registered.get_user_function(),
        trigger=bindings[trigger],
        bindings=bindings,
    )
