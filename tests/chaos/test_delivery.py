"""Q1-Q5, W5: messages repeated, early, late, many at once; the end of a child; large fan-outs."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from engine import ActivityContext, Handle, InstanceExists, activity
from engine.errors import InstanceFailed, InstanceFinished, ResultTimeout
from engine.history import events as ev
from engine.history.letters import write_letter
from engine.runtime.live import Told
from engine.storage.records import Message, Send
from tests.runtime.rig import Rig, measured, running, status_of, stopped, workflow
from tests.scenarios.history_view import history_of

EVERYTHING = workflow("""
signals: { go: {} }
steps:
  - id: a
    activity: t.echo
    with: { value: 1 }
  - id: c
    workflow: child@^1
  - id: nap
    sleep: 10ms
  - id: w
    wait: go
output: ["${{ steps.a.output }}", "${{ steps.c.output }}", "${{ steps.w.output }}"]
""")
CHILD = workflow("steps:\n  - log: hello\noutput: child\n", name="child")


@activity("t.echo", timeout="10s")
async def echo(value: Any = None) -> Any:
    return value


async def test_a_fact_told_many_times_has_one_effect() -> None:
    async with running("sqlite://:memory:", EVERYTHING, CHILD, activities=[echo]) as rig:
        tell = rig.node.tell

        def twice(live: Any, one: Told) -> None:
            tell(live, one)
            if one.execution is not None:  # not the signal from outside: two of those are two
                for _ in range(4):
                    tell(live, Told(one.fact, execution=one.execution))

        rig.node.tell = twice  # type: ignore[method-assign]
        rig.node.calls._tell = twice
        handle = await rig.client.start("main", id="main")
        await handle.signal("go", 3)
        assert await handle.result(timeout=10) == [1, "child", 3]
        await rig.check()
        facts = [
            one for one in await history_of(rig.client, "main", 1) if isinstance(one, ev.FactBase)
        ]
        assert len(facts) == 6  # started, activity, child (started, completed), timer, signal


async def test_a_message_stored_many_times_has_one_effect(tmp_path: Path) -> None:
    async with running(f"sqlite:///{tmp_path / 'db'}", EVERYTHING, CHILD, activities=[echo]) as rig:
        handle = await rig.client.start("main", id="main")
        await asyncio.sleep(0.1)
        events = await history_of(rig.client, "main", 1)
        repeated = [one for one in events if isinstance(one, ev.ActivityCompleted | ev.TimerFired)]
        assert len(repeated) == 2
        messages = [
            Send(message=Message("main", write_letter(one), execution=1, token=None))
            for one in repeated
            for _ in range(5)
        ]
        await rig.store.inner.send(messages)
        await handle.signal("go")
        assert await handle.result(timeout=10) == [1, "child", None]
        await rig.check()
        assert len(await history_of(rig.client, "main", 1)) == len(events) + 3


LOOP = workflow("""
input_schema:
  type: object
  properties:
    n: { type: integer, default: 0 }
    sum: { type: integer, default: 0 }
    last: { type: integer }
signals: { add: { schema: { type: integer } } }
steps:
  - id: one
    wait: add
  - id: two
    wait: add
  - when: ${{ input.n == input.last }}
    return: ${{ input.sum + steps.one.output + steps.two.output }}
  - continue_as_new:
      n: ${{ input.n + 1 }}
      last: ${{ input.last }}
      sum: ${{ input.sum + steps.one.output + steps.two.output }}
