"""Opens the store a URL names.

========================== =====================================================
`sqlite:///project.db`     a file, relative to the working folder
`sqlite:////srv/app.db`    a file, absolute
`sqlite://:memory:`        in memory, gone with the process (`sqlite:///:memory:` too)
`some/path.db`             a file, as written
========================== =====================================================
"""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.errors import SettingsError, StorageUnavailable
from engine.storage.sqlite.store import MEMORY, open_sqlite

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from engine.storage.provider import Provider
    from engine.storage.sqlite.connection import Synchronous

# The only folder that is made on the way: the project's own.
_PROJECT_FOLDER: Final = ".lockstep"


@asynccontextmanager
async def open_store(
    url: str, *, create: bool = True, synchronous: Synchronous = "FULL"
) -> AsyncIterator[Provider]:
    """Open a store, made new if `create` allows.

    Raises:
        SettingsError: the URL names nothing we know.
        StorageUnavailable: the folder is missing or not writable, or without `create` the file.
        StorageError: the file is not ours, or of a newer build.
    """
    location = sqlite_location(url)
    if location != MEMORY:
        _check_place(Path(location), create=create)
    async with open_sqlite(location, synchronous=synchronous) as store:
        yield store


def sqlite_location(url: str) -> str:
    """The path, or `:memory:`, that a URL names.

    Raises:
        SettingsError: another scheme, a host, or no path.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        if not url:
            raise SettingsError("the database URL is empty", hint="sqlite:///lockstep.db")
        return url
    if scheme in ("postgres", "postgresql"):
        raise SettingsError(
            "PostgreSQL comes in a later release", hint="use sqlite:///path until then"
        )
    if scheme != "sqlite":
        raise SettingsError(f"unknown database scheme `{scheme}`", hint="use sqlite:///path")
    if rest in (MEMORY, f"/{MEMORY}"):
        return MEMORY
    if not rest.startswith("/") or rest == "/":
        raise SettingsError(
            f"`{url}` names no file", hint="three slashes for a relative path, four for an absolute"
        )
    return rest[1:]


def _check_place(path: Path, *, create: bool) -> None:
    """See to it that opening cannot fail half-way and leave a file behind."""
    folder = path.parent
    if path.is_dir():
        raise StorageUnavailable(f"{path} is a folder, not a database file")
    if path.exists():
        if not os.access(path, os.R_OK | os.W_OK):
            raise StorageUnavailable(f"{path} is not writable")
    elif not create:
        raise StorageUnavailable(f"there is no database at {path}", hint="start a node first")
    if not folder.is_dir():
        if not (create and folder.name == _PROJECT_FOLDER and folder.parent.is_dir()):
            raise StorageUnavailable(f"the folder {folder} does not exist", hint="make it first")
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise StorageUnavailable(f"cannot make {folder}: {error.strerror}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StorageUnavailable(f"the folder {folder} is not writable")
