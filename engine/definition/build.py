"""A file or a text as a `Document`, with everything there is to say about it.

The order: source, parse, schema, embedded JSON Schemas. Never raises for bad input.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine.definition.diagnostic import Diagnostic, Report
from engine.definition.document import Document, Mapping, Scalar
from engine.definition.folder import check_name, workflow_folder
from engine.definition.parse import parse
from engine.definition.references import check_schemas
from engine.definition.schema import check
from engine.definition.source import Source, decode, read_file


class Loaded(msgspec.Struct, frozen=True):
    """What reading a file gave: a document, or the reasons why there is none.

    `root` is the tree as far as it could be read, for those who can tell more about it.
    """

    document: Document | None
    diagnostics: tuple[Diagnostic, ...]
    root: Mapping | None = None


def load_file(path: str | Path, *, root: Path | None = None) -> Loaded:
    """Read a workflow file. `root` confines it and its `$ref`s; left out, it is looked for."""
    report = Report(str(path))
    source = read_file(Path(path), report, root=root)
    return _load(source, report, path=Path(path), root=root)


def load_text(text: bytes | str, *, file: str = "<text>", root: Path | None = None) -> Loaded:
    """Read a workflow from memory. Without a `root`, a `$ref` to a file cannot be followed."""
    report = Report(file)
    return _load(decode(text, report), report, path=None, root=root)


def _load(source: Source | None, report: Report, *, path: Path | None, root: Path | None) -> Loaded:
    tree = parse(source, report) if source is not None else None
    if source is None or tree is None:
        return Loaded(None, report.sorted())
    found = check(tree, report)
    folder = workflow_folder(path, root)
    if path is not None and folder is not None and found.root is not None:
        check_name(found.root, path, folder, report)
    referenced = check_schemas(found.schemas, folder, report)
    findings = (*report.sorted(), *referenced.diagnostics)
    if findings or found.root is None:
        return Loaded(None, findings, found.root)
    return Loaded(
        Document(
            file=report.file,
            source=source.raw,
            root=found.root,
            name=_text(found.root, "name"),
            version=_text(found.root, "version"),
            referenced=referenced.documents,
        ),
        (),
    )


def _text(root: Mapping, key: str) -> str:
    node = root.get(key)
    return node.text if isinstance(node, Scalar) else ""
