"""Instances that run are moved: by the node's own process, and by another one under its nose."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine import Client, Engine, activity
from engine.client.models import StartRequest
from engine.client.rebasing import RebaseOutcome, rebase_all
from engine.client.transport import StoreTransport
from engine.errors import UnknownVersion, UnknownWorkflow
from engine.runtime.engine import open_client
from engine.runtime.local import NodeTransport
from engine.runtime.options import NodeOptions

ORDER = """
dsl: 1
name: order
version: "{version}"
signals: {{ paid: {{}} }}
vars: {{ n: 0 }}
steps:
  - {{ id: reserve, activity: reserve }}
  - {{ id: paid, wait: paid }}
  - {{ id: ship, activity: ship, with: {{ by: "{by}", version: "${{{{ workflow.version }}}}" }} }}
output: "${{{{ steps.ship.output }}}}"
"""


def order(version: str, *, by: str = "post") -> str:
    return ORDER.format(version=version, by=by)


class Shop:
    """Activities that count their calls; `reserve` waits while `closed`."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.opened = asyncio.Event()
        self.opened.set()

    @property
    def activities(self) -> list[Any]:
        @activity
        async def reserve() -> None:
            self.calls.append("reserve")
            await self.opened.wait()

        @activity
        async def ship(by: str, version: str) -> str:
            self.calls.append("ship")
            return f"{by} {version}"

        return [reserve, ship]


class Rig:
    """A node, and what another process can do."""

    def __init__(self, engine: Engine, shop: Shop, url: str) -> None:
        self.engine = engine
        self.client = engine.client
        self.shop = shop
        self.url = url

    async def rebase(self, to: str, *, foreign: bool, dry_run: bool = False) -> list[RebaseOutcome]:
        if not foreign:
            transport = NodeTransport(self.engine.node)
            return [one async for one in rebase_all(transport, "order", to, dry_run=dry_run)]
        async with open_client(self.url) as client:
            transport = client._transport
            assert isinstance(transport, StoreTransport)
            return [one async for one in rebase_all(transport, "order", to, dry_run=dry_run)]

    async def waiting(self, instance_id: str, kind: str) -> None:
        async for _ in self.client.events(instance_id):
            info = await self.client.get(instance_id)
            if [one["kind"] for one in info.waiting_for or []] == [kind]:
                return


@asynccontextmanager
async def rig(path: Path, shop: Shop, **options: Any) -> AsyncIterator[Rig]:
    url = f"sqlite:///{path}/store.db"
    async with Engine.open(
        url,
        activities=shop.activities,
        synchronous="NORMAL",
        options=NodeOptions(**options),
    ) as engine:
        yield Rig(engine, shop, url)


async def deploy(client: Client, *texts: str) -> None:
    for text in texts:
        await client.deploy_text(text)


foreign = pytest.mark.parametrize("foreign", [False, True], ids=["own process", "another process"])


@foreign
async def test_a_waiting_instance_goes_on_with_the_hot_fix(tmp_path: Path, foreign: bool) -> None:
    async with rig(tmp_path, Shop()) as there:
        await deploy(there.client, order("1.0.0"), order("1.0.1", by="drone"))
        handle = await there.client.start("order", id="a", version="1.0.0")
        await there.waiting("a", "signal")
        [told] = await there.rebase("1.0.1", foreign=foreign, dry_run=True)
        assert (told.result, (await handle.info()).version) == ("compatible", "1.0.0")
        [moved] = await there.rebase("1.0.1", foreign=foreign)
        assert (moved.instance_id, moved.version, moved.result) == ("a", "1.0.0", "moved")
        info = await handle.info()
        assert (info.version, info.status) == ("1.0.1", "running")
        await handle.signal("paid")
        assert await handle.result(timeout=10) == "drone 1.0.1"
        kinds = [event["kind"] for event in await handle.history()]
        assert kinds.count("rebased") == 1
        assert there.shop.calls == ["reserve", "ship"]
        [again] = [one async for one in _states(there.client, "a")]
        assert again["vars"] == {"n": 0}, "the whole history replays on the new program"


async def _states(client: Client, instance_id: str) -> AsyncIterator[dict[str, Any]]:
    yield await client.state(instance_id, at=4)


@foreign
async def test_what_diverges_stays_and_says_where(tmp_path: Path, foreign: bool) -> None:
    async with rig(tmp_path, Shop()) as there:
        other = order("1.0.1").replace("id: reserve, activity: reserve", "id: hold, activity: ship")
        await deploy(there.client, order("1.0.0"), other)
        handle = await there.client.start("order", id="a", version="1.0.0")
        await there.waiting("a", "signal")
        before = await handle.history()
        [told] = await there.rebase("1.0.1", foreign=foreign)
        assert told.result == "diverges"
        assert told.verdict is not None
        assert (told.verdict.seq, told.verdict.step_path) == (2, "hold")
        assert await handle.history() == before
        await handle.signal("paid")
        assert await handle.result(timeout=10) == "post 1.0.0"


@foreign
async def test_an_activity_in_flight_is_not_called_again(tmp_path: Path, foreign: bool) -> None:
    shop = Shop()
    async with rig(tmp_path, shop) as there:
        await deploy(there.client, order("1.0.0"), order("1.0.1", by="drone"))
        shop.opened.clear()
        handle = await there.client.start("order", id="a", version="1.0.0")
        await there.waiting("a", "activity")
        [moved] = await there.rebase("1.0.1", foreign=foreign)
        assert moved.result == "moved"
        shop.opened.set()
        await handle.signal("paid")
        assert await handle.result(timeout=10) == "drone 1.0.1"
        assert shop.calls == ["reserve", "ship"]


