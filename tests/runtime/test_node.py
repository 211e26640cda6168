"""A node at work: other processes, missing capabilities, limits, starts, ends, shutdown."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from engine import ActivityContext, ActivityError, Client, NodeOptions, activity
from engine.client.models import StartRequest
from engine.errors import (
    EngineError,
    InputRefused,
    InstanceExists,
    InstanceFailed,
    InstanceFinished,
    InstanceNotFound,
    InstanceTerminated,
    LimitExceeded,
    NodeBusy,
    ResultTimeout,
    StorageUnavailable,
    UnknownWorkflow,
)
from engine.runtime.engine import open_client
from engine.storage.url import open_store
from tests.runtime.rig import Rig, running, status_of, workflow


@activity("t.echo", timeout="10s")
async def echo(value: Any = None) -> Any:
    return value


@activity("t.blob", timeout="10s")
async def blob(size: int) -> str:
    return "x" * size


WAITING = workflow("""
input_schema: { type: object, properties: { n: { type: integer, default: 0 } } }
signals: { go: {} }
steps:
  - id: w
    wait: go
output: ["${{ input.n }}", "${{ steps.w.output }}"]
""")
ECHO = workflow(
    """
input_schema: { type: object, properties: { v: {} } }
steps:
  - id: e
    activity: t.echo
    with: { value: "${{ input.v | default(1) }}" }
