"""E227 to E229: a step is read by its id, where it has surely run.

What may be missing is fine behind `default` or `is defined`; what cannot be there never is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from engine.definition.spell import suggest
from engine.definition.wording import listed
from engine.graph.scopes import title

if TYPE_CHECKING:
    from engine.definition.diagnostic import Report
    from engine.definition.document import Span
    from engine.expr import Reference
    from engine.graph.outline import Block, Position, Site
    from engine.graph.scopes import Reading, Scopes
    from engine.graph.standing import Doubt, Standing

# These hold whatever became of the step, once there is a record of it.
_ALWAYS = frozenset(("status", "attempts"))


def check(scopes: Scopes, where: tuple[Position, ...], report: Report) -> None:
    """Judge every `steps.<id>` of the document."""
    judge = _Judge(where, report)
    for reading in scopes.readings:
        if "steps" not in reading.point.roots:
            continue
        for reference in reading.placed.expression.references:
            if reference.path[0] == "steps" and len(reference.path) > 1:
                judge.reference(reading, reference)


class _Judge:
    def __init__(self, where: tuple[Position, ...], report: Report) -> None:
        self._report = report
        self._written: dict[str, Position] = {}
        self._generated: dict[str, Position] = {}
        for position in where:
            known = self._written if position.site.written else self._generated
            known.setdefault(position.site.id, position)
        self._at = {id(position.site): position for position in where}

    def reference(self, reading: Reading, reference: Reference) -> None:
        step_id = reference.path[1]
        if not isinstance(step_id, str):
            return
        if step_id not in self._written:
            self._unknown(reading, reference, step_id)
            return
        standing = reading.standings.get(step_id)
        if standing is None:
            self._impossible(reading, reference, self._written[step_id])
        elif standing.doubt is not None and not reference.guarded:
            self._doubtful(reading, reference, standing, standing.doubt)

    def _unknown(self, reading: Reading, reference: Reference, step_id: str) -> None:
        unnamed = self._generated.get(step_id)
        close = suggest(step_id, self._written)
        why = None
        if unnamed is not None:
            why = f"the `{unnamed.site.kind}` step at line {unnamed.site.line} has no `id`"
            mend: str | None = f"id: {step_id}"
        elif close:
            mend = None
        elif self._written:
            mend = f"the ids are {listed(sorted(self._written))}"
        else:
            mend = "give the step an `id:`"
        self._report.error(
            "E227",
            _id_span(reading, reference),
            f"there is no step `{step_id}`",
            why=why,
            mend=mend,
            suggestions=close,
        )

    def _doubtful(
        self, reading: Reading, reference: Reference, standing: Standing, doubt: Doubt
    ) -> None:
        attribute = reference.path[2] if len(reference.path) > 2 else None
        if standing.recorded and attribute in _ALWAYS:
            return
        # The record of a step that did not fail says `error: null`: only what is below is missing.
        if standing.recorded and attribute == "error" and len(reference.path) == 3:
            return
        # To ask for the status takes a record.
        asks = not standing.recorded and attribute in _ALWAYS
        if doubt.settles & (reading.point.settled if asks else reading.settled):
            return
        text = _text(reading, reference)
        fallback = f"`{text} | default(none)`"
        self._report.error(
            "E228",
            _step_span(reading, reference),
            f"`steps.{standing.site.id}` may not have run when it is read here"
            if not _may_fail(standing)
            else f"`steps.{standing.site.id}` may have failed when it is read here",
            why=doubt.why,
            mend=f"{doubt.mend}, or read {fallback}" if doubt.mend else f"read {fallback}",
        )

    def _impossible(self, reading: Reading, reference: Reference, target: Position) -> None:
        site = target.site
        here = self._at.get(id(reading.site)) if reading.site is not None else None
        apart = _apart(target, here)
        span = _step_span(reading, reference)
        if here is not None and here.site is site:
            what, why, mend = _itself(reading, site)
            self._report.error("E229", span, what, why=why, mend=mend)
            return
        loop = next((at for at, _ in apart if at is not None and _loops(at)), None)
        if loop is not None and loop is not reading.site:
            self._report.error(
                "E228",
                span,
                f"`steps.{site.id}` stays inside {title(loop)}",
                why=f"`{site.id}` (line {site.line}) runs once per turn of it",
                mend=_out_of(loop, site),
            )
            return
        if apart and self._in_another_block(span, site, apart, here):
            return
        self._report.error(
            "E229",
            span,
            f"`steps.{site.id}` is read before it stands",
            why=f"`{site.id}` runs later, at line {site.line}",
            mend=f"move what reads it behind line {site.line}, or move `{site.id}` up",
        )

    def _in_another_block(
        self,
        span: Span,
        site: Site,
        apart: tuple[tuple[Site | None, Block], ...],
        here: Position | None,
    ) -> bool:
        """Tell of a block that the reader cannot see into; False when it is a matter of order."""
        holder, block = apart[0]
        if holder is None:
            return False
        beside = here is not None and any(at is holder for at, _ in here.trail)
        if any(around.role == "compensate" for _, around in apart):
            code, why = "E228", f"`{site.id}` (line {site.line}) is part of the undo"
            mend = "read a step that is not in `compensate`"
        elif beside and block.role == "branch":
            code = "E229"
            why = f"`{site.id}` (line {site.line}) runs at the same time, in `{block.name}`"
            mend = f"put both into one branch, or read it after {title(holder)}"
        elif beside and block.role in ("case", "then", "else", "catch"):
            code, why = "E228", f"`{site.id}` (line {site.line}) is in another way through"
            why = f"{why} {title(holder)}"
            mend = "read a step of this way"
        else:
            return False
        what = f"`steps.{site.id}` cannot have run when it is read here"
        self._report.error(code, span, what, why=why, mend=mend)
        return True


def _apart(target: Position, here: Position | None) -> tuple[tuple[Site | None, Block], ...]:
    """The blocks around the target that are not around the reader."""
    around = {id(block) for _, block in here.trail} if here else set()
    return tuple((at, block) for at, block in target.trail if id(block) not in around)


def _itself(reading: Reading, site: Site) -> tuple[str, str | None, str]:
    what = f"`steps.{site.id}` is read before it stands"
    if reading.placed.scalar is site.node.get("output"):
        return what, "`output` is what `.output` of this step will be", "read `result`"
    return what, f"`{site.id}` would have to have run before it begins", "read an earlier step"


def _out_of(loop: Site, site: Site) -> str:
    if loop.written:
        return (
            f"give {title(loop)} `output: ${{{{ steps.{site.id}.output }}}}` and read "
            f"`steps.{loop.id}.output`"
        )
    return f"give {title(loop)} an `id` and an `output`, and read that"


def _loops(site: Site) -> bool:
    return site.kind in ("foreach", "while", "until")


def _may_fail(standing: Standing) -> bool:
    return standing.recorded and standing.site.node.get("when") is None


def _text(reading: Reading, reference: Reference) -> str:
    source = reading.placed.expression.source
    return source[reference.offset : reference.offset + reference.length]


def _step_span(reading: Reading, reference: Reference) -> Span:
    """The place of `steps.<id>` alone."""
    return reading.placed.span(reference.offset, _step_length(reading, reference))


def _step_length(reading: Reading, reference: Reference) -> int:
    step_id = re.escape(str(reference.path[1]))
    found = re.match(
        rf"steps\s*(?:\.\s*{step_id}|\[\s*(['\"]){step_id}\1\s*\])", _text(reading, reference)
    )
    return found.end() if found else reference.length


def _id_span(reading: Reading, reference: Reference) -> Span:
    """The place of the id alone."""
    step_id = str(reference.path[1])
    length = _step_length(reading, reference)
    start = _text(reading, reference)[:length].rfind(step_id)
    return reading.placed.span(reference.offset + start, len(step_id))
