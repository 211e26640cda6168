"""The table of codes is complete, and all that is raised is in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine import definition
from engine.definition.code import Code
from engine.definition.codes import CODES, explain
from engine.definition.diagnostic import Report
from engine.definition.parse import parse
from engine.definition.source import decode

SOURCES = sorted(Path(str(definition.__file__)).parent.glob("*.py"))


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.code)
def test_a_code_is_explained(code: Code) -> None:
    assert re.fullmatch("[EW][1-4][0-9]{2}", code.code)
    assert 2 <= len(code.explanation.split("\n")) <= 6
    assert all(len(line) <= 90 for line in code.explanation.split("\n"))
    assert code.bad != code.good
    for text in (code.title, code.finds, code.mend):
        assert text
        assert not text.endswith(".")


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.code)
def test_the_good_example_is_sound_yaml(code: Code) -> None:
    report = Report(code.code)
    source = decode(code.good, report)
    assert source is not None
    parse(source, report)
    assert not report.sorted()


def test_every_code_that_is_raised_here_is_in_the_table() -> None:
    raised = {
        code for path in SOURCES for code in re.findall(r'"([EW]\d{3})"', path.read_text("utf-8"))
    }
    assert raised <= set(CODES)


def test_explain_is_a_page() -> None:
    page = explain("e228")
    assert page.startswith("E228: step that may not have run\n")
    assert "Wrong:\n    - when:" in page
    with pytest.raises(KeyError):
        explain("E999")