output: ${{ steps.e.output }}
""",
    name="echo",
)


# -- other processes -------------------------------------------------------------------------------


async def test_what_another_process_asks_for_is_noticed_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'db'}"
    async with running(url, WAITING, ECHO, activities=[echo]), open_client(url) as other:
        began = time.monotonic()
        handle = await other.start("echo", {"v": "x"})
        assert await handle.result(timeout=5) == "x"
        waiting = await other.start("main", {"n": 4}, id="main")
        await waiting.signal("go", 5)
        assert await waiting.result(timeout=5) == [4, 5]
        assert time.monotonic() - began < 2
        with pytest.raises(InstanceFinished):
            await waiting.signal("go")
        with pytest.raises(InstanceExists):
            await other.start("main", id="main")
        events = [event async for event in waiting.events()]
        assert events[-1]["kind"] == "completed"


async def test_a_version_that_another_process_deploys_can_be_started_here(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'db'}"
    async with running(url, WAITING) as rig, open_client(url) as other:
        await other.deploy_text(WAITING.replace("1.0.0", "1.1.0"))
        assert (await (await rig.client.start("main", version="1.1.0")).info()).version == "1.1.0"


async def test_a_store_takes_one_node(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'db'}"
    async with running(url):
        with pytest.raises(NodeBusy):
            async with running(url):
                raise AssertionError("two nodes")


# -- capabilities ----------------------------------------------------------------------------------


async def test_an_activity_that_nobody_has_is_waited_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"sqlite:///{tmp_path / 'db'}"
    async with running(url, ECHO, WAITING) as rig:
        handle = await rig.client.start("echo", {"v": 7}, id="main")
        await asyncio.sleep(0.05)
        info = await handle.info()
        assert info.status == "running"
        assert [wait["activity"] for wait in info.waiting_for or []] == ["t.echo"]
        assert [one.activity for one in rig.node.calls.unserved()] == ["t.echo"]
        assert "waiting for capability" in caplog.text
        await rig.client.start("main", id="neighbour")
        await rig.client.signal("neighbour", "go")
        await rig.client.result("neighbour", timeout=5)
    async with running(url, activities=[echo]) as rig:
        assert await rig.client.result("main", timeout=5) == 7
        assert rig.node.calls.unserved() == []
        assert (await rig.store.inner.get("main")).attempts == 0
        await rig.check()


async def test_the_deadline_of_a_call_that_nobody_takes_passes() -> None:
    text = workflow("steps:\n  - activity: t.nowhere\n    timeout: 100ms\n")
    async with running("sqlite://:memory:", text) as rig:
        handle = await rig.client.start("main")
        with pytest.raises(InstanceFailed) as failed:
            await handle.result(timeout=5)
        assert failed.value.error["type"] == "sys.timeout"
        assert rig.node.calls.unserved() == []
        await rig.check()


async def test_a_queue_that_is_not_served_waits() -> None:
    text = workflow("steps:\n  - activity: t.echo\n    queue: gpu\n")
    async with running("sqlite://:memory:", text, activities=[echo]) as rig:
        handle = await rig.client.start("main")
        with pytest.raises(ResultTimeout):
            await handle.result(timeout=0.1)
        assert [one.queue for one in rig.node.calls.unserved()] == ["gpu"]


async def test_heartbeat_details_reach_the_next_attempt() -> None:
    seen: list[Any] = []

    @activity("t.beat", timeout="10s")
    async def beat(ctx: ActivityContext) -> str:
        seen.append(ctx.heartbeat_details)
        ctx.heartbeat({"at": ctx.attempt})
        await asyncio.sleep(0)
        if ctx.attempt < 3:
            raise ActivityError("again")
        return "done"

    text = workflow(
        "steps:\n  - activity: t.beat\n    retry: { max_attempts: 3, backoff: fixed, delay: 1ms }\n"
    )
    async with running("sqlite://:memory:", text, activities=[beat]) as rig:
        await (await rig.client.start("main")).result(timeout=5)
        assert seen == [None, {"at": 1}, {"at": 2}]
        await rig.check()


# -- starts ----------------------------------------------------------------------------------------


async def test_on_duplicate_against_one_that_runs() -> None:
    async with running("sqlite://:memory:", WAITING) as rig:
        start = rig.client.start
        await start("main", {"n": 1}, id="a")
        for word in ("reject", "restart_if_finished"):
            with pytest.raises(InstanceExists) as refused:
                await start("main", {"n": 2}, id="a", on_duplicate=word)
            assert refused.value.status == "running"
        same = await start("main", {"n": 2}, id="a", on_duplicate="return_existing")
        assert (await same.info()).input == {"n": 1}
        fresh = await start("main", {"n": 3}, id="a", on_duplicate="terminate_and_restart")
        info = await fresh.info()
        assert (info.execution, info.input) == (2, {"n": 3})
        await fresh.signal("go", "x")
        assert await fresh.result(timeout=5) == [3, "x"]
        await rig.check()


async def test_on_duplicate_against_one_that_has_ended() -> None:
    async with running("sqlite://:memory:", WAITING) as rig:
        start = rig.client.start
        await (await start("main", {"n": 1}, id="a")).terminate("enough")
        await status_of(rig.store, "a", "terminated")
        with pytest.raises(InstanceExists):
            await start("main", id="a")
        same = await start("main", {"n": 2}, id="a", on_duplicate="return_existing")
        assert (await same.info()).status == "terminated"
        for n, word in enumerate(("restart_if_finished", "terminate_and_restart"), 2):
            again = await start("main", {"n": n}, id="a", on_duplicate=word)
            await again.signal("go", word)
            assert await again.result(timeout=5) == [n, word]
            assert (await again.info()).execution == n
        await rig.check()


async def test_many_restarts_at_once_are_one(tmp_path: Path) -> None:
    async with running(f"sqlite:///{tmp_path / 'db'}", WAITING) as rig:
        for _ in range(5):
            handles = await asyncio.gather(
                *(rig.client.ensure("main", {"n": n}, id="a") for n in range(20))
            )
            await handles[0].signal("go")
            await handles[0].result(timeout=5)
        assert (await handles[0].info()).execution == 5
        await rig.check()


async def test_start_many_starts_all_or_says_what_is_wrong() -> None:
    async with running("sqlite://:memory:", ECHO, activities=[echo]) as rig:
        handles = await rig.client.start_many(
            [StartRequest(workflow="echo", input={"v": n}) for n in range(50)]
        )
        assert [await handle.result(timeout=5) for handle in handles] == list(range(50))
        with pytest.raises(UnknownWorkflow):
            await rig.client.start_many([StartRequest(workflow="ecco")])
        await rig.check()


async def test_a_result_that_does_not_come_in_time_comes_later() -> None:
    async with running("sqlite://:memory:", WAITING) as rig:
        handle = await rig.client.start("main")
        with pytest.raises(ResultTimeout):
            await handle.result(timeout=0.05)
        with pytest.raises(ResultTimeout):
            await handle.result(timeout=0)
        await handle.signal("go", 1)
        assert await handle.result(timeout=5) == [0, 1]
        assert rig.node.endings == {}
        with pytest.raises(InstanceNotFound):
            await rig.client.result("nobody", timeout=1)


async def test_events_go_on_over_continue_as_new() -> None:
    text = workflow("""
input_schema: { type: object, properties: { n: { type: integer, default: 0 } } }
steps:
  - sleep: 10ms
  - when: ${{ input.n == 3 }}
    return: ${{ input.n }}
  - continue_as_new: { n: "${{ input.n + 1 }}" }
