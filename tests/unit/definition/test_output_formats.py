"""Diagnostics for machines."""

from __future__ import annotations

import json

from engine.definition.diagnostic import Diagnostic
from engine.definition.document import Span
from engine.definition.output_formats import to_github, to_json_text, to_sarif

ONE = Diagnostic(
    code="E205",
    file="workflows/a b.yaml",
    span=Span(7, 5, 7, 10),
    what="`log` takes no option `retry`",
    why="`do` takes it, 100%",
    mend="delete it",
    suggestions=("try",),
)
WARNING = Diagnostic(
    code="W401", file="x,y:z.yaml", span=Span(1, 1, 3, 4), what="waits", severity="warning"
)


def test_json() -> None:
    first, second = json.loads(to_json_text([ONE, WARNING]))
    assert first == {
        "code": "E205",
        "severity": "error",
        "file": "workflows/a b.yaml",
        "line": 7,
        "column": 5,
        "end_line": 7,
        "end_column": 10,
        "what": "`log` takes no option `retry`",
        "why": "`do` takes it, 100%",
        "mend": "delete it",
        "suggestions": ["try"],
    }
    assert (second["severity"], second["why"]) == ("warning", None)


def test_json_of_nothing_is_an_empty_list() -> None:
    assert json.loads(to_json_text([])) == []


def test_sarif() -> None:
    log = json.loads(to_sarif([ONE, WARNING, ONE], engine_version="1.2.3"))
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert log["version"] == "2.1.0"
    assert run["tool"]["driver"]["version"] == "1.2.3"
    assert [rule["id"] for rule in rules] == ["E205", "W401"]
    assert [result["ruleIndex"] for result in run["results"]] == [0, 1, 0]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "workflows/a%20b.yaml"
    assert place["region"] == {"startLine": 7, "startColumn": 5, "endLine": 7, "endColumn": 10}
    assert run["results"][1]["level"] == "warning"


def test_github() -> None:
    first, second = to_github([ONE, WARNING]).splitlines()
    assert first == (
        "::error file=workflows/a b.yaml,line=7,endLine=7,title=E205,col=5,endColumn=10::"
        "`log` takes no option `retry`%0Awhy: `do` takes it, 100%25%0Amend: delete it"
        "%0Adid you mean `try`?"
    )
    assert second == "::warning file=x%2Cy%3Az.yaml,line=1,endLine=3,title=W401::waits"
