"""Scopes: walks the outline in the order in which it runs, and notes what each expression can read.

The result is data for the checks: readings, assignments, names declared twice, steps never reached.

Rule 1: every expression is read once, where it is evaluated: `when` before the step, `until` after
the body, `output` after the step, `compensate` once the step has succeeded.
Rule 2: loops give every turn step records of its own, which end with the turn; all other blocks
share those of the place they stand in. (`interpreter.scope` does at run time what is done here.)
Rule 3: a step that raises, returns or continues as new ends its way; see `standing` for the rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from engine.definition.document import Mapping, Node, Scalar
from engine.graph.outline import LEAVING
from engine.graph.standing import Doubt, Ground, Standing, Standings, Way, doubted, join

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping as Names

    from engine.definition.document import Span
    from engine.graph.expressions import Expressions, Placed
    from engine.graph.outline import Block, Outline, Site

ROOTS: Final = ("input", "vars", "steps", "config", "workflow", "instance")
BEFORE_THE_FIRST_STEP: Final = ("input", "config", "workflow", "instance")

# The values that a kind evaluates when it begins; "" is its operand.
_VALUES: Final[dict[str, tuple[str, ...]]] = {
    "activity": ("with",),
    "workflow": ("with", "instance_id"),
    "start": ("with", "instance_id"),
    "set": ("",),
    "sleep": ("",),
    "wait": ("timeout", "default"),
    "signal": ("to", "with"),
    "raise": ("",),
    "return": ("",),
    "continue_as_new": ("",),
    "log": ("", "fields"),
    "status": ("",),
}
# Whose `output` is evaluated inside the block, with its variables and names.
_OUTPUT_INSIDE: Final = frozenset(("do", "foreach", "while", "until"))
_CHOICE: Final = re.compile(r"\b(?:if|and|or)\b")
_WITHOUT_RESULT: Final = frozenset(("do", "if", "switch", "try", "saga"))


@dataclass(frozen=True)
class Bound:
    """A name that only some places know: `result`, `error`, `event`, `loop`, the one after `as`."""

    role: str
    site: Site | None
    span: Span | None = None


@dataclass(frozen=True)
class Declared:
    """A variable and how many fences stood around its declaration."""

    span: Span
    fences: int


@dataclass(frozen=True)
class Point:
    """A place in the walk. `fences` are the concurrent blocks around it, outermost first."""

    ground: Ground
    names: Names[str, Bound]
    variables: Names[str, Declared]
    fences: tuple[Site, ...] = ()
    settled: frozenset[str] = frozenset()
    roots: tuple[str, ...] = ROOTS

    def naming(self, **names: Bound) -> Point:
        """With these names too."""
        return replace(self, names={**self.names, **names})


@dataclass(frozen=True, eq=False)
class Reading:
    """An expression at the point where it is evaluated.

    `standings` has every id the expression reads as `steps.<id>`.
    """

    placed: Placed
    site: Site | None
    point: Point
    standings: Names[str, Standing | None]
    settled: frozenset[str]


@dataclass(frozen=True, eq=False)
class Assignment:
    """One `set` of a variable."""

    name: Scalar
    point: Point


@dataclass(frozen=True, eq=False)
class Redeclared:
    """A name declared where it is known already; `earlier` is None for a root."""

    name: str
    span: Span
    earlier: Span | None


@dataclass
class Scopes:
    """What the walk found."""

    readings: list[Reading] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    redeclared: list[Redeclared] = field(default_factory=list)
    unreached: list[tuple[Site, Site]] = field(default_factory=list)  # step, what ends before it


def scopes_of(outline: Outline, expressions: Expressions) -> Scopes:
    """Walk a whole document."""
    walk = _Walk(expressions)
    walk.workflow(outline)
    return walk.found


def title(site: Site) -> str:
    """What a person calls a block: `the `try` of `provision``, `the `if` at line 7`."""
    if site.written:
        return f"the `{site.kind}` of `{site.id}`"
    return f"the `{site.kind}` at line {site.line}"


class _Walk:
    def __init__(self, expressions: Expressions) -> None:
        self.found = Scopes()
        self._expressions = expressions
        self._kinds: dict[str, Callable[[Site, Point], bool]] = {
            "do": self._do,
            "if": self._if,
            "switch": self._switch,
            "foreach": self._foreach,
            "while": self._loop,
            "until": self._loop,
            "parallel": self._parallel,
            "race": self._race,
            "try": self._try,
            "saga": self._try,
        }

    def workflow(self, outline: Outline) -> None:
        root = outline.document.root
        point = Point(Ground(), {}, {}, roots=BEFORE_THE_FIRST_STEP)
        point = replace(self._declare(root.get("vars"), point, None), roots=ROOTS)
        ends = self._protected(outline.steps, outline.catch, outline.finally_, None, point)
        if ends:
            self._values(root.get("output"), None, point)

    # --- reading ------------------------------------------------------------------------------

    def _values(self, node: Node | None, site: Site | None, point: Point) -> None:
        for placed in self._expressions.value(node):
            self._read(placed, site, point)

    def _condition(self, node: Node | None, site: Site | None, point: Point) -> Point:
        """Read a condition; gives the point where it held."""
        placed = self._expressions.condition(node)
        if placed is None:
            return point
        settled = self._read(placed, site, point)
        return replace(point, settled=point.settled | settled)

    def _read(self, placed: Placed, site: Site | None, point: Point) -> frozenset[str]:
        """Note a reading; gives the ids it asks about."""
        standings: dict[str, Standing | None] = {}
        asked = set()
        for reference in placed.expression.references:
            path = reference.path
            if path[0] != "steps" or len(path) < 2 or not isinstance(path[1], str):
                continue
            standings[path[1]] = point.ground.find(path[1])
            if reference.guarded or path[2:3] == ("status",) or path[3:4] == ("winner",):
                asked.add(path[1])
        # Beside the question, only a choice can act on the answer.
        chooses = _CHOICE.search(placed.expression.source) is not None
        settled = point.settled | asked if chooses else point.settled
        self.found.readings.append(Reading(placed, site, point, standings, settled))
        return frozenset(asked)

    def _declare(self, node: Node | None, point: Point, site: Site | None) -> Point:
        """Read the first values of variables; gives the point where they are declared."""
        if not isinstance(node, Mapping):
            return point
        variables = dict(point.variables)
        for entry in node.entries:
            self._values(entry.value, site, point)
            name, span = entry.key.text, entry.key.span
            if name in point.variables:
                earlier = point.variables[name].span
                self.found.redeclared.append(Redeclared(name, span, earlier))
            variables[name] = Declared(span, len(point.fences))
        return replace(point, variables=variables)

    # --- blocks and steps ---------------------------------------------------------------------

    def _block(self, block: Block | None, point: Point) -> bool:
        """Walk the steps of a block; gives whether its end is reached."""
        leaving: Site | None = None
        told = False
        for site in block.steps if block else ():
            if leaving is not None and not told:
                self.found.unreached.append((site, leaving))
                told = True
            if not self._step(site, point) and leaving is None:
                leaving = site
        return leaving is None

    def _step(self, site: Site, outer: Point) -> bool:
        guard = site.option("when")
        point = self._condition(guard, site, outer)
        point = replace(point, ground=point.ground.layer())
        ends = self._kinds.get(site.kind, self._leaf)(site, point)
        if site.kind not in _OUTPUT_INSIDE:
            self._output(site, point)
        known = point.ground.own
        own = Standing(site)
        undo = site.block("compensate")
        if undo is not None:
            self._block(undo, replace(point, ground=point.ground.layer({site.id: own})))
        tolerant = site.option("continue_on_error")
        if isinstance(tolerant, Scalar) and tolerant.value is True:
            known = doubted(known, lambda inner: _failing(inner, site, tolerant))
            own = own.doubted(_failing(site, site, tolerant), recorded=True)
            ends = True
        if guard is not None:
            known = doubted(known, lambda inner: _guarded(inner, site, guard))
            own = own.doubted(_guarded(site, site, guard), recorded=True)
            ends = True
        outer.ground.own.update(known)
        outer.ground.own[site.id] = own
        return ends

    def _output(self, site: Site, point: Point) -> None:
        named = site.kind not in _WITHOUT_RESULT
        at = point.naming(result=Bound("result", site)) if named else point
        self._values(site.option("output"), site, at)

    def _leaf(self, site: Site, point: Point) -> bool:
        for key in _VALUES[site.kind]:
            node = site.option(key) if key else site.operand
            if site.kind == "raise" and isinstance(node, Scalar):
                placed = self._expressions.sole(node, "`raise`")
                if placed is not None:
                    self._read(placed, site, point)
                continue
            self._values(node, site, point)
        if site.kind == "wait":
            event = Bound("event", site)
            self._condition(site.option("where"), site, point.naming(event=event))
        if site.kind == "set" and isinstance(site.operand, Mapping):
            for entry in site.operand.entries:
                self.found.assignments.append(Assignment(entry.key, point))
        return site.kind not in LEAVING

    def _do(self, site: Site, point: Point) -> bool:
        inside = self._declare(site.option("vars"), point, site)
        ends = self._block(site.block("body"), inside)
        self._output(site, inside)
        return ends

    def _if(self, site: Site, point: Point) -> bool:
        held = self._condition(site.operand, site, point)
        ways = []
        for role in ("then", "else"):
            block = site.block("then" if role == "then" else "else")
            ways.append(self._way(block, held, lambda inner: _chosen(inner, site)))
        return self._meet(point, ways)

    def _switch(self, site: Site, point: Point) -> bool:
        ways = []
        open_ended = True
        for block in site.blocks_of("case"):
            node = block.node.get("when") if block.node else None
            # A later case is tried when the earlier ones did not hold, so they were asked too.
            point_here = self._condition(node, site, point)
            point = replace(point, settled=point_here.settled)
            ways.append(self._way(block, point_here, lambda inner: _chosen(inner, site)))
            open_ended = open_ended and node is not None
        if open_ended:
            ways.append(Way({}, True, lambda inner: _chosen(inner, site)))
        return self._meet(point, ways)

    def _way(self, block: Block | None, point: Point, reason: Callable[[Site], Doubt]) -> Way:
        ground = point.ground.layer()
        ends = self._block(block, replace(point, ground=ground))
        return Way(ground.own, ends, reason)

    def _meet(self, point: Point, ways: list[Way]) -> bool:
        point.ground.own.update(join(ways))
        return any(way.ends for way in ways)

    def _try(self, site: Site, point: Point) -> bool:
        return self._protected(
            site.block("body"),
            site.blocks_of("catch"),
            site.block("finally"),
            site,
            point,
        )

    def _protected(
        self,
        body: Block | None,
        clauses: tuple[Block, ...],
        cleanup: Block | None,
        site: Site | None,
        point: Point,
    ) -> bool:
        main = self._way(body, point, lambda inner: _caught(inner, site, None))
        unsure = doubted(main.standings, lambda inner: _interrupted(inner, site))
        ways = [main]
        for clause in clauses:
            caught = point.naming(error=Bound("error", site))
            caught = replace(caught, ground=point.ground.layer(unsure))
            node = clause.node.get("when") if clause.node else None
            held = self._condition(node, site, caught)
            way = self._way(clause, held, lambda inner, at=clause: _caught(inner, site, at))  # type: ignore[misc]
            ways.append(way)
        ends = self._meet(point, ways)
        if cleanup is not None:
            everything: Standings = dict(unsure)
            for way in ways[1:]:
                everything.update(doubted(way.standings, lambda inner: _interrupted(inner, site)))
            ground = point.ground.layer(everything)
            before = set(everything)
            self._block(cleanup, replace(point, ground=ground))
            added = {name: found for name, found in ground.own.items() if name not in before}
            point.ground.own.update(added)
        return ends

    def _foreach(self, site: Site, point: Point) -> bool:
        self._values(site.operand, site, point)
        given = site.option("as")
        name = given.text if isinstance(given, Scalar) else "item"
        span = given.span if given is not None else site.key.key.span
        if name in ROOTS or name in ("result", "error", "event", "loop", "secrets", "trigger"):
            self.found.redeclared.append(Redeclared(name, span, None))
        elif name in point.names:
            self.found.redeclared.append(Redeclared(name, span, point.names[name].span))
        inside = point.naming(**{name: Bound("as", site, span), "loop": Bound("loop", site)})
        count = site.option("concurrency")
        if isinstance(count, Scalar) and count.value != 1:
            inside = replace(inside, fences=(*inside.fences, site))
        inside = self._declare(site.option("vars"), inside, site)
        self._turn(site, inside)
        return True

    def _turn(self, site: Site, point: Point) -> Point:
        """Walk a body whose step records end with it, and the `output` of its turn."""
        inside = replace(point, ground=point.ground.layer())
        self._block(site.block("body"), inside)
        self._output(site, inside)
        return inside

    def _loop(self, site: Site, point: Point) -> bool:
        inside = self._declare(site.option("vars"), point, site).naming(loop=Bound("loop", site))
        if site.kind == "while":
            inside = self._condition(site.operand, site, inside)
            self._turn(site, inside)
        else:
            self._condition(site.operand, site, self._turn(site, inside))
        return True

    def _parallel(self, site: Site, point: Point) -> bool:
        ways = self._branches(site, point, lambda inner: _outvoted(inner, site))
        join_node = site.option("join")
        if isinstance(join_node, Scalar) and type(join_node.value) is int:
            for way in ways:
                point.ground.own.update(doubted(way.standings, way.reason))
            return any(way.ends for way in ways)
        for way in ways:
            point.ground.own.update(way.standings)
        return all(way.ends for way in ways)

    def _race(self, site: Site, point: Point) -> bool:
        ways = self._branches(site, point, lambda inner: _outrun(inner, site))
        for way in ways:
            point.ground.own.update(doubted(way.standings, way.reason))
        return any(way.ends for way in ways)

    def _branches(self, site: Site, point: Point, reason: Callable[[Site], Doubt]) -> list[Way]:
        ways = []
        for block in site.blocks_of("branch"):
            inside = replace(point, ground=point.ground.layer(), fences=(*point.fences, site))
            if block.node is not None:
                inside = self._declare(block.node.get("vars"), inside, site)
            ends = self._block(block, inside)
            if block.node is not None:
                at = inside.naming(result=Bound("result", site))
                self._values(block.node.get("output"), site, at)
            ways.append(Way(inside.ground.own, ends, reason))
        return ways


# --- reasons ----------------------------------------------------------------------------------


def _subject(inner: Site) -> str:
    return f"`{inner.id}` (line {inner.line})"


def _inside(inner: Site, site: Site) -> str:
    return f"{_subject(inner)} is inside {title(site)}"


def _guarded(inner: Site, site: Site, guard: Node) -> Doubt:
    line = guard.span.line
    if inner is site:
        why = f"{_subject(inner)} is skipped when its `when` (line {line}) is false"
    else:
        why = f"{_inside(inner, site)}, which is skipped when its `when` (line {line}) is false"
    return Doubt(why, frozenset((inner.id, site.id)))


def _failing(inner: Site, site: Site, option: Node) -> Doubt:
    line = option.span.line
    if inner is site:
        why = f"{_subject(inner)} goes on after an error: `continue_on_error` at line {line}"
    else:
        why = f"{_inside(inner, site)}, which goes on after an error (line {line})"
    return Doubt(why, frozenset((inner.id, site.id)))


def _chosen(inner: Site, site: Site) -> Doubt:
    return Doubt(
        f"{_inside(inner, site)}, and not every way through it comes by",
        frozenset((inner.id,)),
    )


def _caught(inner: Site, site: Site | None, clause: Block | None) -> Doubt:
    where = _inside(inner, site) if site else f"{_subject(inner)} is one of the workflow's `steps`"
    if clause is None or clause.node is None:
        return Doubt(f"{_subject(inner)} is inside a catch clause", frozenset((inner.id,)))
    return Doubt(
        f"{where}; the catch clause at line {clause.node.span.line} can end normally without it",
        frozenset((inner.id,)),
        "end that clause with `raise: ${{ error }}` or `return:`",
    )


def _interrupted(inner: Site, site: Site | None) -> Doubt:
    what = title(site) if site else "the workflow"
    return Doubt(
        f"an error may have left {what} before {_subject(inner)} had run",
        frozenset((inner.id,)),
    )


def _outvoted(inner: Site, site: Site) -> Doubt:
    join_node = site.option("join")
    line = join_node.span.line if join_node is not None else site.line
    return Doubt(
        f"{_inside(inner, site)}, which does not wait for every branch (`join`, line {line})",
        frozenset((inner.id, site.id)),
    )


def _outrun(inner: Site, site: Site) -> Doubt:
    return Doubt(
        f"{_inside(inner, site)}, and another branch may win",
        frozenset((inner.id, site.id)),
    )
