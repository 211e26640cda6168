"""The lock file `workflows.lock`: which releases there are, one line each. Pure text.

::

    # lockstep lock, format 1. Written by `lockstep release`; check it in, do not edit it.
    billing/order 1.2.0 revision=… source=… input=… output=… signals=- dsl=1 semantics=1

`revision` is the digest of what the release means, `source` that of the frozen file's bytes;
`input`, `output`, `signals` are those of the contract's parts, `-` where there is none. All are
SHA-256, 64 hexadecimal digits.

Rule 1: a line says all there is about one release, so two branches touch the same line only when
they release the same version of the same workflow.
Rule 2: lines are in the order of name and version when written. Reading takes any order, for a
merge may leave another; `unsorted` says so.
Rule 3: a name and version stand once. The commit is not in the line: `git blame` knows it, and a
release reads the same in every repository it is promoted to.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from engine.definition.literals import WORKFLOW_NAME
from engine.gitops.refusals import LockUnreadable
from engine.interpreter.semantics import CURRENT
from engine.values.digest import canonical_json, digest
from engine.values.version import Version, VersionError, parse_version

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.graph.steps import StepGraph
    from engine.values.json import Json

LOCK_NAME: Final = "workflows.lock"
FORMAT: Final = 1
MAX_ENTRIES: Final = 50_000
MAX_NAME: Final = 200

_HEADER = re.compile(r"# lockstep lock, format ([0-9]{1,6})\b.*")
_HEADER_TEXT: Final = (
    f"# lockstep lock, format {FORMAT}. Written by `lockstep release`; check it in, do not edit it."
)
_DIGEST = re.compile(r"[0-9a-f]{64}")
_COUNT = re.compile(r"[1-9][0-9]{0,5}")
_NONE: Final = "-"
_RESTORE: Final = "take the line from the base branch; `lockstep release` writes new ones"


class Contract(msgspec.Struct, frozen=True):
    """The digests of what callers rely on; None where the workflow declares nothing."""

    input: str | None
    output: str | None
    signals: str | None


class LockEntry(msgspec.Struct, frozen=True):
    """One release."""

    name: str
    version: str
    revision: str
    source: str
    contract: Contract
    dsl: int
    semantics: int

    @property
    def key(self) -> tuple[str, str]:
        """What there is only one of."""
        return self.name, self.version

    @property
    def order(self) -> tuple[str, Version]:
        """Where its line stands."""
        return self.name, parse_version(self.version)

    @property
    def line(self) -> str:
        """The line, without its newline."""
        fields = {
            "revision": self.revision,
            "source": self.source,
            "input": self.contract.input or _NONE,
            "output": self.contract.output or _NONE,
            "signals": self.contract.signals or _NONE,
            "dsl": self.dsl,
            "semantics": self.semantics,
        }
        return " ".join([self.name, self.version, *(f"{k}={v}" for k, v in fields.items())])


class Lock(msgspec.Struct, frozen=True):
    """A lock file that was read.

    `lines` says where each release stands; `unsorted` is the first line before its turn, or None.
    """

    entries: dict[tuple[str, str], LockEntry] = {}
    lines: dict[tuple[str, str], int] = {}
    unsorted: int | None = None

    def of(self, name: str) -> list[LockEntry]:
        """The releases of a workflow, lowest version first."""
        found = [entry for entry in self.entries.values() if entry.name == name]
        return sorted(found, key=lambda entry: entry.order)

    def with_entry(self, entry: LockEntry) -> Lock:
        """The lock with one release more (or another in its place)."""
        return Lock({**self.entries, entry.key: entry})


def entry_of(graph: StepGraph, *, version: str, revision: str, source: bytes) -> LockEntry:
    """The line of a frozen file, from what it compiled to and from its bytes."""
    return LockEntry(
        name=graph.name,
        version=version,
        revision=revision,
        source=digest(source),
        contract=contract_of(graph),
        dsl=graph.dsl,
        semantics=CURRENT,
    )


def contract_of(graph: StepGraph) -> Contract:
    """The digests of a graph's contract."""
    signals: dict[str, Json] = {
        name: declared.payload_schema for name, declared in graph.signals.items()
    }
    return Contract(
        input=_digest(graph.input_schema),
        output=_digest(graph.output_schema),
        signals=_digest(signals) if signals else None,
    )


def _digest(value: Json) -> str | None:
    return None if value is None else digest(canonical_json(value))


def write_lock(entries: Iterable[LockEntry]) -> str:
    """The text of a lock file; the same entries give the same text."""
    ordered = sorted(entries, key=lambda entry: entry.order)
    return "\n".join([_HEADER_TEXT, *(entry.line for entry in ordered), ""])


