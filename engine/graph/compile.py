"""From a document to a step graph, or to everything that is wrong with it.

The order: outline, build, checks. A graph comes out only when no error was found; warnings never
stand in its way. Pure: the same document gives the same result, for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.definition.diagnostic import Diagnostic
from engine.definition.document import Document, Mapping, Scalar, Span, to_json
from engine.graph.build import Builder
from engine.graph.checks import check
from engine.graph.expressions import Expressions
from engine.graph.findings import Findings
from engine.graph.options import Options
from engine.graph.outline import Outline, outline_of, walk
from engine.graph.revision import canonical, load_graph
from engine.graph.schemas import SchemaTooLarge, UnknownReference, expand
from engine.graph.steps import SignalDeclaration, StepGraph

if TYPE_CHECKING:
    from engine.definition.document import Node
    from engine.values.json import JsonObject


class Compiled(msgspec.Struct, frozen=True):
    """What compiling gave. `places` maps every static step path to where the step stands."""

    graph: StepGraph | None
    diagnostics: tuple[Diagnostic, ...]
    places: dict[str, Span] = {}

    def place(self, step_path: str) -> Span | None:
        """Where the step of a run-time path (`shrink[3]/thumb`) stands in the file.

        Indices and names of branches are passed over: a static path has neither.
        """
        known = ""
        for part in step_path.split("/"):
            name = part.partition("[")[0].partition("#")[0]
            candidate = f"{known}/{name}" if known else name
            if candidate in self.places:
                known = candidate
        return self.places.get(known)


def compile_document(document: Document) -> Compiled:
    """Compile one workflow by itself; what needs other files or the activities is not looked at."""
    report = Findings(document.file)
    outline = outline_of(document)
    graph = _graph(outline, report)
    check(outline, graph, report)
    diagnostics = report.sorted()
    places = {site.path: site.name_span for site in walk(outline.blocks)}
    if any(found.severity == "error" for found in diagnostics):
        return Compiled(None, diagnostics, places)
    return Compiled(load_graph(canonical(graph)), diagnostics, places)


def look_over(root: Mapping, file: str, known: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    """What is wrong with the expressions of a file whose form is refused: one run tells all.

    Lines of which something is `known` already are left out: it would be the same cause.
    """
    report = Findings(file)
    Expressions(report).value(root)
    lines = {one.span.line for one in known}
    return tuple(one for one in report.sorted() if one.span.line not in lines)


def _graph(outline: Outline, report: Findings) -> StepGraph:
    document = outline.document
    root = document.root
    options = Options(report, root.get("retries"))
    build = Builder(options)
    return StepGraph(
        dsl=options.count(root.get("dsl"), 1),
        name=document.name,
        steps=build.steps(outline.steps),
        input_schema=_schema(root.get("input_schema"), document, report),
        output_schema=_schema(root.get("output_schema"), document, report),
        output=options.optional(root.get("output")),
        vars=options.mapping(root.get("vars")),
        signals=_signals(root.get("signals"), document, report),
        timeout=options.duration(root.get("timeout")),
        catch=build.clauses(outline.catch),
        finally_=build.steps(outline.finally_),
        accepts_state_from=options.name(root.get("accepts_state_from"), None),
    )


def _signals(
    node: Node | None, document: Document, report: Findings
) -> dict[str, SignalDeclaration]:
    if not isinstance(node, Mapping):
        return {}
    return {
        entry.key.text: SignalDeclaration(
            payload_schema=_schema(entry.value.get("schema"), document, report)
            if isinstance(entry.value, Mapping)
            else None
        )
        for entry in node.entries
    }


def _schema(node: Node | None, document: Document, report: Findings) -> JsonObject | bool | None:
    if node is None or (isinstance(node, Scalar) and node.value is None):
        return None
    try:
        expanded = expand(to_json(node), document.referenced)
    except SchemaTooLarge:
        what = "the schema grows without end when its `$ref`s are followed"
        report.error("E110", node.span, what, mend="refer to the same part fewer times")
        return None
    except UnknownReference as error:
        what = f"`$ref: {error.reference}` names nothing"
        report.error("E110", node.span, what, mend="name a schema that is there")
        return None
    return expanded if isinstance(expanded, (dict, bool)) else None