""")
    async with running("sqlite://:memory:", text) as rig:
        handle = await rig.client.start("main")
        async with asyncio.timeout(5):
            events = [event async for event in handle.events()]
        assert [e["execution"] for e in events if e["kind"] == "started"] == [1, 2, 3, 4]
        assert [e["seq"] for e in events if e["execution"] == 4] == [1, 2, 3, 4]
        assert events[-1]["kind"] == "completed"
        assert rig.node.watchers == {}


# -- suspended -------------------------------------------------------------------------------------


async def suspended(rig: Rig) -> None:
    """An instance `main`, set aside."""
    await rig.client.start("main", id="main")
    live = rig.node.shelf.get("main")
    assert live is not None
    rig.node.shelf.set_aside(live, "a test")
    await status_of(rig.store, "main", "suspended")


async def test_a_suspended_instance_keeps_its_signals_and_goes_on() -> None:
    async with running("sqlite://:memory:", WAITING) as rig:
        await suspended(rig)
        await rig.client.signal("main", "go", 1)
        await asyncio.sleep(0.05)
        info = await rig.client.get("main")
        assert (info.status, info.suspended_reason) == ("suspended", "a test")
        assert await rig.client.resume("main")
        assert await rig.client.result("main", timeout=5) == [0, 1]
        assert not await rig.client.resume("main")
        await rig.check()


async def test_a_suspended_instance_can_be_terminated() -> None:
    async with running("sqlite://:memory:", WAITING) as rig:
        await suspended(rig)
        await rig.client.terminate("main", "enough")
        with pytest.raises(InstanceTerminated, match="enough"):
            await rig.client.result("main", timeout=5)
        await rig.check()


async def test_a_suspended_instance_is_replaced_on_demand() -> None:
    async with running("sqlite://:memory:", WAITING) as rig:
        await suspended(rig)
        again = await rig.client.start("main", id="main", on_duplicate="terminate_and_restart")
        assert (await again.info()).execution == 2
        await rig.check()


async def test_the_child_of_a_parent_is_terminated_and_the_parent_hears() -> None:
    parent = workflow(
        "steps:\n  - try:\n      - workflow: main@^1\n        instance_id: c\n"
        "    catch:\n      - on: [sys.child_failed]\n        steps:\n"
        "          - return: ${{ error.cause.type }}\n",
        name="parent",
    )
    async with running("sqlite://:memory:", WAITING, parent) as rig:
        handle = await rig.client.start("parent", id="parent")
        rig.node.shelf.set_aside(rig.node.shelf.get("c"), "a test")  # type: ignore[arg-type]
        await status_of(rig.store, "c", "suspended")
        await rig.client.terminate("c")
        assert await handle.result(timeout=5) == "sys.terminated"
        await rig.check()


# -- limits ----------------------------------------------------------------------------------------


async def failure_of(rig: Rig, **start: Any) -> str:
    """The error type of a run of `main`."""
    handle = await rig.client.start("main", start or None)
    with pytest.raises(InstanceFailed) as failed:
        await handle.result(timeout=10)
    await rig.check()
    return str(failed.value.error["type"])


async def test_a_payload_over_the_limit_is_refused_before_it_is_stored() -> None:
    async with running("sqlite://:memory:", WAITING) as rig:
        big = "x" * (1024 * 1024 + 1)
        with pytest.raises(LimitExceeded):
            await rig.client.start("main", {"n": 1, "big": big}, id="a")
        handle = await rig.client.start("main", id="a")
        with pytest.raises(LimitExceeded):
            await handle.signal("go", big)
        await handle.signal("go", "y" * 1_000_000)
        assert await handle.result(timeout=5) == [0, "y" * 1_000_000]
        assert len(await rig.client.list()) == 1


async def test_a_result_over_the_limit_fails_the_activity() -> None:
    text = workflow("steps:\n  - activity: t.blob\n    with: { size: 2000000 }\n")
    async with running("sqlite://:memory:", text, activities=[blob]) as rig:
        assert await failure_of(rig) == "sys.limit"


async def test_a_history_over_the_limit_ends_the_execution() -> None:
    text = workflow("""
steps:
  - while: ${{ true }}
    max_iterations: 10000
    steps:
      - activity: t.echo
""")
    options = NodeOptions(history_limit=200)
    async with running("sqlite://:memory:", text, activities=[echo], options=options) as rig:
        assert await failure_of(rig) == "sys.limit"


async def test_a_loop_without_a_wait_ends_and_its_neighbours_go_on() -> None:
    text = workflow(
        "vars: { n: 0 }\nsteps:\n  - while: ${{ true }}\n    max_iterations: 1000000\n"
        "    steps:\n      - set: { n: \"${{ vars.n + 1 }}\" }\n"
    )  # fmt: skip
    async with running("sqlite://:memory:", text, ECHO, activities=[echo]) as rig:
        other = await rig.client.start("echo")
        assert await failure_of(rig) == "sys.limit"
        assert await other.result(timeout=5) == 1


async def test_a_fan_out_over_the_limit_is_refused() -> None:
    text = workflow("""
