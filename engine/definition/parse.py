"""Source text to located tree, from the event stream of ruamel.yaml.

Owns the limits, the meaning of scalars, keys, aliases and places. Must not know workflows. ruamel
only cuts the text into events; its constructor, resolver and merge key are never used.

Rule 1: work is bounded before it is done. Flow nesting is capped inside the scanner, because
ruamel looks ahead up to 1,024 characters before it hands out the first event; everything else is
capped at the events. An alias shares the node it names but costs its full size and depth.
Rule 2: what can be understood in spite of an error is kept (duplicate keys, tags, merge keys), so
that one run shows all findings. Only broken syntax and limits end the reading.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.scanner import Scanner

from engine.definition.core_schema import NotJson, resolve
from engine.definition.document import Entry, Mapping, Node, Scalar, ScalarStyle, Sequence, Span
from engine.definition.places import Lines, runs_of, scalar_end
from engine.definition.source import START, Source
from engine.definition.syntax import check_tabs, explain, lost_comment
from engine.definition.wording import shorten

if TYPE_CHECKING:
    from engine.definition.diagnostic import Report

MAX_DEPTH: Final = 100
MAX_NODES: Final = 50_000

_STYLES: Final[dict[str | None, ScalarStyle]] = {
    None: "plain",
    "": "plain",
    "'": "single",
    '"': "double",
    "|": "literal",
    ">": "folded",
}
_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*(?:\s|#[^\n]*(?=\n))+)+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BEYOND_UNICODE = re.compile(r"\\U(?!000|0010)[0-9A-Fa-f]{8}")
_TAG = re.compile(r"![^\s,\[\]{}]*")
_TAGGED_TEXT = re.compile(r"!!str\s+\Z")
_EMPTY_BEHIND = re.compile(r"\s*(?:#[^\n]*\n\s*)*[:?,-]")
_DIRECTIVE = re.compile(r"%(\S*)[ \t]*(\S*)[^\n]*")


class _Stop(Exception):
    """Nothing after this place can be read; the reason is in the report."""


def parse(source: Source, report: Report) -> Node | None:
    """The tree of the file's one document; None when there is none, the reason being reported."""
    lines = Lines(source.text)
    builder = _Builder(lines, report)
    try:
        for event in _events(lines, report):
            builder.take(event)
    except _Stop:
        return None
    except YAMLError as error:
        explain(error, lines, report)
        return None
    except (ValueError, OverflowError):
        # ruamel hands the number of an escape to `chr` as it is.
        escape = _BEYOND_UNICODE.search(source.text)
        if escape is None:
            raise
        report.error(
            "E101", lines.span(*escape.span()), "no character has this number", mend="delete it"
        )
        return None
    check_tabs(lines, builder.shielded, report)
    if builder.root is None:
        report.error("E112", START, "the file is empty", mend="begin with `dsl: 1`")
    return builder.root


def _events(lines: Lines, report: Report) -> Any:
    yaml = YAML(typ="safe", pure=True)

    class BoundedScanner(_Scanner):
        pass

    BoundedScanner.lines = lines
    BoundedScanner.report = report
    yaml.Scanner = BoundedScanner
    return yaml.parse(lines.text)


class _Scanner(Scanner):
    """ruamel's scanner with three doors closed: deep flow style, tags and directives."""

    lines: Lines
    report: Report

    def fetch_flow_collection_start(self, token_class: Any, to_push: str) -> None:
        if len(self.flow_context) >= MAX_DEPTH:
            _refuse_depth(self.report, self._here(1))
        super().fetch_flow_collection_start(token_class, to_push)

    def fetch_tag(self) -> None:
        """Report a tag and go on as if it were not there; scanning a long one takes seconds."""
        match = _TAG.match(self.lines.text, self.reader.index)
        assert match is not None
        shown = shorten(match[0])
        self.report.error(
            "E107",
            self._here(len(match[0])),
            f"the tag `{shown}` is not allowed",
            why="a workflow file is plain data; tags would let it make other things",
            mend="delete the tag; quote the value if it should be text",
        )
        self.save_possible_simple_key()
        self.allow_simple_key = False
        self.reader.forward(len(match[0]))

    def fetch_directive(self) -> None:
        match = _DIRECTIVE.match(self.lines.text, self.reader.index)
        assert match is not None
        if match[1] == "TAG":
            self.report.error(
                "E107", self._here(len(match[0])), "`%TAG` is not allowed", mend="delete this line"
            )
            raise _Stop
        if match[1] != "YAML" or match[2] != "1.2":
            self.report.error(
                "E101",
                self._here(len(match[0])),
                f"the directive `{shorten(match[0])}` is not allowed",
                why="workflow files are YAML 1.2",
                mend="delete this line",
            )
            raise _Stop
        super().fetch_directive()

    def _here(self, length: int) -> Span:
        index = self.reader.index
        return self.lines.span(index, index + length)


