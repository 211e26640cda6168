"""P1, P2, D1 and an outcome nobody knows: poison, corrupt rows, a store that is away."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import activity
from engine.errors import InstanceTerminated, StorageBroken, StorageUnavailable
from tests.chaos.scene import Scene, starts
from tests.runtime.rig import Rig, Watched, running, status_of, waits_for_signal, workflow

POISON = workflow("""
input_schema: { type: object, properties: { steps: { type: integer }, ms: { type: number } } }
steps:
  - when: ${{ input.steps == 0 }}
    activity: chaos.poison
  - id: each
    foreach: ${{ range(input.steps) | list }}
    as: n
    steps:
      - id: step
        activity: chaos.step
        with: { ms: "${{ input.ms }}" }
output: ${{ input.steps }}
""")


@activity("t.echo", timeout="10s")
async def echo(value: Any = None) -> Any:
    return value


async def run_until(scene: Scene, **wanted: int) -> None:
    """Start a worker again whenever it has died, until the statuses are these."""
    for _ in range(20):
        worker = await scene.spawn()
        death = asyncio.create_task(worker.wait())
        goal = asyncio.create_task(
            scene.until(lambda found: all(found[name] == n for name, n in wanted.items()))
        )
        await asyncio.wait([death, goal], return_when=asyncio.FIRST_COMPLETED)
        death.cancel()
        goal.cancel()
        await asyncio.gather(death, goal, return_exceptions=True)
        if worker.returncode is None:
            await scene.kill()
            return
    raise AssertionError(f"it goes on dying: {await scene.statuses()}")


async def test_poison_is_set_aside_and_its_neighbours_complete(scene: Scene) -> None:
    """P1. What was in flight when the node died is suspect too, until it gets on."""
    await scene.prepare(POISON, starts(30, steps=30, ms=20))
    async with scene.client() as client:
        await client.start("main", {"steps": 0}, id="poison")
    await run_until(scene, completed=30, suspended=1)
    assert 1 < len(scene.lines("deaths")) <= 7
    assert len(set(scene.keys())) == 900
    (scene.folder / "healed").touch()
    async with scene.node() as rig:
        info = await rig.client.get("poison")
        assert "died" in (info.suspended_reason or "")
        assert await rig.client.resume("poison")
        assert await rig.client.result("poison", timeout=10) == 0
        await rig.check()


async def test_three_poisons_are_set_aside_and_their_neighbours_complete(scene: Scene) -> None:
    await scene.prepare(POISON, starts(9, steps=20, ms=10))
    async with scene.client() as client:
        for n in (2, 5, 8):
            await client.terminate(f"i{n}")
            await client.start("main", {"steps": 0}, id=f"poison-{n}")
    await run_until(scene, completed=6, suspended=3)


async def test_poison_can_be_terminated_without_running_it(scene: Scene) -> None:
    await scene.prepare(POISON, starts(1, steps=0))
    await run_until(scene, suspended=1)
    deaths = len(scene.lines("deaths"))
    async with scene.client() as client:
        await client.terminate("i0", "no cure")
    await run_until(scene, terminated=1)
    assert len(scene.lines("deaths")) == deaths
    async with scene.client() as client:
        with pytest.raises(InstanceTerminated, match="no cure"):
            await client.result("i0")


WAITING = workflow("""
signals: { go: {} }
steps:
  - id: a
    activity: t.echo
    with: { value: 1 }
  - wait: go
output: ${{ steps.a.output }}
""")


def spoil(path: Path, sql: str, *values: object) -> None:
    """Change the file behind the store's back."""
    with sqlite3.connect(path) as raw:
        assert raw.execute(sql, values).rowcount >= 1
    raw.close()


def damage(path: Path, change: Callable[[bytes], bytes], *, last: bool = True) -> None:
    """Change a page of the instance `bad`."""
    with sqlite3.connect(path) as raw:
        order = "DESC" if last else "ASC"
        rowid, payload = raw.execute(
            "SELECT p.rowid, p.payload FROM pages p JOIN instances i ON i.key = p.instance "
            f"WHERE i.id = 'bad' ORDER BY p.first_seq {order} LIMIT 1"
        ).fetchone()
        raw.execute("UPDATE pages SET payload = ? WHERE rowid = ?", (change(payload), rowid))
    raw.close()


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "cut off": lambda data: data[: len(data) // 2],
    "zeros": lambda data: bytes(len(data)),
    "noise": lambda data: bytes((7 * n + 13) % 256 for n in range(len(data))),
    "a flipped bit": lambda data: data[:20] + bytes([data[20] ^ 1]) + data[21:],
    "bad UTF-8": lambda data: data[:-5] + b"\xff\xfe" + data[-3:],
    "another kind": lambda data: data.replace(b"activity_completed", b"activity_complexed"),
    "another ref": lambda data: data.replace(b'"ref":2', b'"ref":7'),
    "no JSON number": lambda data: data.replace(b'"ref":2', b'"ref":[]'),
    "another shape": lambda data: b"[1, {}]",
}


