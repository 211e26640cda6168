"""Diagnostics for machines: JSON, SARIF 2.1.0, GitHub workflow commands. Pure text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from engine.definition.codes import CODES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.definition.diagnostic import Diagnostic
    from engine.values.json import Json, JsonObject

SARIF_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def to_json_text(diagnostics: Sequence[Diagnostic]) -> str:
    """A JSON array, one object per diagnostic, keys in a fixed order."""
    return json.dumps([_record(one) for one in diagnostics], ensure_ascii=False, indent=2) + "\n"


def to_sarif(diagnostics: Sequence[Diagnostic], *, engine_version: str) -> str:
    """A SARIF 2.1.0 log with one run; its rules are the codes that occur."""
    used = sorted({one.code for one in diagnostics})
    rules: list[Json] = [_rule(code) for code in used]
    results: list[Json] = [_result(one, used.index(one.code)) for one in diagnostics]
    log: JsonObject = {
        "$schema": SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "lockstep", "version": engine_version, "rules": rules}},
                "columnKind": "unicodeCodePoints",
                "results": results,
            }
        ],
    }
    return json.dumps(log, ensure_ascii=False, indent=2) + "\n"


def to_github(diagnostics: Sequence[Diagnostic]) -> str:
    """Workflow commands that GitHub Actions turns into annotations, one line each."""
    return "".join(_command(one) for one in diagnostics)


def message(diagnostic: Diagnostic) -> str:
    """Everything a diagnostic says, without its place, on several lines."""
    lines = [diagnostic.what]
    if diagnostic.why:
        lines.append(f"why: {diagnostic.why}")
    if diagnostic.mend:
        lines.append(f"mend: {diagnostic.mend}")
    if diagnostic.suggestions:
        lines.append(f"did you mean {' or '.join(f'`{one}`' for one in diagnostic.suggestions)}?")
    return "\n".join(lines)


def _record(one: Diagnostic) -> JsonObject:
    return {
        "code": one.code,
        "severity": one.severity,
        "file": one.file,
        "line": one.span.line,
        "column": one.span.column,
        "end_line": one.span.end_line,
        "end_column": one.span.end_column,
        "what": one.what,
        "why": one.why,
        "mend": one.mend,
        "suggestions": list(one.suggestions),
    }


def _rule(code: str) -> JsonObject:
    known = CODES.get(code)
    if known is None:
        return {"id": code}
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in known.title.split()),
        "shortDescription": {"text": known.finds},
        "fullDescription": {"text": known.explanation},
        "help": {"text": known.mend},
        "defaultConfiguration": {"level": known.severity},
    }


def _result(one: Diagnostic, rule: int) -> JsonObject:
    region: JsonObject = {
        "startLine": one.span.line,
        "startColumn": one.span.column,
        "endLine": one.span.end_line,
        "endColumn": one.span.end_column,
    }
    artifact: JsonObject = {"uri": quote(one.file.replace("\\", "/"))}
    return {
        "ruleId": one.code,
        "ruleIndex": rule,
        "level": one.severity,
        "message": {"text": message(one)},
        "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": region}}],
    }


def _command(one: Diagnostic) -> str:
    values = {
        "file": one.file,
        "line": one.span.line,
        "endLine": one.span.end_line,
        "title": f"{one.code}",
    }
    if one.span.line == one.span.end_line:  # GitHub takes columns only within one line
        values["col"] = one.span.column
        values["endColumn"] = one.span.end_column
    options = ",".join(f"{name}={_property(str(value))}" for name, value in values.items())
    return f"::{one.severity} {options}::{_data(message(one))}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
