"""How a subprocess finds an activity: `module:qualname`, imported afresh there.

A function of the script that was started has no module a child could import by name, so the
script's own path goes along.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from typing import TYPE_CHECKING, Final

import msgspec

from engine.activities.decorator import ActivityDefinition, definition_of
from engine.errors import SettingsError

if TYPE_CHECKING:
    from types import ModuleType

SCRIPT: Final = "__lockstep_main__"  # not `__main__`, so that the script does not start again


class Locator(msgspec.Struct, frozen=True):
    """Where a function lives. `script` is set when its module is the started script."""

    module: str
    qualname: str
    script: str | None = None


def locator_of(definition: ActivityDefinition) -> Locator:
    """The place of an activity.

    Raises:
        SettingsError: only this process can reach it: a closure, a method, or no file.
    """
    function = definition.function
    module = getattr(function, "__module__", None) or ""
    qualname = getattr(function, "__qualname__", "")
    if inspect.ismethod(function) or "<" in qualname or not module:
        raise SettingsError(
            f'activity `{definition.name}` with isolation="process" cannot be imported by '
            f"another process: {definition.place}",
            hint="define it at the top level of a module",
        )
    if module != "__main__":
        return Locator(module, qualname)
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    if spec is not None:  # python -m package.module
        return Locator(spec.name, qualname)
    script = getattr(main, "__file__", None)
    if script is None:
        raise SettingsError(
            f"activity `{definition.name}` was typed into an interpreter, so no other process "
            f"can import it",
            hint="put it into a module",
        )
    return Locator(SCRIPT, qualname, script)


def locate(locator: Locator) -> ActivityDefinition:
    """Import the activity.

    Raises:
        SettingsError: it is not there, or not an activity.
    """
    found: object = _import(locator)
    for part in locator.qualname.split("."):
        found = getattr(found, part, None)
    definition = definition_of(found)
    if definition is None:
        raise SettingsError(f"`{locator.module}:{locator.qualname}` is not an activity here")
    return definition


def _import(locator: Locator) -> ModuleType:
    if locator.script is None:
        return importlib.import_module(locator.module)
    if locator.module in sys.modules:
        return sys.modules[locator.module]
    spec = importlib.util.spec_from_file_location(locator.module, locator.script)
    if spec is None or spec.loader is None:
        raise SettingsError(f"`{locator.script}` cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[locator.module] = module
    spec.loader.exec_module(module)
    return module
