"""The one module of gitops that touches the disk: bounded reads, atomic writes, one folder.

Rule 1: everything is named relative to a root and walked one component at a time with
`O_NOFOLLOW`; a symbolic link or `..` on the way is refused, so nothing outside is read or written.
Rule 2: a file is written beside its place, synced and renamed over it: whoever reads sees the old
bytes or the new ones, and a crash leaves one of the two.
Rule 3: who reads, thinks and writes holds the folder (`held`) meanwhile, so that two releases at
the same time lose no line. The kernel lets go of it when the process ends.
Rule 4: what is read has a size limit, checked before reading.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from engine.gitops.refusals import OutsideFolder, UnknownTarget

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LOCK_BYTES: Final = 32 << 20
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def read_bytes(root: Path, inner: str, *, limit: int) -> bytes | None:
    """The bytes of a file below `root`; None when nothing stands there.

    Raises:
        OutsideFolder: a link stands on the way, or the path leads out.
        UnknownTarget: it is no regular file, or over the limit.
    """
    try:
        with _parent(root, inner, make=False) as (folder, name):
            return _drain(os.open(name, _FILE, dir_fd=folder), root / inner, limit)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _refused(root, inner, error) from error


def write_bytes(root: Path, inner: str, data: bytes) -> None:
    """Put a file in its place below `root`, making the folders on the way.

    Raises:
        OutsideFolder: a link stands on the way or in its place, or the path leads out.
        OSError: the disk refused; the old file is as it was.
    """
    try:
        with _parent(root, inner, make=True) as (folder, name):
            _refuse_link(folder, name, root / inner)
            _replace(folder, name, data)
    except NotADirectoryError as error:
        raise _refused(root, inner, error) from error


@contextmanager
def held(root: Path) -> Iterator[None]:
    """Hold a folder alone; waits for whoever else does."""
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def files_below(root: Path, inner: str, suffixes: tuple[str, ...]) -> list[str]:
    """The files of a folder below `root`, as paths from `root`, sorted; links are not followed."""
    start = root / inner
    if start.is_symlink():
        raise _link(start)
    return sorted(
        (Path(folder) / name).relative_to(root).as_posix()
        for folder, _, names in os.walk(start, followlinks=False)
        for name in names
        if name.endswith(suffixes)
    )


@contextmanager
def _parent(root: Path, inner: str, *, make: bool) -> Iterator[tuple[int, str]]:
    """The open folder that a path stands in, and the path's last part."""
    *folders, name = _parts(root, inner)
    here = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for folder in folders:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(folder, dir_fd=here)
            below = os.open(folder, _FOLDER, dir_fd=here)
            os.close(here)
            here = below
        yield here, name
    finally:
        os.close(here)


def _parts(root: Path, inner: str) -> tuple[str, ...]:
    path = PurePosixPath(inner)
    if path.is_absolute() or not path.parts or ".." in path.parts or "\0" in inner:
        raise OutsideFolder(f"`{inner}` leads out of `{root}`")
    return path.parts


def _refuse_link(folder: int, name: str, path: Path) -> None:
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return
    if stat.S_ISLNK(found.st_mode):
        raise _link(path)


def _replace(folder: int, name: str, data: bytes) -> None:
    beside = f".{name}.{secrets.token_hex(6)}.tmp"
    mode = _mode(folder, name)  # an existing file keeps its own, whatever the umask
    try:
        descriptor = os.open(beside, _NEW, 0o666, dir_fd=folder)
        try:
            if mode is not None:
                os.fchmod(descriptor, mode)
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(beside, dir_fd=folder)
        raise
    os.fsync(folder)


def _mode(folder: int, name: str) -> int | None:
    try:
        return stat.S_IMODE(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return None


def _drain(descriptor: int, path: Path, limit: int) -> bytes:
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UnknownTarget(f"`{path}` is not a regular file")
        data = stream.read(limit + 1)  # one more than allowed: the file may be growing
        if len(data) > limit:
            raise UnknownTarget(f"`{path}` has more than {limit:,} bytes, which is the most")
        return data


def _refused(root: Path, inner: str, error: OSError) -> OutsideFolder | UnknownTarget:
    # O_NOFOLLOW says ELOOP or ENOTDIR of a link; so may other things, hence the look.
    path = root
    for part in PurePosixPath(inner).parts:
        path /= part
        if path.is_symlink():
            return _link(path)
    return UnknownTarget(f"`{path}` cannot be used: {error.strerror or error}")


def _link(path: Path) -> OutsideFolder:
    return OutsideFolder(
        f"`{path}` is, or stands behind, a symbolic link",
        hint="frozen files and the lock are plain files inside the workflow folder",
    )
