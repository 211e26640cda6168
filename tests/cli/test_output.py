"""What leaves on stdout: YAML that reads back, text that harms no terminal, codes of errors."""

from __future__ import annotations

import inspect
import json
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from engine import errors
from engine.cli import exits
from engine.cli.clean import clean, clean_json, clean_line
from engine.cli.following import error_tree
from engine.cli.times import ago, lasted
from engine.cli.yaml_text import yaml_text
from engine.errors import EngineError

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.sampled_from(["yes", "no", "null", "~", "1.0", "2026-01-02", "- a", "a: b", "", " x"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


@given(JSON)
def test_yaml_reads_back(value: Any) -> None:
    read = YAML(typ="safe", pure=True).load(StringIO(yaml_text(value)))
    assert json.dumps(read, sort_keys=True) == json.dumps(json.loads(json.dumps(value)), sort_keys=True)  # fmt: skip  # noqa: E501


@given(JSON)
def test_cleaned_json_says_the_same(value: Any) -> None:
    assert json.loads(clean_json(json.dumps(value, ensure_ascii=False))) == value


@pytest.mark.parametrize(
    ("text", "line", "wanted"),
    [
        ("plain ü 漢 ✓", "plain ü 漢 ✓", "plain ü 漢 ✓"),
        ("\x1b[31mred", "\\x1b[31mred", "\\x1b[31mred"),
        ("a\nb\tc", "a\\nb\\tc", "a\nb\tc"),
        ("a\rb", "a\\rb", "a\\rb"),
        ("a\r\nb", "a\\r\\nb", "a\nb"),
        ("\x9b31m", "\\x9b31m", "\\x9b31m"),
        ("\u202eabc", "\\u202eabc", "\\u202eabc"),
        ("\x00\x7f", "\\x00\\x7f", "\\x00\\x7f"),
        ("\ud800", "\\ud800", "\\ud800"),
    ],
)
def test_text_is_made_harmless(text: str, line: str, wanted: str) -> None:
    assert (clean_line(text), clean(text)) == (line, wanted)


def every_error() -> list[type[EngineError]]:
    members = [member for _, member in inspect.getmembers(errors, inspect.isclass)]
    return [one for one in members if issubclass(one, EngineError)]


CODES: dict[type[EngineError], int] = {
    errors.UnknownWorkflow: exits.NOT_FOUND,
    errors.UnknownVersion: exits.NOT_FOUND,
    errors.InstanceNotFound: exits.NOT_FOUND,
    errors.ExecutionNotFound: exits.NOT_FOUND,
    errors.VersionLocked: exits.LOCKED,
    errors.ResultTimeout: exits.TIMED_OUT,
    errors.InputRefused: exits.USAGE,
    errors.LimitExceeded: exits.USAGE,
    errors.SettingsError: exits.USAGE,
    errors.ReplayError: exits.DIVERGED,
    errors.Nondeterminism: exits.DIVERGED,
    errors.UnsupportedSemantics: exits.DIVERGED,
    errors.StorageUnavailable: exits.UNAVAILABLE,
    errors.NodeBusy: exits.UNAVAILABLE,
    errors.LeaseLost: exits.UNAVAILABLE,
}


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_every_error_has_its_exit_code(kind: type[EngineError]) -> None:
    error = kind.__new__(kind)
    assert exits.code_for(error) == CODES.get(kind, exits.FAILED)


def test_every_exit_code_has_a_meaning() -> None:
    stated = {value for name, value in vars(exits).items() if name.isupper() and name[0] != "_"
              and isinstance(value, int)}  # fmt: skip
    assert stated == set(exits.MEANINGS)


def test_an_error_tree_shows_its_causes() -> None:
    cause = {"type": "db.down", "message": "one\ntwo"}
    error = {"type": "shop.broken", "message": "no", "step": "a/b", "attempt": 3, "cause": cause}
    assert error_tree(error) == (
        "shop.broken: no\n  at a/b, attempt 3\n  caused by db.down: one\n    two"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "now"), (59, "59 s ago"), (60, "1 min ago"), (7200, "2 h ago"), (-90, "in 1 min")],
)
def test_relative_times(seconds: int, text: str) -> None:
    assert ago(10**15, 10**15 + seconds * 1_000_000) == text


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (900, "0 ms"),
        (12_000, "12 ms"),
        (3_400_000, "3.4 s"),
        (125_000_000, "2:05 min"),
        (3_723_000_000, "1:02:03 h"),
    ],
)
def test_durations(microseconds: int, text: str) -> None:
    assert lasted(microseconds) == text
