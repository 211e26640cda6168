"""Many small workflow files, each saying itself what must be found in it and where.

A file `*.yaml` beside this one holds chunks separated by lines `---`. In a chunk the comment
`### E205: text` stands on the line where a diagnostic of that code must appear; `text` is a part of
what it says (what, why, mend or suggestions). Further ones follow after another `###`.
`### E205@12: text` also fixes the column. What has no expectation must not be found; so a chunk
without comments must be clean. A chunk's first line may be `# name`, which names the test.

A chunk is read with `load_text`; when that finds nothing it is compiled.
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from engine.definition.build import load_text
from engine.definition.codes import CODES
from engine.definition.diagnostic import Diagnostic

FOLDER = Path(__file__).parent
EXPECTATION = re.compile(
    r"### (?P<code>[EW]\d{3})(?:@(?P<column>\d+))?: *(?P<text>.*?)(?=\s*###|$)"
)
# E100 is about files, which a chunk is not: tests/unit/definition/test_source.py.
READING_CODES = [code for code in CODES if "E100" < code < "E121" or "E203" <= code <= "E206"]


class Expected(NamedTuple):
    line: int
    code: str
    column: int | None
    text: str


class Chunk(NamedTuple):
    file: str
    first_line: int
    text: str

    @property
    def name(self) -> str:
        title = re.match(r"# (.+)", self.text)
        return f"{self.file}:{self.first_line}" + (f" {title[1]}" if title else "")

    @property
    def expected(self) -> list[Expected]:
        return [
            Expected(
                number,
                match["code"],
                int(match["column"]) if match["column"] else None,
                match["text"].strip(),
            )
            for number, line in enumerate(self.text.split("\n"), 1)
            for match in EXPECTATION.finditer(line)
        ]


def chunks() -> list[Chunk]:
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        first = 1
        for text in re.split(r"^---\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE):
            found.append(Chunk(path.name, first, text))
            first += text.count("\n") + 1
    return found


def findings(text: str) -> list[Diagnostic]:
    loaded = load_text(text)
    if loaded.document is None or importlib.util.find_spec("engine.graph.compile") is None:
        return list(loaded.diagnostics)
    from engine.graph.compile import compile_document

    return [*loaded.diagnostics, *compile_document(loaded.document).diagnostics]


def everything(diagnostic: Diagnostic) -> str:
    parts = (diagnostic.what, diagnostic.why, diagnostic.mend, " ".join(diagnostic.suggestions))
    return " | ".join(part for part in parts if part)


def fits(expected: Expected, found: Diagnostic) -> bool:
    return (
        found.code == expected.code
        and found.span.line == expected.line
        and expected.column in (None, found.span.column)
        and expected.text in everything(found)
    )


@pytest.mark.parametrize("chunk", chunks(), ids=lambda chunk: chunk.name)
def test_chunk(chunk: Chunk) -> None:
    unmet = chunk.expected
    surprises = []
    for found in findings(chunk.text):
        match = next((one for one in unmet if fits(one, found)), None)
        if match is None:
            surprises.append(f"{found}: {everything(found)}")
        else:
            unmet.remove(match)
    assert not unmet and not surprises, f"not found: {unmet}\nfound instead: {surprises}"


@pytest.mark.parametrize("code", READING_CODES)
def test_every_code_of_reading_is_expected_somewhere(code: str) -> None:
    assert any(one.code == code for chunk in chunks() for one in chunk.expected)


def test_expectations_name_known_codes() -> None:
    assert {one.code for chunk in chunks() for one in chunk.expected} <= set(CODES)


def test_a_missing_and_a_surprising_finding_both_fail() -> None:
    quiet = "dsl: 1\nname: a\nversion: 1.0.0\nsteps:\n  - log: hi\n"
    with pytest.raises(AssertionError, match="not found"):
        test_chunk(Chunk("x", 1, quiet.replace("hi", "hi ### E205: nothing")))
    with pytest.raises(AssertionError, match="found instead"):
        test_chunk(Chunk("x", 1, quiet.replace("log", "lgo")))
