"""Scopes: what an expression can see at a place in a running workflow.

A scope adds variables, step records or names to the one around it. Loops give every turn its own
step records; other blocks share those of the place they stand in, which is what lets a later step
read a step inside `try`. Values are JSON and are never changed in place, so scopes may share them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.expr import Ambient
    from engine.values.json import Json, JsonObject


class Chain(Mapping[str, Any]):
    """Two mappings read as one; the first wins."""

    __slots__ = ("inner", "outer")

    def __init__(self, inner: Mapping[str, Any], outer: Mapping[str, Any]) -> None:
        self.inner = inner
        self.outer = outer

    def __getitem__(self, key: str) -> Any:
        if key in self.inner:
            return self.inner[key]
        return self.outer[key]

    def __contains__(self, key: object) -> bool:
        return key in self.inner or key in self.outer

    def __iter__(self) -> Iterator[str]:
        yield from self.inner
        yield from (key for key in self.outer if key not in self.inner)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Scope:
    """One level of what is visible. `own_*` is None where this level adds nothing of that sort."""

    __slots__ = ("ambient", "detached", "own_names", "own_steps", "own_vars", "parent", "roots")

    def __init__(
        self,
        parent: Scope,
        *,
        variables: dict[str, Json] | None = None,
        steps: dict[str, Any] | None = None,
        names: JsonObject | None = None,
        detached: bool = False,
    ) -> None:
        self.parent: Scope | None = parent
        self.ambient: Ambient = parent.ambient
        self.own_vars = variables
        self.own_steps = steps
        self.own_names = names
        self.detached = detached
        roots = parent.roots.copy()
        if variables is not None:
            outer = roots.get("vars")
            roots["vars"] = Chain(variables, outer) if outer else variables
        if steps is not None:
            outer = roots.get("steps")
            roots["steps"] = Chain(steps, outer) if outer is not None else steps
        if names:
            roots.update(names)
        self.roots: dict[str, Any] = roots

    @classmethod
    def base(cls, ambient: Ambient, roots: dict[str, Any]) -> Scope:
        """The outermost scope: input, config, workflow, instance and no variables or steps."""
        scope = cls.__new__(cls)
        scope.parent = None
        scope.ambient = ambient
        scope.own_vars = {}
        scope.own_steps = {}
        scope.own_names = None
        scope.detached = False
        scope.roots = {**roots, "vars": scope.own_vars, "steps": scope.own_steps}
        return scope

    def __getitem__(self, root: str) -> Any:
        return self.roots[root]

    def __contains__(self, root: object) -> bool:
        return root in self.roots

    def __iter__(self) -> Iterator[str]:
        return iter(self.roots)

    def get(self, root: str, default: Any = None) -> Any:
        """The root, or `default`."""
        return self.roots.get(root, default)

    def naming(self, name: str, value: Json) -> Scope:
        """This scope with one more name, for a single evaluation or a block."""
        return Scope(self, names={name: value})

    def steps_here(self) -> dict[str, Any]:
        """The step records that a step standing here writes to."""
        scope: Scope = self
        while scope.own_steps is None:
            assert scope.parent is not None
            scope = scope.parent
        return scope.own_steps

    def assign(self, name: str, value: Json) -> None:
        """Write the nearest declaration of a variable."""
        scope: Scope | None = self
        while scope is not None:
            if scope.own_vars is not None and name in scope.own_vars:
                scope.own_vars[name] = value
                return
            scope = scope.parent
        raise KeyError(name)

    def root(self) -> Scope:
        """The outermost scope."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    def captured(self, reads: tuple[str, ...] | None) -> JsonObject:
        """What is visible beyond the base, flat: what a compensation will need later.

        Of steps, variables and names only those in `reads`; all of them when it is None.
        """
        names: JsonObject = {}
        scope: Scope | None = self
        while scope is not None:
            for name, value in (scope.own_names or {}).items():
                names.setdefault(name, value)
            scope = scope.parent
        roots = self.roots
        found = {"vars": roots["vars"], "steps": roots["steps"], "names": names}
        if reads is None:
            return {part: dict(held) for part, held in found.items()}
        return {
            part: {name: held[name] for name in reads if name in held}
            for part, held in found.items()
        }

    @classmethod
    def restored(cls, base: Scope, captured: JsonObject) -> Scope:
        """A scope of its own with what was captured; shares nothing with the live ones."""
        variables: Any = captured["vars"]
        steps: Any = captured["steps"]
        names: Any = captured["names"]
        empty = base.roots | {"vars": {}, "steps": {}}
        bare = cls.base(base.ambient, empty)
        return cls(
            bare, variables=dict(variables), steps=dict(steps), names=dict(names), detached=True
        )
