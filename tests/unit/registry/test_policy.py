"""Version policies: their forms, and the weighted choice."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.registry.policy import (
    LATEST,
    Exact,
    InRange,
    PolicyError,
    Weighted,
    choose,
    parse_policy,
)

FORMS = [
    ("latest", LATEST, ()),
    (" latest ", LATEST, ()),
    ("1.2.0", Exact("1.2.0"), ("1.2.0",)),
    ("=1.2.0", Exact("1.2.0"), ("1.2.0",)),
    ("1.2.0-rc.1", Exact("1.2.0-rc.1"), ("1.2.0-rc.1",)),
    ("1.2.0+b7", Exact("1.2.0+b7"), ("1.2.0+b7",)),
    ("^1", InRange("^1"), ()),
    ("1.2", InRange("1.2"), ()),
    (">=1.2 <2", InRange(">=1.2 <2"), ()),
    ({"1.0.0": 90, "1.1.0": 10}, Weighted((("1.0.0", 90), ("1.1.0", 10))), ("1.0.0", "1.1.0")),
    ('{"1.0.0": 1, "1.1.0": 0}', Weighted((("1.0.0", 1), ("1.1.0", 0))), ("1.0.0", "1.1.0")),
]


@pytest.mark.parametrize(("written", "policy", "names"), FORMS, ids=str)
def test_a_policy_is_read_and_written(written: Any, policy: Any, names: tuple[str, ...]) -> None:
    assert parse_policy(written) == policy
    assert parse_policy(policy.text) == policy
    assert policy.names == names


@pytest.mark.parametrize(
    "written",
    [
        "", "newest", "v1.2.0", "{", "{}", "[]", None, 1, {}, {"1.0.0": 1}, {"^1": 1, "^2": 1},
        {"1.0.0": 0, "1.1.0": 0}, {"1.0.0": -1, "1.1.0": 2}, {"1.0.0": 1.5, "1.1.0": 1},
        {"1.0.0": True, "1.1.0": 1}, {"1.0.0": 1, "1.1.0": 1, "1.2.0": 1},
        {"1.0.0": 10**9, "1.1.0": 1},
    ],
    ids=str,
)  # fmt: skip
def test_anything_else_is_refused(written: Any) -> None:
    with pytest.raises(PolicyError, match="is no version policy"):
        parse_policy(written)


@given(st.text(), st.integers(0, 100), st.integers(1, 100))
def test_a_choice_is_stable(instance_id: str, first: int, second: int) -> None:
    choices = (("1.0.0", first), ("1.1.0", second))
    chosen, share = choose(choices, instance_id)
    assert choose(choices, instance_id) == (chosen, share)
    assert dict(choices)[chosen] > 0
    assert share == round(100 * dict(choices)[chosen] / (first + second))


def test_the_weights_are_kept() -> None:
    found = Counter(
        choose((("1.0.0", 90), ("1.1.0", 10)), f"order-{number}")[0] for number in range(10_000)
    )
    assert 800 < found["1.1.0"] < 1200


def test_more_weight_only_adds() -> None:
    """Raising the weight of the second moves instances to it, and none of its own away."""
    ids = [f"i{number}" for number in range(2_000)]
    before = {i for i in ids if choose((("a", 90), ("b", 10)), i)[0] == "b"}
    after = {i for i in ids if choose((("a", 50), ("b", 50)), i)[0] == "b"}
    assert before < after
