"""E310 of the carried input: what `continue_as_new` hands on fits the schema it must meet.

Judged where the keys are written out. With a `version` that names a range the next execution may
have another schema, which is the registry's to check.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.definition.document import Mapping, Scalar
from engine.definition.spell import suggest
from engine.definition.wording import listed

if TYPE_CHECKING:
    from engine.definition.diagnostic import Report
    from engine.graph.outline import Position, Site
    from engine.graph.steps import StepGraph


def check(where: tuple[Position, ...], graph: StepGraph, report: Report) -> None:
    """Compare the keys of each carried input with `input_schema`."""
    schema = graph.input_schema
    if not isinstance(schema, dict):
        return
    properties = schema.get("properties")
    known = properties if isinstance(properties, dict) else {}
    required = schema.get("required")
    for position in where:
        site = position.site
        given = site.operand
        if site.kind != "continue_as_new" or not isinstance(given, Mapping) or _elsewhere(site):
            continue
        for name in required if isinstance(required, list) else ():
            part = known.get(str(name))
            filled = isinstance(part, dict) and "default" in part
            if given.get(str(name)) is None and not filled:
                report.error(
                    "E310",
                    site.key.key.span,
                    f"the next execution needs `{name}`, which is not handed on",
                    why="`input_schema` requires it",
                    mend=f"add `{name}: ${{{{ input.{name} }}}}`",
                )
        if schema.get("additionalProperties") is False and "patternProperties" not in schema:
            for entry in given.entries:
                if entry.key.text not in known:
                    close = suggest(entry.key.text, known)
                    report.error(
                        "E310",
                        entry.key.span,
                        f"the next execution takes no `{entry.key.text}`",
                        why=f"`input_schema` has {listed(sorted(known))} and is closed",
                        mend=None if close else "remove it",
                        suggestions=close,
                    )


def _elsewhere(site: Site) -> bool:
    version = site.option("version")
    return isinstance(version, Scalar) and version.text not in ("policy", "pinned")
