"""Exceptions become failures: typed, bounded, always JSON."""

import asyncio

import msgspec
import pytest

from engine.activities.outcome import CAUSES, MESSAGE_LENGTH, failure_of
from engine.errors import ActivityError
from engine.history.events import Failure


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (ValueError("bad"), Failure(type="python.ValueError", message="bad", retryable=True)),
        (ValueError(), Failure(type="python.ValueError", message="ValueError", retryable=True)),
        (
            ActivityError("no", type="payments.declined", retryable=False, details={"code": 7}),
            Failure(type="payments.declined", message="no", retryable=False, details={"code": 7}),
        ),
        (ActivityError("no"), Failure(type="activity.error", message="no", retryable=True)),
        (
            ActivityError("no", details={"x": object()}),
            Failure(
                type="activity.error",
                message="no",
                retryable=True,
                details={
                    "refused": "error details is not JSON: "
                    "a value of type `builtins.object` at `$.x`"
                },
            ),
        ),
        (SystemExit(3), Failure(type="python.SystemExit", message="exit with 3", retryable=True)),
        (
            KeyboardInterrupt(),
            Failure(type="python.KeyboardInterrupt", message="KeyboardInterrupt", retryable=True),
        ),
        (
            asyncio.CancelledError(),
            Failure(type="python.CancelledError", message="CancelledError", retryable=True),
        ),
        (
            ExceptionGroup("many", [KeyError("a"), ValueError("b")]),
            Failure(
                type="python.ExceptionGroup",
                message="many (2 sub-exceptions)",
                retryable=True,
                details={
                    "exceptions": [
                        {"type": "python.KeyError", "message": "'a'"},
                        {"type": "python.ValueError", "message": "b"},
                    ]
                },
            ),
        ),
        (
            Unspeakable(),
            Failure(
                type="python.Unspeakable",
                message="(Unspeakable without text: its __str__ raised RuntimeError)",
                retryable=True,
            ),
        ),
        (
            OSError("no file \udcff"),
            Failure(type="python.OSError", message="no file \\udcff", retryable=True),
        ),
    ],
    ids=lambda value: getattr(value, "type", ""),
)
def test_failure_of(error, failure):
    assert failure_of(error) == failure
    msgspec.json.encode(failure_of(error))


def test_causes_are_told():
    try:
        try:
            raise KeyError("inner")
        except KeyError as inner:
            raise ActivityError("outer", type="a.b") from inner
    except ActivityError as error:
        failure = failure_of(error)
    assert failure.cause == Failure(type="python.KeyError", message="'inner'", retryable=True)


def test_a_long_chain_is_cut_and_a_ring_of_causes_ends():
    first, second = ValueError("1"), ValueError("2")
    first.__cause__, second.__cause__ = second, first
    failure, depth = failure_of(first), 1
    while failure.cause is not None:
        failure, depth = failure.cause, depth + 1
    assert depth == CAUSES


def test_a_long_message_is_cut():
    message = failure_of(ValueError("x" * 100_000)).message
    assert len(message) == MESSAGE_LENGTH
    assert message.endswith("…")


def test_large_details_are_refused():
    failure = failure_of(ActivityError("no", details="x" * 100_000))
    assert failure.details == {"refused": "error details has 100002 bytes, the limit is 65536"}
