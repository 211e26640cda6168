"""The source of a project's modules as it was at one moment, and imports from it.

The first import records what it reads; every worker of that generation imports from the record. So
a worker that starts later, or instead of one that died, runs the very code that was good, whatever
has been saved since; `__file__` and tracebacks still name the real files.
"""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import PathFinder
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType


class Source(msgspec.Struct, frozen=True):
    """One module: its file, what stood in it, and whether it is a package."""

    file: str
    text: bytes
    package: bool


class Record(msgspec.Struct, frozen=True):
    """Every module of a project that was imported, by name."""

    modules: dict[str, Source]


class Recording(MetaPathFinder):
    """Finds the modules of a project and remembers what it read."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.modules: dict[str, Source] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module, if it is the project's own."""
        found = PathFinder.find_spec(fullname, path)
        if found is None or found.origin is None or not self._is_ours(Path(found.origin)):
            return None
        package = found.submodule_search_locations is not None
        source = Source(found.origin, Path(found.origin).read_bytes(), package)
        self.modules[fullname] = source
        return _spec(fullname, source)

    def _is_ours(self, file: Path) -> bool:
        if file.suffix != ".py" or not file.is_relative_to(self._root):
            return False
        inner = file.relative_to(self._root).parts
        return not any(part.startswith(".") or part == "site-packages" for part in inner)


class _Recorded(MetaPathFinder):
    def __init__(self, modules: dict[str, Source]) -> None:
        self._modules = modules

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        source = self._modules.get(fullname)
        return None if source is None else _spec(fullname, source)


class _Loader(SourceLoader):
    def __init__(self, source: Source) -> None:
        self._source = source

    def get_filename(self, fullname: str) -> str:
        return self._source.file

    def get_data(self, path: str | bytes) -> bytes:
        if path == self._source.file:
            return self._source.text
        return Path(str(path)).read_bytes()


def _spec(name: str, source: Source) -> ModuleSpec | None:
    inside = [str(Path(source.file).parent)] if source.package else None
    return spec_from_file_location(
        name, source.file, loader=_Loader(source), submodule_search_locations=inside
    )


def changed_since(record: Path) -> bool:
    """Whether a recorded file has another text now, or is gone."""
    held = msgspec.json.decode(record.read_bytes(), type=Record)
    return any(_text(one.file) != one.text for one in held.modules.values())


def _text(file: str) -> bytes | None:
    try:
        return Path(file).read_bytes()
    except OSError:
        return None


def install(record: str) -> None:
    """In a worker: import the project's modules from a record."""
    held = msgspec.json.decode(Path(record).read_bytes(), type=Record)
    sys.meta_path.insert(0, _Recorded(held.modules))


def prelude(record: Path) -> str:
    """What a worker has to run first."""
    return f"from engine.dev.sources import install\ninstall({str(record)!r})"
