"""The catalog: which versions of which workflows are deployed, and which one a start gets.

Pure data; it is filled from the store. `latest` is the highest version that is no prerelease.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.definition.spell import suggest
from engine.errors import UnknownVersion, UnknownWorkflow
from engine.values.version import Version, VersionError, VersionRange, parse_version

if TYPE_CHECKING:
    from collections.abc import Iterator


class Resolved(msgspec.Struct, frozen=True):
    """The version a start gets, and why."""

    name: str
    version: str
    revision: str
    reason: str


class Catalog:
    """Deployed versions by name. A version is added once and never replaced."""

    def __init__(self) -> None:
        self._names: dict[str, dict[Version, str]] = {}
        self._resolved: dict[tuple[str, str | None], Resolved] = {}

    def add(self, name: str, version: str, revision: str) -> None:
        """Make a deployed version known."""
        self._names.setdefault(name, {}).setdefault(parse_version(version), revision)
        self._resolved.clear()

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._names)

    def versions(self, name: str) -> list[str]:
        """The versions of a name, lowest first."""
        return [str(version) for version in sorted(self._names.get(name, ()))]

    def revisions(self) -> Iterator[str]:
        """Every revision that some version names."""
        for versions in self._names.values():
            yield from versions.values()

    def resolve(self, name: str, wanted: str | None = None) -> Resolved:
        """The version that `wanted` (exact, range, `latest` or None) means now.

        Raises:
            UnknownWorkflow: the name is not deployed.
            UnknownVersion: nothing deployed satisfies `wanted`.
        """
        known = self._resolved.get((name, wanted))
        if known is None:
            known = self._resolved[name, wanted] = self._resolve(name, wanted)
        return known

    def _resolve(self, name: str, wanted: str | None) -> Resolved:
        versions = self._names.get(name)
        if versions is None:
            raise UnknownWorkflow(name, suggestions=suggest(name, self._names))
        text = "latest" if wanted is None else wanted
        try:
            best = VersionRange.parse(text).best(versions)
        except VersionError as error:
            raise UnknownVersion(name, text, known=self.versions(name)) from error
        if best is None:
            raise UnknownVersion(name, text, known=self.versions(name))
        reason = "latest" if text == "latest" else f"asked for {text}"
        return Resolved(name, str(best), versions[best], reason)
