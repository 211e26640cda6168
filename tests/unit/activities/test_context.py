"""What an activity knows of itself."""

import logging

import pytest

from engine.activities.context import CURRENT, ActivityCall, ActivityContext, Line, current
from engine.activities.result import ActivityResultError


def call(**fields) -> ActivityCall:
    return ActivityCall(
        **{
            "name": "mail.send",
            "instance_id": "order-A/1",
            "execution": 2,
            "workflow": "order",
            "version": "1.2.0",
            "step_path": "items[3]/send",
            "attempt": 4,
            **fields,
        }
    )


def context(line: Line | None = None, **fields) -> ActivityContext:
    return ActivityContext(line or Line(call(**fields), lambda *_: None))


def test_it_tells_who_calls():
    ctx = context(heartbeat_details={"page": 7})
    assert ctx.instance_id == "order-A/1"
    assert ctx.execution == 2
    assert ctx.workflow == "order"
    assert ctx.version == "1.2.0"
    assert ctx.step_path == "items[3]/send"
    assert ctx.attempt == 4
    assert ctx.heartbeat_details == {"page": 7}
    assert not ctx.cancelled


def test_the_idempotency_key_is_the_same_for_all_attempts():
    assert context(attempt=1).idempotency_key == context(attempt=9).idempotency_key
    assert context().idempotency_key == "order-A/1/2/items[3]/send"


@pytest.mark.parametrize(
    "other", [{"instance_id": "order-A"}, {"execution": 3}, {"step_path": "items[4]/send"}]
)
def test_other_steps_have_other_keys(other):
    assert context(**other).idempotency_key != context().idempotency_key


def test_a_long_key_is_shortened_to_its_digest():
    keys = {context(instance_id="x" * 300 + end).idempotency_key for end in "ab"}
    assert len(keys) == 2
    assert {len(key) for key in keys} == {64}


def test_heartbeats_go_down_the_line_as_json():
    heard = []
    line = Line(call(), lambda line, details: heard.append(details))
    context(line).heartbeat({"done": (1, 2)})
    context(line).heartbeat()
    assert heard == [{"done": [1, 2]}, None]


def test_heartbeat_details_must_be_json():
    with pytest.raises(ActivityResultError, match="heartbeat details is not JSON"):
        context().heartbeat({"x": object()})


def test_cancelled_is_what_the_line_says():
    line = Line(call(), lambda *_: None)
    ctx = context(line)
    line.cancelled = True
    assert ctx.cancelled


def test_log_records_carry_the_fields(caplog):
    with caplog.at_level(logging.INFO):
        context().logger.info("sent", extra={"to": "ann"})
    [record] = caplog.records
    assert record.name == "lockstep.activity.mail.send"
    assert (record.instance_id, record.step_path, record.attempt) == (
        "order-A/1",
        "items[3]/send",
        4,
    )
    assert record.to == "ann"


def test_current_is_the_activity_that_runs_here():
    with pytest.raises(LookupError, match="no activity is running here"):
        current()
    token = CURRENT.set(Line(call(), lambda *_: None))
    try:
        assert current().step_path == "items[3]/send"
    finally:
        CURRENT.reset(token)
