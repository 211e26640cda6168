"""JSON Schemas that stand in a workflow file, and the files they refer to.

Owns E110 and E111: every schema reached from the workflow, in whatever file, has sound keywords;
every `$ref` leads to one, inside the workflow root; every `default` fits the schema it stands in.

Rule 1: a `$ref` is a path, a JSON pointer behind `#`, or both. The path counts from the workflow
folder when it stands in a workflow, and from its own folder when it stands in a schema file. No
URL is fetched; what is read is confined to the root by `source`.
Rule 2: schemas may refer to themselves, but a value must be consumed on the way round: a circle of
`$ref`, `allOf` and their like alone would be checked for ever.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

import msgspec

from engine.definition.defaults import DefaultCheck
from engine.definition.diagnostic import Diagnostic, Report
from engine.definition.document import Mapping, Node, Scalar, Sequence, to_json
from engine.definition.json_schema_keywords import IN_PLACE, check_keywords, subschemas
from engine.definition.parse import parse
from engine.definition.source import Source, read_file
from engine.definition.wording import shorten
from engine.values.json import Json

if TYPE_CHECKING:
    from engine.definition.folder import Folder
    from engine.definition.schema import SchemaNode

MAX_FILES: Final = 100
MAX_IN_PLACE: Final = 1_000
MAX_CHAIN: Final = 100
MAX_WORK: Final = 1_000_000

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class Referenced(msgspec.Struct, frozen=True):
    """The files that schemas refer to, and what was found in them."""

    documents: dict[str, Json]
    diagnostics: tuple[Diagnostic, ...]


class _Document:
    """A schema with a root of its own: one of the workflow's, or a file's."""

    def __init__(self, root: Node, path: str | None, report: Report) -> None:
        self.root = root
        self.path = path
        self.report = report
        self.targets: dict[int, tuple[_Document, Node]] = {}  # id of a schema -> what it refers to
        self.paths: dict[str, str] = {}  # path as written in a `$ref` -> path below the folder


def check_schemas(
    schemas: tuple[SchemaNode, ...], folder: Folder | None, report: Report
) -> Referenced:
    """Check schemas and all they refer to; findings in the workflow file go to its report."""
    library = _Library(folder)
    written: dict[str, str] = {}
    for schema in schemas:
        document = _Document(schema.node, None, report)
        library.take(document)
        written |= document.paths
    fan = library.check_circles()
    if not report and not library.findings():
        library.check_defaults(fan)
    documents: dict[str, Json] = {
        path: _rewritten(document.root, document.paths, prefix="")
        for path, document in library.files.items()
        if document is not None
    }
    documents |= {text: documents[path] for text, path in written.items() if path in documents}
    return Referenced(documents, library.findings())


class _Library:
    def __init__(self, folder: Folder | None) -> None:
        self.folder = folder
        self.files: dict[str, _Document | None] = {}
        self.documents: list[_Document] = []

    def findings(self) -> tuple[Diagnostic, ...]:
        return tuple(
            one
            for document in self.documents
            if document.path is not None
            for one in document.report.sorted()
        )

    def take(self, document: _Document) -> None:
        """Check a document, and load and check those it refers to."""
        pending = [document]
        while pending:
            current = pending.pop()
            self.documents.append(current)
            for schema in _all_schemas(current.root):
                check_keywords(schema, current.report)
                if isinstance(schema, Mapping):
                    pending.extend(self._follow(current, schema))

    def _follow(self, document: _Document, schema: Mapping) -> list[_Document]:
        """Resolve the `$ref` of a schema; the documents that were loaded for it."""
        node = schema.get("$ref")
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return []
        path, _, fragment = node.value.partition("#")
        loaded: list[_Document] = []
        target: _Document | None = document
        if path:
            target, loaded = self._open(document, path, node)
            if target is None:
                return loaded
        found = _pointed(target.root, unquote(fragment)) if target is not None else None
        if target is None or found is None:
            where = f"`{target.path}`" if target is not None and target.path else "this schema"
            document.report.error(
                "E110",
                node.span,
                f"`$ref` points at nothing: `{shorten(fragment)}` is not in {where}",
                mend="write it like `#/$defs/<name>`",
            )
            return loaded
        document.targets[id(schema)] = (target, found)
        return loaded

    def _open(
        self, document: _Document, path: str, node: Scalar
    ) -> tuple[_Document | None, list[_Document]]:
        why = self._refusal(path)
        if why is not None or self.folder is None:
            document.report.error(
                "E110",
                node.span,
                f"`$ref: {shorten(path)}` cannot be followed",
                why=why or "a text without a folder has no files beside it",
                mend="write a path below the workflow folder, like `schemas/order.json`",
            )
            return None, []
        start = posixpath.dirname(document.path) if document.path is not None else ""
        normal = posixpath.normpath(posixpath.join(start, path))
        document.paths[path] = normal
        if normal in self.files:
            return self.files[normal], []
        loaded = self._load(self.folder, normal, document, node)
        self.files[normal] = loaded
        return loaded, [loaded] if loaded is not None else []

    def _refusal(self, path: str) -> str | None:
        if _SCHEME.match(path):
            return "no URL is ever fetched"
        if path.startswith("/") or "\\" in path:
            return "the path must be relative, with `/` between its parts"
        if len(self.files) >= MAX_FILES:
            return f"a workflow refers to at most {MAX_FILES} files"
        return None

    def _load(
        self, folder: Folder, path: str, document: _Document, node: Scalar
    ) -> _Document | None:
        report = Report(str(folder.base / path))
        source = read_file(folder.base / path, report, root=folder.root)
        tree = None
        if source is not None:
            if path.endswith(".json"):
                # JSON may be indented with tabs; inside its strings they cannot stand.
                source = Source(source.file, source.raw, source.text.replace("\t", " "))
            tree = parse(source, report)
        if tree is None:
            first = report.sorted()[0]
            document.report.error(
                "E110",
                node.span,
                f"`$ref: {shorten(node.text)}` cannot be followed",
                why=f"{first.file}:{first.span.line}:{first.span.column}: {first.what}",
                mend=first.mend,
            )
            return None
        return _Document(tree, path, report)

    def check_circles(self) -> int:
        """Note schemas that lead back to themselves without consuming a value, or explode.

        Gives the largest number of schemas that look at one value.
        """
        circles = _Circles()
        return max(
            (
                circles.size(document, schema, ())
                for document in self.documents
                for schema in _all_schemas(document.root)
            ),
            default=1,
        )

    def check_defaults(self, fan: int) -> None:
        """Note defaults that do not fit. Only for schemas that are sound.

        A value inside a value may be looked at `fan` times as often as the outer one, so the work
        is bounded by `fan` to the height of the default; what is over the limit is refused unseen.
        """
        work = 0
        resources: dict[str, Json] = {
            path: _rewritten(document.root, document.paths, prefix="schema:")
            for path, document in self.files.items()
            if document is not None
        }
        for document in self.documents:
            whole = _rewritten(document.root, document.paths, prefix="schema:")
            defaults = DefaultCheck(whole, resources, document.report)
            for pointer, schema in _with_pointers(document.root):
                default = schema.entry("default") if isinstance(schema, Mapping) else None
                if default is None:
                    continue
                size, height = _extent(default.value)
                work += size * fan**height
                if work > MAX_WORK:
                    document.report.error(
                        "E109",
                        default.key.span,
                        "checking this default against its schema would take too long",
                        mend="make the default smaller, or the `anyOf`s of the schema fewer",
                    )
                    return
                defaults.check(default, pointer)


class _Circles:
    """Depth-first over in-place steps; sizes are remembered, so shared parts cost nothing."""

    def __init__(self) -> None:
        self._sizes: dict[int, int] = {}
        self._over = False  # a limit is told once; it shows up in everything above

    def size(self, document: _Document, schema: Node, above: tuple[int, ...]) -> int:
        """How many schemas look at one value when this one does."""
        if not isinstance(schema, Mapping):
            return 1
        known = self._sizes.get(id(schema))
        if known is not None:
            return known
        if id(schema) in above or len(above) > MAX_CHAIN:
            self._circle(document, schema, again=id(schema) in above)
            return 1
        inner = (*above, id(schema))
        total = 1
        for keyword, part in subschemas(schema):
            if keyword in IN_PLACE:
                total += self.size(document, part, inner)
        target = document.targets.get(id(schema))
        if target is not None:
            total += self.size(*target, inner)
        self._sizes[id(schema)] = min(total, MAX_IN_PLACE + 1)
        if total > MAX_IN_PLACE and not self._over:
            self._over = True
            document.report.error(
                "E109",
                schema.entries[0].key.span,
                f"more than {MAX_IN_PLACE:,} schemas would look at one value here",
                mend="refer to shared parts from properties rather than from `anyOf` in `anyOf`",
            )
        return self._sizes[id(schema)]

    def _circle(self, document: _Document, schema: Mapping, *, again: bool) -> None:
        if not again and self._over:
            return
        self._over = self._over or not again
        document.report.error(
            "E110",
            schema.entries[0].key.span,
            "this schema refers back to itself" if again else "`$ref`s are chained too far",
            why="checking a value would never end: no property or item is entered on the way"
            if again
            else f"at most {MAX_CHAIN} schemas may stand behind one another",
            mend="refer to it from inside `properties` or `items`" if again else None,
        )


def _all_schemas(root: Node) -> list[Node]:
    found = [root]
    for schema in found:
        if isinstance(schema, Mapping):
            found.extend(part for _, part in subschemas(schema))
    return found


def _with_pointers(node: Node, pointer: str = "") -> list[tuple[str, Node]]:
    """Every schema of a document with its JSON pointer."""
    found = [(pointer, node)]
    if not isinstance(node, Mapping):
        return found
    inside = {id(part) for _, part in subschemas(node)}
    for entry in node.entries:
        here = f"{pointer}/{_escaped(entry.key.text)}"
        value = entry.value
        if id(value) in inside:
            found += _with_pointers(value, here)
        elif isinstance(value, Sequence):
            for index, item in enumerate(value.items):
                if id(item) in inside:
                    found += _with_pointers(item, f"{here}/{index}")
        elif isinstance(value, Mapping):
            for inner in value.entries:
                if id(inner.value) in inside:
                    found += _with_pointers(inner.value, f"{here}/{_escaped(inner.key.text)}")
    return found


def _extent(node: Node) -> tuple[int, int]:
    """How many values a node holds, itself included, and how deep they stand."""
    parts: tuple[Node, ...] = ()
    if isinstance(node, Mapping):
        parts = tuple(entry.value for entry in node.entries)
    elif isinstance(node, Sequence):
        parts = node.items
    extents = [_extent(part) for part in parts]
    size = 1 + sum(size for size, _ in extents)
    return size, 1 + max((height for _, height in extents), default=0)


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _pointed(root: Node, pointer: str) -> Node | None:
    if not pointer:
        return root
    if not pointer.startswith("/"):
        return None
    node: Node | None = root
    for part in pointer[1:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(node, Mapping):
            node = node.get(key)
        elif isinstance(node, Sequence) and re.fullmatch("[0-9]{1,5}", key):
            node = node.items[int(key)] if int(key) < len(node.items) else None
        else:
            return None
    return node


def _rewritten(schema: Node, paths: dict[str, str], *, prefix: str) -> Json:
    """A schema as JSON, the paths of its `$ref`s counted from the workflow folder."""
    data = to_json(schema)
    if not paths and not prefix:
        return data
    for part in _schemas_of_json(data):
        if prefix:
            for name in ("$id", "$anchor", "$schema"):
                if isinstance(part.get(name), str):
                    del part[name]
        reference = part.get("$ref")
        if isinstance(reference, str):
            path, mark, fragment = reference.partition("#")
            if path in paths:
                part["$ref"] = f"{prefix}{paths[path]}{mark}{fragment}"
    return data


def _schemas_of_json(data: Json) -> list[dict[str, Json]]:
    # A property named `$ref` maps to a schema, a reference to text: they cannot be mistaken. Data
    # under `default`, `const`, `enum` and `examples` is left alone.
    found: list[dict[str, Json]] = []
    pending = [data]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            found.append(value)
            pending += [
                inner
                for key, inner in value.items()
                if key not in ("default", "const", "enum", "examples") or isinstance(inner, dict)
            ]
        elif isinstance(value, list):
            pending += value
    return found