""")


@pytest.mark.parametrize(
    ("signals", "together"), [(2_000, 2_000), (400, 40)], ids=["all at once", "in portions"]
)
async def test_no_signal_is_lost_over_continue_as_new(signals: int, together: int) -> None:
    """Early ones are carried over; those sent meanwhile find the execution that runs then."""
    rounds = signals // 2
    async with running("sqlite://:memory:", LOOP) as rig:
        handle = await rig.client.start("main", {"last": rounds - 1}, id="main")
        for first in range(0, signals, together):
            several = [handle.signal("add", n) for n in range(first, first + together)]
            await asyncio.gather(*several)
        assert await handle.result(timeout=50) == sum(range(signals))
        assert (await handle.info()).execution == rounds
        with pytest.raises(InstanceFinished):
            await handle.signal("add", 1)


async def test_a_signal_is_taken_before_the_wait_and_while_suspended() -> None:
    text = workflow(
        "signals: { go: {} }\nsteps:\n  - sleep: 30ms\n  - id: w\n    wait: go\n"
        "output: ${{ steps.w.output }}\n"
    )
    async with running("sqlite://:memory:", text) as rig:
        early = await rig.client.start("main", id="early")
        await early.signal("go", "early")
        paused = await rig.client.start("main", id="paused")
        rig.node.shelf.set_aside(rig.node.shelf.get("paused"), "a pause")  # type: ignore[arg-type]
        await status_of(rig.store, "paused", "suspended")
        await paused.signal("go", "paused")
        assert await early.result(timeout=10) == "early"
        assert await rig.client.resume("paused")
        assert await paused.result(timeout=10) == "paused"
        await rig.check()


@pytest.mark.parametrize("on_duplicate", ["reject", "return_existing"])
async def test_fifty_clients_start_the_same_id(on_duplicate: Any, tmp_path: Path) -> None:
    text = workflow("signals: { go: {} }\nsteps:\n  - wait: go\n")
    async with running(f"sqlite:///{tmp_path / 'db'}", text) as rig:
        for round_ in range(20):
            name = f"i{round_}"
            asked = [
                rig.client.start("main", id=name, on_duplicate=on_duplicate) for _ in range(50)
            ]
            answers = await asyncio.gather(*asked, return_exceptions=True)
            refused = [one for one in answers if isinstance(one, InstanceExists)]
            assert len(refused) == (49 if on_duplicate == "reject" else 0), answers
            await rig.client.signal(name, "go")
            await rig.client.result(name, timeout=10)
            assert len(await rig.client.history(name)) == 5
        assert len(await rig.client.list(limit=100)) == 20
        await rig.check()


FAN = workflow("""
input_schema: { type: object, properties: { of: { type: integer }, width: { type: integer } } }
steps:
  - id: each
    foreach: ${{ range(input.of) | list }}
    as: n
    concurrency: ${{ input.of }}
    steps:
      - id: e
        activity: t.echo
        with: { value: "${{ n }}" }
    output: ${{ steps.e.output }}
output: ${{ steps.each.output | sum }}
""").replace("    concurrency: ${{ input.of }}\n", "    concurrency: 10000\n")


@pytest.mark.parametrize("width", [1, 1_023, 1_024, 1_025, 2_000, pytest.param(10_000)])
async def test_a_fan_out_of_any_size_completes(width: int, tmp_path: Path) -> None:
    async with running(f"sqlite:///{tmp_path / 'db'}", FAN, activities=[echo]) as rig:
        began = time.perf_counter()
        handle = await rig.client.start("main", {"of": width}, id="main")
        assert await handle.result(timeout=50) == sum(range(width))
        measured(
            f"{width} in {time.perf_counter() - began:.2f} s, {len(rig.store.commits)} commits"
        )
        await rig.check()


async def cancelled_within(rig: Rig, noticed: asyncio.Event) -> float:
    handle = await rig.client.start("main", id="main")
    await asyncio.sleep(0.05)
    began = time.monotonic()
    await handle.cancel("enough")
    await asyncio.wait_for(noticed.wait(), 5)
    took = time.monotonic() - began
    await status_of(rig.store, "main", "cancelled")
    return took


async def test_a_running_activity_hears_of_the_cancel_within_a_second() -> None:
    noticed = asyncio.Event()

    @activity("t.forever", timeout="30s")
    async def forever() -> str:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            noticed.set()
            await asyncio.sleep(0.05)
            return "late"  # which nobody wants any more
        return "end"

    text = workflow("steps:\n  - activity: t.forever\n")
    async with running("sqlite://:memory:", text, activities=[forever]) as rig:
        assert await cancelled_within(rig, noticed) <= 1
        await asyncio.sleep(0.1)
        kinds = [type(one) for one in await history_of(rig.client, "main", 1)]
        assert ev.ActivityCompleted not in kinds
        assert ev.ActivityCancelled in kinds
        await rig.check()


async def test_a_running_thread_hears_of_the_cancel_within_a_second() -> None:
    noticed = asyncio.Event()
    loop = asyncio.get_running_loop()

    @activity("t.forever", timeout="30s")
    def forever(ctx: ActivityContext) -> str:
        while not ctx.cancelled:
            time.sleep(0.01)
        loop.call_soon_threadsafe(noticed.set)
        return "late"

    text = workflow("steps:\n  - activity: t.forever\n")
    async with running("sqlite://:memory:", text, activities=[forever]) as rig:
        assert await cancelled_within(rig, noticed) <= 1
        await rig.check()


PARENT = workflow("""
steps:
  - id: c
    workflow: child@^1
    instance_id: the-child
