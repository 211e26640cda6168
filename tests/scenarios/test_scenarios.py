"""Every case of `cases/*.yaml`, on every store, and what holds after each of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.case_format import Case, load_all
from tests.scenarios.expectations import check_expectations
from tests.scenarios.invariants import check_invariants
from tests.scenarios.scenario import playing

CASES = load_all()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_scenario(case: Case, store_url: str, tmp_path: Path) -> None:
    async with playing(case, tmp_path, store_url) as scenario:
        await scenario.play()
        await check_expectations(scenario)
        await check_invariants(scenario.client, scenario.programs)


def test_there_are_enough_cases_and_no_number_stands_twice() -> None:
    numbers = [name.split("-", 2)[1] for name in CASES]
    assert len(numbers) >= 110
    assert len(numbers) == len(set(numbers))