async def prepared(path: Path) -> None:
    """Two instances that wait, `good` and `bad`."""
    async with running(f"sqlite:///{path}", WAITING, activities=[echo]) as rig:
        for name in ("good", "bad"):
            handle = await rig.client.start("main", id=name)
            await waits_for_signal(handle)


async def suspended(rig: Rig) -> str:
    """Wait until `bad` is set aside; the reason."""
    await status_of(rig.store.inner, "bad", "suspended")
    return str((await rig.store.inner.get("bad")).suspended_reason)


async def finish_good(rig: Rig) -> None:
    """The neighbour did not notice."""
    await rig.client.signal("good", "go")
    assert await rig.client.result("good", timeout=5) == 1
    assert rig.node.failed is None


@pytest.mark.parametrize("change", DAMAGE.values(), ids=DAMAGE.keys())
async def test_a_corrupt_history_is_set_aside_alone(
    change: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    """P2, and the way out of it: terminate needs no history."""
    path = tmp_path / "db"
    await prepared(path)
    damage(path, change)
    async with running(f"sqlite:///{path}", activities=[echo]) as rig:
        await rig.client.signal("bad", "go")
        reason = await suspended(rig)
        info = await rig.client.get("bad")
        assert (info.status, info.suspended_reason) == ("suspended", reason)
        await finish_good(rig)
        await rig.client.terminate("bad", "beyond repair")
        with pytest.raises(InstanceTerminated, match="beyond repair"):
            await rig.client.result("bad", timeout=5)
        assert rig.node.failed is None


async def test_a_corrupt_history_that_was_mended_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "db"
    await prepared(path)
    kept: list[bytes] = []

    def drop(data: bytes) -> bytes:
        kept.append(data)
        return data[:-3]

    damage(path, drop)
    async with running(f"sqlite:///{path}", activities=[echo]) as rig:
        await rig.client.signal("bad", "go")
        await suspended(rig)
        damage(path, lambda data: kept[0])
        assert await rig.client.resume("bad")
        assert await rig.client.result("bad", timeout=5) == 1
        await rig.check()


async def test_a_corrupt_message_is_set_aside_alone(tmp_path: Path) -> None:
    path = tmp_path / "db"
    await prepared(path)
    async with running(f"sqlite:///{path}", activities=[echo]):
        pass
    with sqlite3.connect(path) as raw:
        raw.execute(
            "INSERT INTO inbox (instance, visible_at, payload) "
            "SELECT key, 0, x'00ff' FROM instances WHERE id = 'bad'"
        )
    raw.close()
    async with running(f"sqlite:///{path}", activities=[echo]) as rig:
        await suspended(rig)
        await finish_good(rig)
        await rig.client.terminate("bad", "beyond repair")
        with pytest.raises(InstanceTerminated):
            await rig.client.result("bad", timeout=5)


async def test_a_revision_that_cannot_be_read_is_set_aside_alone(tmp_path: Path) -> None:
    path = tmp_path / "db"
    other = WAITING.replace("name: main", "name: other")
    async with running(f"sqlite:///{path}", WAITING, other, activities=[echo]) as rig:
        good = await rig.client.start("main", id="good")
        bad = await rig.client.start("other", id="bad")
        for handle in (good, bad):
            await waits_for_signal(handle)
    with sqlite3.connect(path) as raw:
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            raw.execute(f"DROP TRIGGER {name}")
    raw.close()
    spoil(
        path,
        "UPDATE revisions SET graph = x'7b7d' WHERE revision = "
        "(SELECT revision FROM instances WHERE id = 'bad')",
    )
    async with running(f"sqlite:///{path}", activities=[echo]) as rig:
        await rig.store.inner.send([])
        await rig.client.cancel("bad")
        await suspended(rig)
        await finish_good(rig)


CHAIN = workflow("""
steps:
  - id: each
    foreach: ${{ range(10) | list }}
    as: n
    steps:
      - id: e
        activity: t.echo
        with: { value: "${{ n }}" }
    output: ${{ steps.e.output }}
output: ${{ steps.each.output | sum }}
""")


class Trouble:
    """Fails every other call, `times` times."""

    def __init__(self, times: int, error: Exception) -> None:
        self.left = times
        self.error = error
        self.calls = 0

    def __call__(self) -> None:
        self.calls += 1
        if self.left and self.calls % 2:
            self.left -= 1
            raise self.error


@pytest.mark.parametrize("where", ["before", "after"])
async def test_a_commit_that_fails_or_may_have_failed_is_made_once(where: str) -> None:
    """D1 and the unknown outcome: the same token tells."""
    async with running("sqlite://:memory:", CHAIN, activities=[echo]) as rig:
        trouble = Trouble(8, StorageUnavailable("no space"))
        getattr(rig.store, where)["commit"] = trouble
        handle = await rig.client.start("main", id="main")
        assert await handle.result(timeout=10) == 45
        assert trouble.left == 0
        await rig.check()


@pytest.mark.parametrize("method", ["claim", "messages", "load", "next_due", "changed"])
async def test_a_store_that_cannot_be_read_for_a_while_delays_only(
    method: str, tmp_path: Path
) -> None:
    path = tmp_path / "db"
    text = workflow("signals: { go: {} }\nsteps:\n  - sleep: 30ms\n  - wait: go\noutput: done\n")
    async with running(f"sqlite:///{path}", text) as rig:
        await rig.client.start("main", id="main")
    trouble = Trouble(3, StorageUnavailable("away"))

    def wrapped(provider: Any) -> Any:
        store = Watched(provider)
        store.before[method] = trouble
        return store

    async with running(f"sqlite:///{path}", wrap=wrapped) as rig:
        await rig.client.signal("main", "go")
        assert await rig.client.result("main", timeout=10) == "done"
        assert rig.node.failed is None
        await rig.check()


async def test_a_full_disk_stops_nothing_for_good(tmp_path: Path) -> None:
    """D1 on a real file: whoever is answered is stored, and it goes on when there is space."""
    path = tmp_path / "db"
    big = "x" * 3_000
    async with running(f"sqlite:///{path}", CHAIN, activities=[echo]) as rig:

        async def limit(pages: int) -> None:
            def set_limit(raw: sqlite3.Connection) -> None:
                count = raw.execute("PRAGMA page_count").fetchone()[0]
                raw.execute(f"PRAGMA max_page_count = {count + pages}")

            await rig.store.inner._writer.bare(set_limit)

        await limit(4)
        asked = [
            asyncio.create_task(rig.client.start("main", id=f"{big[:200]}{n}")) for n in range(60)
        ]
        await asyncio.sleep(0.5)
        answered = [task for task in asked if task.done()]
        assert len(answered) < 60, "the disk was not full"
        stored = {info.instance_id for info in await rig.client.list(limit=100)}
        assert {task.result().id for task in answered} <= stored
        await limit(100_000)
        for handle in await asyncio.wait_for(asyncio.gather(*asked), 20):
            assert await handle.result(timeout=10) == 45
        await rig.check()


@pytest.mark.parametrize("method", ["commit", "claim", "changed"])
async def test_a_broken_disk_stops_the_node_and_everybody_hears_it(method: str) -> None:
    text = workflow("signals: { go: {} }\nsteps:\n  - wait: go\n")
    async with running("sqlite://:memory:", text) as rig:
        handle = await rig.client.start("main", id="main")

        async def follow() -> list[Any]:
            return [event async for event in handle.events()]

        waiting = [asyncio.create_task(handle.result()), asyncio.create_task(follow())]
        await asyncio.sleep(0.05)

        def broken() -> None:
            raise StorageBroken("the disk failed")

        rig.store.before[method] = broken
        if method == "commit":
            with pytest.raises(StorageBroken):
                await asyncio.wait_for(rig.client.start("main", id="other"), 5)
        else:
            rig.node.wakeups.scan()
        done, pending = await asyncio.wait(waiting, timeout=3)
        assert not pending, "somebody waits for ever"
        for task in done:
            assert isinstance(task.exception(), StorageBroken)
        with pytest.raises(StorageBroken):
            await asyncio.wait_for(handle.result(), 3)
        assert isinstance(rig.node.failed, StorageBroken)
