"""The watcher: what was saved, told a moment after it became quiet.

Editors write in pieces, over a rename, many files at once; a change is told when nothing has moved
for `QUIET` milliseconds, and under a stream of changes after `LONGEST` at the latest. Everything is
told once at the start, and again when a watched folder comes back after it was gone.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from watchfiles import awatch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

QUIET: Final = 40  # milliseconds
LONGEST: Final = 200
AWAY_SECONDS: Final = 0.2  # how often to look for a folder that is gone; nothing tells of it


class Changes(msgspec.Struct, frozen=True):
    """What has changed: paths, or all of it."""

    paths: frozenset[Path] = frozenset()
    everything: bool = False


async def watch(
    folders: Sequence[Path], *, stop: asyncio.Event, deep: bool = True
) -> AsyncIterator[Changes]:
    """Changes below the folders; with `deep` also in folders inside them."""
    while not stop.is_set():
        if not all(folder.is_dir() for folder in folders):
            await asyncio.sleep(AWAY_SECONDS)
            continue
        changes = awatch(
            *folders,
            debounce=LONGEST,
            step=QUIET,
            stop_event=stop,
            recursive=deep,
            watch_filter=None,
        )
        following = asyncio.ensure_future(anext(changes, None))
        await asyncio.sleep(0)  # now the watch is set, so nothing is missed after this
        yield Changes(everything=True)
        while (found := await following) is not None:
            paths = frozenset(Path(path) for _, path in found)
            yield Changes(paths)
            if not all(folder.is_dir() for folder in folders):
                await changes.aclose()
                break
            following = asyncio.ensure_future(anext(changes, None))