class _Frame:
    """A collection that is being read. `size` and `height` count aliases in full."""

    __slots__ = (
        "anchor",
        "entries",
        "first",
        "flow",
        "height",
        "instead",
        "items",
        "key",
        "size",
        "start",
    )

    def __init__(self, event: Any, *, mapping: bool) -> None:
        self.anchor: str | None = event.anchor
        self.flow: bool = bool(event.flow_style)
        self.start: int = event.start_mark.index
        self.items: list[Node] = []
        self.entries: list[Entry] | None = [] if mapping else None
        self.first: dict[str, Scalar] = {}
        self.key: Node | None = None
        self.instead: Scalar | None = None  # what the author meant, when it was no mapping
        self.size = 1
        self.height = 1


class _Builder:
    """Folds events into a tree."""

    def __init__(self, lines: Lines, report: Report) -> None:
        self.lines = lines
        self.report = report
        self.root: Node | None = None
        self.shielded: list[tuple[int, int]] = []  # stretches in which a tab is content
        self._documents = 0
        self._nodes = 0
        self._last = 0  # where the event before this one ended
        self._open: list[_Frame] = []
        # Anchor -> node, its size, its height; None while its collection is still open.
        self._anchors: dict[str, tuple[Node, int, int] | None] = {}

    def take(self, event: Any) -> None:
        if isinstance(event, ScalarEvent):
            self._scalar(event)
        elif isinstance(event, (MappingStartEvent, SequenceStartEvent)):
            self._begin(event)
        elif isinstance(event, (MappingEndEvent, SequenceEndEvent)):
            self._end(event)
        elif isinstance(event, AliasEvent):
            self._alias(event)
        elif isinstance(event, DocumentStartEvent):
            self._document(event)
        self._last = event.end_mark.index

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            self.report.error(
                "E108",
                self._span(event),
                "a second document begins here",
                why="a file holds one workflow, so that its name and history are its own",
                mend="move what follows into a file of its own",
            )
            raise _Stop

    def _scalar(self, event: Any) -> None:
        style = _STYLES[event.style]
        start, text = event.start_mark.index, event.value
        if event.anchor is not None:
            start = self._behind_properties(start, event)
        if style == "plain" and not text:
            start = end = self._empty_place(start)
        else:
            end = scalar_end(self.lines.text, start, event.end_mark.index, style)
        if style != "plain":
            self.shielded.append((start, end))
        span = self.lines.span(start, end)
        if style == "double" and _SURROGATE.search(text):
            text = self._joined(text, span)
        value: bool | int | float | str | None = text
        before = self.lines.text[max(0, start - 40) : start]
        if style == "plain" and not _TAGGED_TEXT.search(before):
            try:
                value = resolve(text)
            except NotJson as error:
                self.report.error("E109", span, f"{error}", mend="quote it to keep it as text")
            lost_comment(self.lines, start, end, self.report)
        runs = runs_of(self.lines, start, end, style, text)
        self._count(1, 1, span)
        node = Scalar(value, text, style, span, runs)
        self._remember(event.anchor, node, 1, 1)
        self._place(node, 1, 1)

    def _empty_place(self, start: int) -> int:
        """The place behind the `:` or `-` of nothing; ruamel gives one behind a comment."""
        behind = _EMPTY_BEHIND.match(self.lines.text, self._last, start)
        return behind.end() if behind else start

    def _joined(self, text: str, span: Span) -> str:
        """Two escapes that JSON needs for one character become it; a lone half is an error."""
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self.report.error("E101", span, "a `\\u` escape here is half a character")
            raise _Stop from None

    def _behind_properties(self, start: int, event: Any) -> int:
        match = _PROPERTIES.match(self.lines.text, start)
        behind = match.end() if match else start
        return behind if event.value or event.style else event.end_mark.index

    def _begin(self, event: Any) -> None:
        self._count(1, 1, self._span(event))
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._open.append(_Frame(event, mapping=isinstance(event, MappingStartEvent)))

    def _end(self, event: Any) -> None:
        frame = self._open.pop()
        start = frame.start
        parts: list[Node] = frame.items
        if frame.entries is not None:
            parts = [entry.value for entry in frame.entries]
            if frame.entries and not frame.flow:
                key = frame.entries[0].key.span
                start_place = (key.line, key.column)
            else:
                start_place = self.lines.place(start)
        else:
            start_place = self.lines.place(start)
        end_place = self.lines.place(event.end_mark.index)
        if parts and (not frame.flow or event.end_mark.index == event.start_mark.index):
            # A block collection ends where its last part does, not where the next thing begins.
            last = parts[-1].span
            end_place = max((last.end_line, last.end_column), start_place)
        span = Span(*start_place, *max(start_place, end_place))
        node: Node = (
            Sequence(tuple(frame.items), span, frame.flow)
            if frame.entries is None
            else Mapping(tuple(frame.entries), span, frame.flow)
        )
        if frame.instead is not None:
            node = frame.instead
        self._remember(frame.anchor, node, frame.size, frame.height)
        self._place(node, frame.size, frame.height)

    def _alias(self, event: Any) -> None:
        span = self._span(event)
        name = event.anchor
        if name not in self._anchors:
            self.report.error(
                "E101",
                span,
                f"no anchor `&{shorten(name)}` stands before this alias",
                mend=f'quote the value if it is text: "*{shorten(name)}"',
            )
            raise _Stop
        found = self._anchors[name]
        if found is None:
            self.report.error("E109", span, f"the alias `*{shorten(name)}` holds itself")
            raise _Stop
        node, size, height = found
        self._count(size, height, span)
        self._place(node, size, height)

    def _place(self, node: Node, size: int, height: int) -> None:
        """Put a finished node where it belongs."""
        if not self._open:
            self.root = node
            return
        frame = self._open[-1]
        frame.size += size
        frame.height = max(frame.height, height + 1)
        if frame.entries is None:
            frame.items.append(node)
        elif frame.key is None:
            frame.key = node
        else:
            key, frame.key = frame.key, None
            self._entry(frame, frame.entries, key, node)

    def _entry(self, frame: _Frame, entries: list[Entry], key: Node, value: Node) -> None:
        if not isinstance(key, Scalar) or not isinstance(key.value, str):
            self._refuse_key(key, frame, value)
            return
        if key.text == "<<" and key.style == "plain":
            self.report.error(
                "E106",
                key.span,
                "the merge key `<<` is not allowed",
                why="YAML 1.2 has no merge key; which value wins would be a guess",
                mend="write the keys out, or alias the whole value",
            )
            return
        first = frame.first.setdefault(key.text, key)
        if first is not key:
            self.report.error(
                "E102",
                key.span,
                f"the key `{shorten(key.text)}` stands here a second time",
                why=f"the first is on line {first.span.line}",
                mend="delete one of them",
            )
            return
        entries.append(Entry(key, value))

    def _refuse_key(self, key: Node, frame: _Frame, value: Node) -> None:
        if isinstance(key, Mapping) and frame.flow and key.flow and not value_text(value):
            # `{{ x }}` is, to YAML, a mapping whose one key is the mapping {x: null}.
            inner = shorten(" ".join(key.keys())) or "…"
            span = Span(key.span.line, key.span.column - 1, key.span.line, key.span.column + 1)
            meant = f"${{{{ {inner} }}}}"
            frame.instead = Scalar(meant, meant, "plain", span)
            self.report.error(
                "E221", span, "`{{ }}` is not an expression here", mend=f"write `{meant}`"
            )
            return
        if isinstance(key, Scalar):
            shown = shorten(key.text) or "(empty)"
            self.report.error(
                "E112",
                key.span,
                f"the key `{shown}` is not text",
                mend=f'quote it: "{shorten(key.text)}":',
            )
            return
        self.report.error("E112", key.span, "a key is text, not a list or mapping")

    def _remember(self, anchor: str | None, node: Node, size: int, height: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = (node, size, height)

    def _count(self, size: int, height: int, span: Span) -> None:
        self._nodes += size
        if self._nodes > MAX_NODES:
            self.report.error(
                "E109",
                span,
                f"the document has more than {MAX_NODES:,} values, aliases written out",
                mend="move data out of the workflow, or split it into sub-workflows",
            )
            raise _Stop
        if len(self._open) + height > MAX_DEPTH:
            _refuse_depth(self.report, span)

    def _span(self, event: Any) -> Span:
        return self.lines.span(event.start_mark.index, event.end_mark.index)


def value_text(node: Node) -> str:
    """The text of a scalar, else something that is not empty."""
    return node.text if isinstance(node, Scalar) else "…"


def _refuse_depth(report: Report, span: Span) -> None:
    report.error(
        "E109",
        span,
        f"values are nested more than {MAX_DEPTH} deep",
        mend="move inner blocks into a sub-workflow",
    )
    raise _Stop
