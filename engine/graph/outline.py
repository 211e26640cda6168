"""The outline: the located tree of a document, seen as steps and the blocks that hold them.

Owns which keys of which step kind hold steps, and the ids and static paths of steps. It knows the
places in the file, never what an option means. `compile` and every check read the same outline.

Rule 1: a step's id is the author's, or `<kind>`, `<kind>_2`, … counted among the children of one
parent step, whichever of its blocks they stand in; so `<path of the parent>/<id>` is unique.
Rule 2: a generated id is never one that the author wrote anywhere in the file.
Rule 3: whatever cannot be read as steps is left out; that it stands there at all is found by the
definition's grammar.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from engine.definition.document import Document, Entry, Mapping, Node, Scalar, Sequence, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

Role: TypeAlias = Literal[
    "top", "body", "then", "else", "case", "branch", "catch", "finally", "compensate"
]

KINDS: Final[tuple[str, ...]] = (
    "activity",
    "workflow",
    "start",
    "set",
    "do",
    "if",
    "switch",
    "foreach",
    "while",
    "until",
    "parallel",
    "race",
    "try",
    "saga",
    "sleep",
    "wait",
    "signal",
    "raise",
    "return",
    "continue_as_new",
    "log",
    "status",
)
LEAVING: Final = frozenset({"raise", "return", "continue_as_new"})


@dataclass(frozen=True, eq=False)
class Block:
    """A list of steps. `node` is the mapping that carries it (clause, case, branch) if any."""

    role: Role
    name: str
    steps: tuple[Site, ...]
    span: Span
    node: Mapping | None = None


@dataclass(frozen=True, eq=False)
class Site:
    """A step in its place. `options` finds a key in the step, then in the kind's defaults."""

    id: str
    path: str
    kind: str
    node: Mapping
    key: Entry
    written: bool
    defaults: Mapping | None
    blocks: tuple[Block, ...]

    @property
    def operand(self) -> Node:
        """The value behind the kind's key."""
        return self.key.value

    @property
    def line(self) -> int:
        """Where a person looks for this step: its id, else its kind."""
        return self.name_span.line

    @property
    def name_span(self) -> Span:
        """The id as written, else the kind's key."""
        given = self.node.get("id")
        return given.span if given is not None else self.key.key.span

    def option(self, key: str) -> Node | None:
        """The value of an option, defaults included."""
        found = self.node.get(key)
        if found is None and self.defaults is not None:
            return self.defaults.get(key)
        return found

    def block(self, role: Role) -> Block | None:
        """The first block of that role."""
        return next((block for block in self.blocks if block.role == role), None)

    def blocks_of(self, role: Role) -> tuple[Block, ...]:
        """All blocks of that role, in file order."""
        return tuple(block for block in self.blocks if block.role == role)


