"""The activities of one node, by name.

Built once from functions, modules and definitions, then read only. What cannot be called is
refused here, when the node starts, and not in the middle of a workflow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from types import ModuleType
from typing import Any, TypeAlias

from engine.activities.decorator import ActivityDefinition, definition_of
from engine.activities.process.locator import locator_of
from engine.errors import SettingsError

ActivitySource: TypeAlias = Callable[..., Any] | ModuleType | ActivityDefinition


class ActivityRegistry:
    """Activities by name; a module stands for the marked functions it holds.

    Raises:
        SettingsError: two activities share a name, something is not an activity, or a signature
            has no JSON form.
    """

    def __init__(self, activities: Iterable[ActivitySource] = ()) -> None:
        self._definitions: dict[str, ActivityDefinition] = {}
        for source in activities:
            for definition in _definitions_in(source):
                self._add(definition)

    def get(self, name: str) -> ActivityDefinition | None:
        """The activity of that name, if this node has it."""
        return self._definitions.get(name)

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._definitions)

    def suggestions(self, name: str) -> list[str]:
        """Names that look like this one, the best first."""
        near = get_close_matches(name, self.names(), n=3)
        tail = name.rpartition(".")[2]
        return near or [known for known in self.names() if known.rpartition(".")[2] == tail][:3]

    def __contains__(self, name: object) -> bool:
        return name in self._definitions

    def __len__(self) -> int:
        return len(self._definitions)

    def _add(self, definition: ActivityDefinition) -> None:
        known = self._definitions.get(definition.name)
        if known is not None:
            if known.function == definition.function:
                return  # a module and a function of it, or the function under two roofs
            raise SettingsError(
                f"two activities are called `{definition.name}`: "
                f"{known.place} and {definition.place}",
                hint="rename one of them",
            )
        _ = definition.signature  # reads the hints now, so that a wrong one stops the start
        if definition.isolation == "process":
            locator_of(definition)
        self._definitions[definition.name] = definition


def _definitions_in(source: ActivitySource) -> Iterable[ActivityDefinition]:
    if isinstance(source, ActivityDefinition):
        return [source]
    if isinstance(source, ModuleType):
        found = [definition_of(member) for member in vars(source).values()]
        marked = [definition for definition in found if definition is not None]
        if not marked:
            raise SettingsError(
                f"module `{source.__name__}` holds no activity", hint="mark them with @activity"
            )
        return marked
    definition = definition_of(source)
    if definition is None:
        raise SettingsError(f"{source!r} is not an activity", hint="mark it with @activity")
    return [definition]
