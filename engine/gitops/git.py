"""Asking git, without letting the repository do anything.

Owns how git is called: only commands that read objects, with an environment of our own.

Rule 1: nothing of the repository runs. No hook, no fsmonitor, no filter, no pager, no transport:
`cat-file` and `ls-tree` read objects as they are, and a missing one is not fetched (a partial
clone's configuration may name `ext::` commands to fetch with).
Rule 2: what comes out is bounded in number, bytes and time. Links and submodules are passed over.
Rule 3: a name from outside is never an option: it stands behind `--end-of-options`.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path, PurePosixPath
from typing import Final

import msgspec

from engine.gitops.files import write_bytes
from engine.gitops.refusals import GitUnavailable, UnknownTarget

TIMEOUT_SECONDS: Final = 30
MAX_FILES: Final = 20_000
MAX_TREE_BYTES: Final = 128 << 20
MAX_LISTING_BYTES: Final = 32 << 20

# The command line beats the repository's own configuration; the names of the settings are git's.
_SETTINGS: Final = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.pager=cat",
    "core.sshCommand=false",
    "core.quotePath=false",
    "protocol.allow=never",
    "protocol.ext.allow=never",
    "submodule.recurse=false",
    # Whose repository it is matters to what git would run, and it runs nothing.
    "safe.directory=*",
)
_ENVIRONMENT: Final = {
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_ASKPASS": "/bin/false",
}


class Blob(msgspec.Struct, frozen=True):
    """One regular file of a commit; `path` counts from the top of the repository."""

    path: str
    id: str
    size: int


class Repository:
    """A git repository to read from. `prefix` is the asked folder's path below its top."""

    def __init__(self, folder: Path) -> None:
        """Find the repository that a folder is in.

        Raises:
            UnknownTarget: it is in none.
            GitUnavailable: git is not there or does not answer.
        """
        self._folder = folder
        shown = self._git("rev-parse", "--show-prefix")
        if shown is None:
            raise UnknownTarget(f"`{folder}` is not in a git repository")
        self.prefix = shown.decode("utf-8", "surrogateescape").rstrip("\n")

    def commit(self, ref: str) -> str | None:
        """The commit that a name means; None for `HEAD` of a repository without commits.

        Raises:
            UnknownTarget: it means none.
        """
        found = self._resolve(ref)
        if found is None and ref == "HEAD":
            return None
        if found is None:
            raise UnknownTarget(
                f"git knows no commit `{ref}`", hint="fetch it first; a shallow clone may lack it"
            )
        return found

    def read(self, commit: str, path: str, *, limit: int) -> bytes | None:
        """The bytes of a file of a commit; None when it is not there. `path` counts from the top.

        Raises:
            UnknownTarget: it is no regular file, or over the limit.
        """
        blobs = [blob for blob in self._list(commit, path) if blob.path == path]
        if not blobs:
            return None
        if blobs[0].size > limit:
            raise UnknownTarget(f"`{path}` has more than {limit:,} bytes, which is the most")
        return self._must("cat-file", "blob", blobs[0].id)

    def export(self, commit: str, path: str, into: Path, *, suffixes: tuple[str, ...]) -> list[str]:
        """Write the files of a folder of a commit below `into`; their paths from the folder.

        Raises:
            UnknownTarget: there are too many files or bytes.
        """
        folder = PurePosixPath(path)
        blobs = [blob for blob in self._list(commit, path) if blob.path.endswith(suffixes)]
        if len(blobs) > MAX_FILES or sum(blob.size for blob in blobs) > MAX_TREE_BYTES:
            raise UnknownTarget(
                f"`{path or '.'}` at {commit[:12]} is too large: at most {MAX_FILES:,} files with "
                f"{MAX_TREE_BYTES:,} bytes are read"
            )
        written: list[str] = []
        for blob, data in zip(blobs, self._contents(blobs), strict=True):
            inner = PurePosixPath(blob.path).relative_to(folder).as_posix()
            write_bytes(into, inner, data)
            written.append(inner)
        return written

    def _resolve(self, ref: str) -> str | None:
        if "\0" in ref:
            return None
        found = self._git(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"
        )
        return None if found is None else found.decode().strip()

    def _list(self, commit: str, path: str) -> list[Blob]:
        where = [f":(top,literal){path}"] if path else []
        listing = self._must("ls-tree", "-r", "-l", "-z", "--full-tree", commit, "--", *where)
        if len(listing) > MAX_LISTING_BYTES:
            raise UnknownTarget(f"commit {commit[:12]} has too many files")
        blobs: list[Blob] = []
        for row in listing.split(b"\0")[:-1]:
            head, _, name = row.partition(b"\t")
            mode, *rest = head.split()
            if mode in (b"100644", b"100755"):  # neither links (120000) nor submodules (160000)
                _, identity, size = rest
                if not size.isdigit():
                    raise GitUnavailable(
                        f"the repository lacks an object of commit {commit[:12]}",
                        hint="fetch it; nothing is fetched from here",
                    )
                path = name.decode("utf-8", "surrogateescape")
                blobs.append(Blob(path, identity.decode(), int(size)))
        return blobs

    def _contents(self, blobs: list[Blob]) -> list[bytes]:
        """All contents by one process."""
        asked = "".join(f"{blob.id}\n" for blob in blobs).encode()
        answer = self._must("cat-file", "--batch", given=asked)
        contents: list[bytes] = []
        position = 0
        for blob in blobs:
            start = answer.index(b"\n", position) + 1
            contents.append(answer[start : start + blob.size])
            position = start + blob.size + 1
        return contents

    def _must(self, *words: str, given: bytes | None = None) -> bytes:
        answer = self._git(*words, given=given)
        if answer is None:
            raise GitUnavailable(f"`git {words[0]}` failed in `{self._folder}`")
        return answer

    def _git(self, *words: str, given: bytes | None = None) -> bytes | None:
        program = shutil.which("git")
        if program is None:
            raise GitUnavailable("git is not installed")
        settings = [part for setting in _SETTINGS for part in ("-c", setting)]
        try:
            done = subprocess.run(  # noqa: S603 - every word is ours or behind --end-of-options
                [program, "--no-pager", *settings, "-C", str(self._folder), *words],
                input=given if given is not None else b"",
                capture_output=True,
                env=_ENVIRONMENT,
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise GitUnavailable(f"git did not answer in {TIMEOUT_SECONDS} s") from error
        except OSError as error:
            raise GitUnavailable(f"git cannot be run: {error}") from error
        return done.stdout if done.returncode == 0 else None
