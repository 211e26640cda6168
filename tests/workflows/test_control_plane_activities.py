"""The activities of the control plane may be called twice and then change nothing more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import ActivityContext, ActivityError
from engine.activities.context import ActivityCall, Line
from workflows.activities import control_plane as plane
from workflows.cluster import rows

NAME = {"name": "orders"}
PLACE = {"name": "orders", "namespace": "databases"}


@pytest.fixture(autouse=True)
def own_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKSTEP_CLUSTER", str(tmp_path / "cluster.db"))
    monkeypatch.delenv("LOCKSTEP_POD_POLLS", raising=False)
    monkeypatch.delenv("LOCKSTEP_FAIL_PROBE", raising=False)


def called_by(instance: str) -> ActivityContext:
    call = ActivityCall(
        name="x", instance_id=instance, workflow="w", version="1.0.0", step_path="step"
    )
    return ActivityContext(Line(call, lambda line, details: None))


def everything() -> dict[str, list[dict[str, Any]]]:
    tables = ("instances", "dns", "health", "images", "alerts")
    return {table: rows(f"SELECT * FROM {table} ORDER BY 1") for table in tables}


@pytest.mark.parametrize(
    "call",
    [
        lambda: plane.create_record(**PLACE, owner="me", ctx=called_by("a")),
        lambda: plane.set_state(**NAME, state="running", message="ready"),
        lambda: plane.record_actor(**NAME, actor_id="actor-orders"),
        lambda: plane.record_health(**NAME, healthy=True, ctx=called_by("a")),
        lambda: plane.deploy_postgres(**PLACE, storage_gb=3),
        lambda: plane.delete_postgres(**PLACE),
        lambda: plane.free_dns_name(**NAME),
        lambda: plane.delete_record(**NAME),
        lambda: plane.create_image_record(name="friday", source="orders", ctx=called_by("a")),
        lambda: plane.set_image_state(name="friday", state="ready"),
        lambda: plane.delete_backup_job(image="friday"),
        lambda: plane.alert(text="wake up", ctx=called_by("a")),
    ],
)
def test_a_repeated_call_changes_nothing_more(call: Callable[[], object]) -> None:
    plane.create_record(**PLACE, owner="me", ctx=called_by("a"))
    call()
    before = everything()
    call()
    assert everything() == before


def test_a_name_that_somebody_else_took_is_refused() -> None:
    plane.create_record(**PLACE, owner="me", ctx=called_by("a"))
    with pytest.raises(ActivityError) as refused:
        plane.create_record(**PLACE, owner="you", ctx=called_by("b"))
    assert (refused.value.type, refused.value.retryable) == ("cms.name_taken", False)


def test_a_pod_is_ready_at_the_second_look_and_answers_by_name_and_by_address() -> None:
    plane.deploy_postgres(**PLACE, storage_gb=3)
    strings = plane.connection_strings(**PLACE)
    assert not plane.pod_status(**PLACE).is_ready
    with pytest.raises(ActivityError, match="nobody answers"):
        plane.connect(strings.ip_dsn)
    assert plane.pod_status(**PLACE).is_ready
    assert strings.dns_dsn is not None
    assert plane.connect(strings.dns_dsn) == plane.connect(strings.ip_dsn)


def test_the_probe_can_be_made_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKSTEP_FAIL_PROBE", "1")
    with pytest.raises(ActivityError) as refused:
        plane.connect("postgresql://10.0.0.1:5432/postgres")
    assert refused.value.type == "pg.authentication_failed"


def test_without_a_pod_there_is_a_typed_error() -> None:
    for call in (plane.pod_status, plane.connection_strings):
        with pytest.raises(ActivityError) as missing:
            call(**PLACE)
        assert missing.value.type == "k8s.not_found"
    with pytest.raises(ActivityError):
        plane.start_backup(image="friday", source="orders")
    with pytest.raises(ActivityError):
        plane.backup_status("backup-friday")
