"""The language as tables: every case of `cases/`."""

from __future__ import annotations

import pytest

from tests.interpreter.case_format import Case, load_all
from tests.interpreter.stage import Stage

CASES = load_all()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_case(case: Case) -> None:
    Stage(case).play()


def test_there_are_cases_of_every_group() -> None:
    assert len(CASES) >= 160
