"""Every promise of the provider protocol, on every store."""

from __future__ import annotations

import re

import pytest

from engine.storage import provider
from engine.testing.conformance import CASES, Case, Factory, play


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
async def test_case(case: Case, factory: Factory) -> None:
    await play(case, factory)


def test_every_guarantee_has_cases() -> None:
    promised = set(re.findall(r"^    (G\d+) ", provider.__doc__ or "", re.MULTILINE))
    assert len(promised) == 25
    assert {number for case in CASES for number in case.guarantees} == promised


def test_every_case_names_its_guarantee() -> None:
    assert [case.id for case in CASES if not case.guarantees] == []


def test_no_two_cases_share_a_name() -> None:
    assert len({case.id for case in CASES}) == len(CASES)