output: ${{ steps.c.output }}
""")
WAITING_CHILD = workflow(
    "signals: { end: {} }\nsteps:\n  - wait: end\noutput: child\n", name="child"
)


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_parent_hears_of_the_end_that_came_while_it_was_away(
    cancelled: bool, tmp_path: Path
) -> None:
    """Q4: the child's end is committed with the notice, so there is nothing between to lose."""
    url = f"sqlite:///{tmp_path / 'db'}"
    async with running(url, PARENT, WAITING_CHILD) as rig:
        await rig.client.start("main", id="main")
        parent = rig.node.shelf.get("main")
        assert parent is not None
        rig.node.shelf.drop(parent)  # the notice goes to the inbox alone
        rig.store.before["load"] = lambda: (_ for _ in ()).throw(AssertionError("stop here"))
        if cancelled:
            await rig.store.inner.send(
                [Send(message=Message("main", write_letter(ev.CancelRequested(at=0))))]
            )
        await rig.client.signal("the-child", "end")
        rig.node.fail(RuntimeError("it dies here"))
    async with running(url) as rig:
        info = await stopped(Handle(rig.client, "main"))
        assert info.status == ("cancelled" if cancelled else "completed")
        assert (await rig.client.get("the-child")).status in ("completed", "cancelled")
        await rig.check()


RECEIVER = workflow(
    "signals: { end: {}, more: {} }\nsteps:\n  - wait: end\n  - log: ${{ instance.id }}\n",
    name="receiver",
)
SENDER = workflow(
    """
input_schema: { type: object, properties: { n: { type: integer } } }
steps:
  - signal: end
    to: r${{ input.n }}
  - try:
      - id: many
        foreach: ${{ range(20) | list }}
        as: turn
        steps:
          - signal: more
            to: r${{ input.n }}
    catch:
      - on: [sys.instance_finished]
        steps:
          - return: finished
""",
    name="sender",
)


async def test_whoever_sends_to_an_instance_that_is_just_ending_gets_an_answer() -> None:
    """The signal is being stored while the receiver takes its last turn."""
    ends = asyncio.Event()

    @activity("t.wait", timeout="10s")
    async def wait() -> None:
        await ends.wait()

    receiver = workflow("signals: { more: {} }\nsteps:\n  - activity: t.wait\n", name="receiver")
    sender = workflow("steps:\n  - signal: more\n    to: r\n", name="sender")
    async with running("sqlite://:memory:", receiver, sender, activities=[wait]) as rig:
        last = await rig.client.start("receiver", id="r")

        def before() -> None:
            if any(delta.sends for delta in rig.store.commits[-1]):
                ends.set()

        rig.store.before["commit"] = before
        late = await rig.client.start("sender", id="s")
        await last.result(timeout=5)
        with suppress(InstanceFailed):  # either answer is true
            await late.result(timeout=5)
        await rig.check()


async def test_whoever_sends_to_an_instance_being_terminated_gets_an_answer(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'db'}"
    async with running(url, RECEIVER, SENDER) as rig:
        receivers = [await rig.client.start("receiver", id=f"r{n}") for n in range(20)]
        assert rig.node.shelf.park(everything=True) == 20
        senders = [
            await rig.client.start("sender", {"n": n}, id=f"s{n}-{m}")
            for n in range(20)
            for m in range(4)
        ]
        await asyncio.gather(*(one.terminate() for one in receivers), return_exceptions=True)
        answers = await asyncio.gather(
            *(one.result(timeout=10) for one in senders), return_exceptions=True
        )
        assert not [one for one in answers if isinstance(one, ResultTimeout)], answers
        await rig.check()
