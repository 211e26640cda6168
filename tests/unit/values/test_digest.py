import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.values.digest import canonical_json, digest, short

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)


# These bytes are in recorded histories and deployed revisions: a change here is never a fix.
@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, None, "x"]}, '{"a":[true,null,"x"],"b":1}'),
        (1, "1"),
        (1.0, "1.0"),
        (-0.0, "-0.0"),
        (1e16, "1e+16"),
        (1.5e-7, "1.5e-07"),
        (0.1, "0.1"),
        (2**70, "1180591620717411303424"),
        ("é😀\u2028", '"é😀\u2028"'),
        ('"\\\n\x1f/', '"\\"\\\\\\n\\u001f/"'),
        ({"é": 1, "z": 2, "Z": 3}, '{"Z":3,"z":2,"é":1}'),
        ({}, "{}"),
        ([], "[]"),
    ],
)
def test_the_bytes(value: Any, text: str) -> None:
    assert canonical_json(value) == text.encode()


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), [-float("inf")], {"a": "\ud800"}, {1, 2}, {"a": object()}]
)
def test_what_is_not_json_is_refused(value: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        canonical_json(value)


def typed(value: Any) -> Any:
    """The value with the types that `==` does not see: 1 == 1.0 == True, 0.0 == -0.0."""
    if isinstance(value, list):
        return [typed(item) for item in value]
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    return type(value).__name__, repr(value)


@given(values)
def test_round_trip(value: Any) -> None:
    assert typed(json.loads(canonical_json(value))) == typed(value)


@given(st.dictionaries(st.text("abé"), st.integers(), max_size=5))
def test_order_of_keys_does_not_count(value: dict[str, int]) -> None:
    backwards = dict(reversed(value.items()))
    assert canonical_json({**backwards}) == canonical_json({**value})


@given(values, values)
def test_equal_bytes_mean_equal_values(one: Any, other: Any) -> None:
    assert (canonical_json(one) == canonical_json(other)) == (typed(one) == typed(other))


def test_digest_is_sha256() -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert digest(b"") == empty == hashlib.sha256().hexdigest()
    assert short(empty) == "e3b0c44298fc"
