"""The picture store behind `album-thumbnails`: a folder of PNG files and an index per album.

The folder is `LOCKSTEP_MEDIA` (default `.lockstep/media`). Writing is atomic (a file appears whole)
and repeatable (the same input gives the same bytes), so an activity may run twice.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import msgspec

from engine import ActivityError, activity
from workflows.activities.png import NotAPicture, Picture, decode, encode, shrink


class StoredObject(msgspec.Struct, frozen=True):
    """One file of the store; `size` in bytes."""

    key: str
    size: int


class Listing(msgspec.Struct, frozen=True):
    """What lies under a prefix, by key."""

    objects: list[StoredObject]


class Thumbnail(msgspec.Struct, frozen=True):
    """A thumbnail that was written."""

    key: str
    width: int
    height: int
    bytes: int


class Entry(msgspec.Struct, frozen=True):
    """One picture of an index."""

    key: str
    bytes: int


class Written(msgspec.Struct, frozen=True):
    """A file that was written."""

    key: str
    entries: int


@activity("album.paint_samples", timeout="1m")
def paint_samples(album: str, count: int) -> list[str]:
    """Paint `count` small pictures into the album; returns their keys."""
    keys = [f"albums/{album}/{index:03d}.png" for index in range(count)]
    for index, key in enumerate(keys):
        _write(key, encode(_painting(index)))
    return keys


@activity("storage.list", timeout="10s")
def list_objects(prefix: str) -> Listing:
    """List the files under a prefix."""
    root = _root()
    folder = _inside(prefix)
    found = sorted(path for path in folder.rglob("*.png") if path.is_file())
    return Listing(
        objects=[
            StoredObject(key=path.relative_to(root).as_posix(), size=path.stat().st_size)
            for path in found
        ]
    )


@activity("images.resize", timeout="1m")
def resize(key: str, width: int) -> Thumbnail:
    """Write the thumbnail of one picture."""
    source = _inside(key)
    if not source.is_file():
        raise ActivityError(f"there is no `{key}`", type="storage.not_found", retryable=False)
    try:
        small = shrink(decode(source.read_bytes()), width)
    except NotAPicture as problem:
        raise ActivityError(
            f"`{key}`: {problem}", type="images.broken", retryable=False
        ) from problem
    data = encode(small)
    target = f"thumbnails/{width}/{key}"
    _write(target, data)
    return Thumbnail(key=target, width=small.width, height=small.height, bytes=len(data))


@activity("album.write_index", timeout="10s")
def write_index(album: str, entries: list[Entry], skipped: list[str]) -> Written:
    """Write the album's index: what has a thumbnail and what was skipped."""
    key = f"indexes/{album}.json"
    index = {"album": album, "entries": msgspec.to_builtins(entries), "skipped": skipped}
    _write(key, json.dumps(index, indent=2, sort_keys=True).encode())
    return Written(key=key, entries=len(entries))


def _root() -> Path:
    return Path(os.environ.get("LOCKSTEP_MEDIA", ".lockstep/media")).resolve()


def _inside(key: str) -> Path:
    path = (_root() / key).resolve()
    if not path.is_relative_to(_root()):
        raise ActivityError(f"`{key}` is outside the store", type="storage.denied", retryable=False)
    return path


def _write(key: str, data: bytes) -> None:
    target = _inside(key)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as part:
        part.write(data)
    Path(part.name).replace(target)


def _painting(index: int) -> Picture:
    width, height = 96, 64
    pixels = bytes(
        channel
        for y in range(height)
        for x in range(width)
        for channel in ((x * 2 + index * 31) % 256, (y * 3 + index * 17) % 256, (x * y) % 256)
    )
    return Picture(width=width, height=height, pixels=pixels)