steps:
  - foreach: ${{ (range(6000) | list) + (range(6000) | list) }}
    concurrency: 10000
    steps:
      - activity: t.echo
""")
    async with running("sqlite://:memory:", text, activities=[echo]) as rig:
        assert await failure_of(rig) == "sys.limit"


async def test_a_status_over_the_limit_is_refused() -> None:
    text = workflow("steps:\n  - status: ${{ 'x' * 300000 }}\n")
    async with running("sqlite://:memory:", text) as rig:
        assert await failure_of(rig) == "sys.limit"


async def test_a_backlog_of_signals_has_an_end() -> None:
    text = workflow("signals: { go: {} }\nsteps:\n  - sleep: 1h\n")
    options = NodeOptions(signal_backlog=50)
    async with running("sqlite://:memory:", text, options=options) as rig:
        handle = await rig.client.start("main")
        for n in range(50):
            await handle.signal("go", n)
        with pytest.raises(LimitExceeded):
            await handle.signal("go", 50)
        sent = await asyncio.gather(
            *(handle.signal("go") for _ in range(9)), return_exceptions=True
        )
        assert all(isinstance(one, LimitExceeded) for one in sent)
        await handle.cancel()
        await status_of(rig.store, handle.id, "cancelled")


async def test_a_backlog_from_another_instance_is_refused_to_the_sender() -> None:
    sleeper = workflow("signals: { go: {} }\nsteps:\n  - sleep: 1h\n", name="sleeper")
    sender = workflow(
        "steps:\n  - foreach: ${{ range(60) | list }}\n"
        "    steps:\n      - signal: go\n        to: s\n"
    )
    options = NodeOptions(signal_backlog=50)
    async with running("sqlite://:memory:", sleeper, sender, options=options) as rig:
        await rig.client.start("sleeper", id="s")
        assert await failure_of(rig) == "sys.limit"


# -- shutdown --------------------------------------------------------------------------------------


async def test_shutdown_lets_activities_finish_and_stores_what_they_said(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'db'}"
    ran: list[int] = []

    @activity("t.echo", timeout="10s")
    async def slow(value: Any = None) -> Any:
        await asyncio.sleep(0.2)
        ran.append(value)
        return value

    async with running(url, ECHO, activities=[slow]) as rig:
        for n in range(20):
            await rig.client.start("echo", {"v": n}, id=f"i{n}")
    assert sorted(ran) == list(range(20))
    async with open_store(url) as store:
        for n in range(20):
            record = await store.get(f"i{n}")
            assert record is not None
            assert (record.status, record.attempts) == ("completed", 0)


async def test_shutdown_is_heard_by_those_who_wait() -> None:
    waiting: list[asyncio.Task[Any]] = []
    clients: list[Client] = []
    async with running("sqlite://:memory:", WAITING) as rig:
        handle = await rig.client.start("main", id="main")

        async def follow() -> None:
            async for _ in handle.events():
                pass

        waiting = [asyncio.create_task(handle.result()), asyncio.create_task(follow())]
        clients.append(rig.client)
        await asyncio.sleep(0.05)
    done, pending = await asyncio.wait(waiting, timeout=2)
    assert not pending
    for task in done:
        assert isinstance(task.exception(), StorageUnavailable)
    with pytest.raises(EngineError):
        await asyncio.wait_for(clients[0].result("main"), 2)


async def test_shutdown_does_not_wait_for_ever_for_a_store_that_is_away(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'db'}"
    began = time.monotonic()
    options = NodeOptions(shutdown_grace=200_000)
    async with running(url, WAITING, options=options) as rig:
        await rig.client.start("main", id="main")

        def away() -> None:
            raise StorageUnavailable("no space")

        rig.store.before["commit"] = away
        asked = asyncio.create_task(rig.client.signal("main", "go"))
        await asyncio.sleep(0.05)
    assert time.monotonic() - began < 3
    with pytest.raises(StorageUnavailable):
        await asyncio.wait_for(asked, 2)
    async with running(url) as rig:
        assert (await rig.client.get("main")).status == "running"


async def test_a_refusal_tells_where(tmp_path: Path) -> None:
    async with running("sqlite://:memory:", WAITING) as rig:
        with pytest.raises(InputRefused) as refused:
            await rig.client.start("main", {"n": "x"})
        assert refused.value.path == "/n"