@dataclass(frozen=True, eq=False)
class Outline:
    """A whole document: its top-level blocks and every written id's site."""

    document: Document
    steps: Block
    catch: tuple[Block, ...]
    finally_: Block | None

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The top-level blocks in file order."""
        last = (self.finally_,) if self.finally_ else ()
        return (self.steps, *self.catch, *last)


def walk(blocks: tuple[Block, ...]) -> Iterator[Site]:
    """Every site below these blocks, parents before children, in file order."""
    for block in blocks:
        for site in block.steps:
            yield site
            yield from walk(site.blocks)


@dataclass(frozen=True, eq=False)
class Position:
    """A site and the way down to it: each block around it with the step that holds the block."""

    site: Site
    trail: tuple[tuple[Site | None, Block], ...]
    order: int  # its turn in the file

    def inside(self, *roles: Role) -> bool:
        """Whether a block of one of these roles is around it."""
        return any(block.role in roles for _, block in self.trail)


def positions(outline: Outline) -> tuple[Position, ...]:
    """Every site of a document with its way, parents before children, in file order."""
    found: list[Position] = []

    def take(
        blocks: tuple[Block, ...],
        holder: Site | None,
        trail: tuple[tuple[Site | None, Block], ...],
    ) -> None:
        for block in blocks:
            for site in block.steps:
                way = (*trail, (holder, block))
                found.append(Position(site, way, len(found)))
                take(site.blocks, site, way)

    take(outline.blocks, None, ())
    return tuple(found)


def outline_of(document: Document) -> Outline:
    """Read the steps of a document."""
    root = document.root
    return _Reader(root).outline(document)


def written_ids(node: Node) -> Iterator[Scalar]:
    """Every `id:` of anything that may be a step below a node."""
    if isinstance(node, Sequence):
        for item in node.items:
            if isinstance(item, Mapping):
                given = item.get("id")
                if isinstance(given, Scalar) and kind_of(item) is not None:
                    yield given
            yield from written_ids(item)
    elif isinstance(node, Mapping):
        for entry in node.entries:
            yield from written_ids(entry.value)


def kind_of(step: Mapping) -> Entry | None:
    """The entry whose key says what kind of step a mapping is; the grammar allows only one."""
    return next((entry for entry in step.entries if entry.key.text in KINDS), None)


class _Reader:
    def __init__(self, root: Mapping) -> None:
        self._root = root
        self._taken = {scalar.text for scalar in written_ids(root)}
        given = root.get("defaults")
        self._defaults = given if isinstance(given, Mapping) else None

    def outline(self, document: Document) -> Outline:
        counts: dict[str, int] = {}
        steps = self._block("top", "steps", self._root.get("steps"), "", counts)
        catch = self._clauses(self._root.get("catch"), "", counts)
        last = self._root.get("finally")
        finally_ = self._block("finally", "finally", last, "", counts) if last else None
        return Outline(document, steps, catch, finally_)

    def _block(
        self,
        role: Role,
        name: str,
        node: Node | None,
        path: str,
        counts: dict[str, int],
        owner: Mapping | None = None,
    ) -> Block:
        items = node.items if isinstance(node, Sequence) else ()
        span = node.span if node is not None else self._root.span
        sites = tuple(
            site
            for item in items
            if isinstance(item, Mapping) and (site := self._site(item, path, counts)) is not None
        )
        return Block(role, name, sites, span, owner)

    def _site(self, node: Mapping, path: str, counts: dict[str, int]) -> Site | None:
        key = kind_of(node)
        if key is None:
            return None
        kind = key.key.text
        given = node.get("id")
        written = isinstance(given, Scalar) and isinstance(given.value, str)
        step_id = given.text if isinstance(given, Scalar) else self._generate(kind, counts)
        below = f"{path}/{step_id}" if path else step_id
        defaults = self._defaults.get(kind) if self._defaults else None
        return Site(
            id=step_id,
            path=below,
            kind=kind,
            node=node,
            key=key,
            written=written,
            defaults=defaults if isinstance(defaults, Mapping) else None,
            blocks=self._blocks(kind, node, key.value, below),
        )

    def _generate(self, kind: str, counts: dict[str, int]) -> str:
        while True:
            number = counts[kind] = counts.get(kind, 0) + 1
            candidate = kind if number == 1 else f"{kind}_{number}"
            if candidate not in self._taken:
                return candidate

    def _blocks(self, kind: str, node: Mapping, operand: Node, path: str) -> tuple[Block, ...]:
        counts: dict[str, int] = {}
        match kind:
            case "do" | "try" | "saga":
                blocks = [self._block("body", kind, operand, path, counts)]
            case "if":
                blocks = [
                    self._block(role, role, node.get(role), path, counts, node)
                    for role in ("then", "else")
                    if node.get(role) is not None
                ]
            case "switch":
                blocks = list(self._cases(operand, path, counts))
            case "foreach" | "while" | "until":
                blocks = [self._block("body", kind, node.get("steps"), path, counts)]
            case "parallel" | "race":
                blocks = list(self._branches(operand, path, counts))
            case _:
                blocks = []
        if kind in ("try", "saga"):
            blocks.extend(self._clauses(node.get("catch"), path, counts))
            last = node.get("finally")
            if last is not None:
                blocks.append(self._block("finally", "finally", last, path, counts))
        undo = node.get("compensate")
        if undo is not None:
            blocks.append(self._block("compensate", "compensate", undo, path, counts))
        return tuple(blocks)

    def _clauses(self, node: Node | None, path: str, counts: dict[str, int]) -> tuple[Block, ...]:
        items = node.items if isinstance(node, Sequence) else ()
        return tuple(
            self._block("catch", f"catch[{index}]", item.get("steps"), path, counts, item)
            for index, item in enumerate(items)
            if isinstance(item, Mapping)
        )

    def _cases(self, node: Node, path: str, counts: dict[str, int]) -> Iterator[Block]:
        items = node.items if isinstance(node, Sequence) else ()
        for index, item in enumerate(items):
            if isinstance(item, Mapping):
                steps = item.get("else") or item.get("steps")
                yield self._block("case", f"case[{index}]", steps, path, counts, item)

    def _branches(self, node: Node, path: str, counts: dict[str, int]) -> Iterator[Block]:
        entries = node.entries if isinstance(node, Mapping) else ()
        for entry in entries:
            branch = entry.value
            owner = branch if isinstance(branch, Mapping) else None
            steps = owner.get("steps") if owner else branch
            yield self._block("branch", entry.key.text, steps, path, counts, owner)