def parse_lock(text: str, *, file: str = LOCK_NAME) -> Lock:
    """Read a lock file. Empty lines and comments behind the header are passed over.

    Raises:
        LockUnreadable: a line is not one of a lock, or a release stands twice.
    """
    rows = text.removeprefix("\ufeff").split("\n")
    if not text.strip():
        return Lock()
    _check_header(rows[0].rstrip("\r"), file)
    entries: dict[tuple[str, str], LockEntry] = {}
    lines: dict[tuple[str, str], int] = {}
    unsorted: int | None = None
    last: LockEntry | None = None
    for number, row in enumerate(rows[1:], 2):
        line = row.rstrip("\r")
        if not line.strip() or line.startswith("#"):
            continue
        if len(entries) >= MAX_ENTRIES:
            raise _bad(file, number, f"there are more than {MAX_ENTRIES:,} releases")
        entry = _entry(line, file, number)
        if entry.key in entries:
            _refuse_twice(entry, entries[entry.key], file, number, lines[entry.key])
        if last is not None and entry.order < last.order and unsorted is None:
            unsorted = number
        entries[entry.key] = last = entry
        lines[entry.key] = number
    return Lock(entries, lines, unsorted)


def _check_header(line: str, file: str) -> None:
    header = _HEADER.fullmatch(line)
    if header is None:
        raise _bad(file, 1, "a lock file begins with `# lockstep lock, format 1`")
    if int(header[1]) != FORMAT:
        raise LockUnreadable(
            file,
            1,
            f"the lock has format {header[1]}; this lockstep reads format {FORMAT}",
            mend="use the lockstep that wrote it, or a newer one",
        )


def _entry(line: str, file: str, number: int) -> LockEntry:
    if line.startswith(("<<<<<<<", "=======", ">>>>>>>", "|||||||")):
        raise LockUnreadable(
            file,
            number,
            "a merge was not finished here",
            mend="keep the lines of both sides; two lines for one version mean that one of the two "
            "branches must `lockstep bump`",
        )
    name, _, rest = line.partition(" ")
    version, _, rest = rest.partition(" ")
    if len(name) > MAX_NAME or not WORKFLOW_NAME.fullmatch(name):
        raise _bad(file, number, f"`{name[:60]}` is not the name of a workflow")
    _check_version(version, file, number)
    fields = _fields(rest, file, number)
    return LockEntry(
        name=name,
        version=version,
        revision=fields["revision"],
        source=fields["source"],
        contract=Contract(*(_optional(fields[key]) for key in ("input", "output", "signals"))),
        dsl=int(fields["dsl"]),
        semantics=int(fields["semantics"]),
    )


# What each field looks like; the order is that of the line.
_FIELDS: Final = {
    "revision": (_DIGEST, False),
    "source": (_DIGEST, False),
    "input": (_DIGEST, True),
    "output": (_DIGEST, True),
    "signals": (_DIGEST, True),
    "dsl": (_COUNT, False),
    "semantics": (_COUNT, False),
}


def _fields(text: str, file: str, number: int) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split(" ")]
    names = [name for name, _, _ in pairs]
    if names != list(_FIELDS):
        raise _bad(file, number, f"the fields of a line are {', '.join(_FIELDS)}, in this order")
    fields = {name: value for name, _, value in pairs}
    for name, (form, optional) in _FIELDS.items():
        value = fields[name]
        if not form.fullmatch(value) and not (optional and value == _NONE):
            what = "a SHA-256 digest" if form is _DIGEST else "a whole number"
            raise _bad(file, number, f"`{name}={value[:70]}` is not {what}")
    return fields


def _check_version(text: str, file: str, number: int) -> None:
    try:
        version = parse_version(text)
    except VersionError as error:
        raise _bad(file, number, str(error)) from error
    if version.build is not None:
        raise _bad(file, number, f"the version `{text}` has build metadata, which never counts")


def _refuse_twice(entry: LockEntry, other: LockEntry, file: str, number: int, there: int) -> None:
    same = "with the same revision" if entry.revision == other.revision else "with two revisions"
    raise LockUnreadable(
        file,
        number,
        f"`{entry.name}` {entry.version} stands in line {there} already, {same}",
        mend="keep the line of the base branch; "
        f"the other branch needs a version of its own (`lockstep bump {entry.name}`)",
    )


def _optional(value: str) -> str | None:
    return None if value == _NONE else value


def _bad(file: str, number: int, problem: str) -> LockUnreadable:
    return LockUnreadable(file, number, problem, mend=_RESTORE)