async def test_an_answer_in_the_moment_of_the_move_is_not_lost(tmp_path: Path) -> None:
    """The node does not know of the move yet: its turn is refused, what it was told is not lost."""
    shop = Shop()
    async with rig(tmp_path, shop, foreign_poll=3_600_000_000) as there:
        await deploy(there.client, order("1.0.0"), order("1.0.1", by="drone"))
        shop.opened.clear()
        handle = await there.client.start("order", id="a", version="1.0.0")
        await there.waiting("a", "activity")
        [moved] = await there.rebase("1.0.1", foreign=True)
        shop.opened.set()  # the turn of this answer is stale
        await there.waiting("a", "signal")
        assert (moved.result, (await handle.info()).version) == ("moved", "1.0.1")
        await handle.signal("paid")
        assert await handle.result(timeout=10) == "drone 1.0.1"
        assert shop.calls == ["reserve", "ship"]


@foreign
async def test_after_a_restart_all_of_it_replays_on_the_new_version(
    tmp_path: Path, foreign: bool
) -> None:
    async with rig(tmp_path, Shop(), snapshot_every=1) as there:
        await deploy(there.client, order("1.0.0"), order("1.0.1", by="drone"))
        await there.client.start("order", id="a", version="1.0.0")
        await there.waiting("a", "signal")
        assert [one.result for one in await there.rebase("1.0.1", foreign=foreign)] == ["moved"]
    async with rig(tmp_path, Shop()) as there:
        await there.client.signal("a", "paid")
        assert await there.client.result("a", timeout=10) == "drone 1.0.1"
        assert await there.engine.provider.stranded(now=0) == []


async def test_a_suspended_instance_is_mended_and_resumed(tmp_path: Path) -> None:
    async with rig(tmp_path, Shop()) as there:
        await deploy(there.client, order("1.0.0"), order("1.0.1", by="drone"))
        await there.client.start("order", id="a", version="1.0.0")
        await there.waiting("a", "signal")
        live = there.engine.node.shelf.get("a")
        assert live is not None
        there.engine.node.shelf.drop(live)
        await there.engine.node.shelf.suspend("a", "set aside by the test")
        [moved] = await there.rebase("1.0.1", foreign=False)
        assert (moved.result, moved.status) == ("moved", "suspended")
        assert (await there.client.get("a")).status == "suspended"
        assert await there.client.resume("a")
        await there.client.signal("a", "paid")
        assert await there.client.result("a", timeout=10) == "drone 1.0.1"


async def test_every_instance_is_judged_whatever_page_it_is_on(tmp_path: Path) -> None:
    async with rig(tmp_path, Shop()) as there:
        await deploy(there.client, order("1.0.0"), order("1.0.1", by="drone"))
        ids = [f"a-{number}" for number in range(450)]
        request = StartRequest(workflow="order", version="1.0.0")
        await there.client.start_many(
            [msgspec.structs.replace(request, id=instance_id) for instance_id in ids]
        )
        await there.client.start("order", id="new", version="1.0.1")
        told = {one.instance_id: one.result for one in await there.rebase("1.0.1", foreign=False)}
        assert told.pop("new") == "there"
        assert set(told) == set(ids)
        assert set(told.values()) == {"moved"}
        await asyncio.gather(*(there.client.signal(one, "paid") for one in ids))
        results = await asyncio.gather(*(there.client.result(one, 20) for one in ids))
        assert set(results) == {"drone 1.0.1"}
        assert there.shop.calls.count("reserve") == 451, "no activity was called twice"


async def test_it_is_moved_while_it_goes_on(tmp_path: Path) -> None:
    """Signals come without a pause; the move gets between two of them, and none is lost."""
    text = """
dsl: 1
name: order
version: "{version}"
signals: {{ more: {{}} }}
vars: {{ n: 0 }}
steps:
  - id: count
    while: ${{{{ vars.n < 200 }}}}
    max_iterations: 1000
    steps:
      - wait: more
      - set: {{ n: "${{{{ vars.n + 1 }}}}" }}
output: {{ n: "${{{{ vars.n }}}}", version: "${{{{ workflow.version }}}}" }}
"""
    async with rig(tmp_path, Shop()) as there:
        await deploy(there.client, text.format(version="1.0.0"))
        await deploy(there.client, text.format(version="1.0.1").replace("< 200", "< 201"))
        handle = await there.client.start("order", id="a", version="1.0.0")

        async def signals() -> None:
            for _ in range(201):
                await handle.signal("more")

        sending = asyncio.create_task(signals())
        moved = []
        async for _ in handle.events():
            moved += await there.rebase("1.0.1", foreign=False)
            if moved:
                break
        await sending
        assert [one.result for one in moved] == ["moved"]
        assert await handle.result(timeout=10) == {"n": 201, "version": "1.0.1"}


async def test_there_must_be_something_to_go_over_to(tmp_path: Path) -> None:
    async with rig(tmp_path, Shop()) as there:
        with pytest.raises(UnknownWorkflow):
            await there.rebase("1.0.1", foreign=False)
        await deploy(there.client, order("1.0.0"))
        with pytest.raises(UnknownVersion):
            await there.rebase("9.0.0", foreign=True)
