import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.values.ids import (
    derive_fraction,
    derive_uuid,
    is_activity_name,
    is_identifier,
    is_workflow_name,
)


def test_recorded_values_never_change() -> None:
    assert (
        derive_uuid("order-A-1", "1", "place/charge", "0") == "3cc5bed6-6bfb-89c0-8e33-5b27fb2750e7"
    )
    assert derive_fraction("order-A-1", "1", "place/charge", "0") == 0.23739235625178778


@given(st.lists(st.text(), max_size=4))
def test_a_uuid_is_canonical(parts: list[str]) -> None:
    text = derive_uuid(*parts)
    parsed = uuid.UUID(text)
    assert str(parsed) == text
    assert (parsed.version, parsed.variant) == (8, uuid.RFC_4122)


@given(st.lists(st.text(), max_size=3), st.lists(st.text(), max_size=3))
def test_other_parts_other_uuid(one: list[str], other: list[str]) -> None:
    assert (derive_uuid(*one) == derive_uuid(*other)) == (one == other)


def test_where_a_part_ends_counts() -> None:
    assert (
        len(
            {derive_uuid("ab", "c"), derive_uuid("a", "bc"), derive_uuid("abc"), derive_uuid("1:a")}
        )
        == 4
    )


def test_any_text_has_an_identity() -> None:
    assert derive_uuid("\ud800") != derive_uuid("\ud801")


def test_fractions_fill_the_unit_interval_evenly() -> None:
    draws = [derive_fraction("seed", str(n)) for n in range(2_000)]
    assert all(0 <= draw < 1 for draw in draws)
    tenths = [sum(n / 10 <= draw < (n + 1) / 10 for draw in draws) for n in range(10)]
    assert all(150 <= count <= 250 for count in tenths)


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (is_identifier, ["a", "_", "Ab_9", "probe"], ["", "9a", "a-b", "a.b", "ä", "a\n", "a b"]),
        (
            is_workflow_name,
            ["order", "etl/extract", "a-1", "a/b/c"],
            ["", "Order", "1a", "-a", "a/", "/a", "a//b", "a_b", "a.b", "a/1", "a\n"],
        ),
        (
            is_activity_name,
            ["cms.create_record", "greet", "a.b.c", "k8s.deploy"],
            ["", ".a", "a.", "a..b", "a-b.c", "a.1", "a b", "a.b\n"],
        ),
    ],
)
def test_names(check: object, good: list[str], bad: list[str]) -> None:
    assert callable(check)
    assert [text for text in good if not check(text)] == []
    assert [text for text in bad if check(text)] == []


def test_the_text_is_lower_case_hexadecimal() -> None:
    assert re.fullmatch(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", derive_uuid())
