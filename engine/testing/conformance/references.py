"""Who needs a version: reports and pruning (G23, G24)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.errors import UnknownVersion, VersionInUse, VersionWithdrawn
from engine.storage.records import Pin
from engine.storage.versions import PolicyChange, StateChange, VersionName
from engine.testing.conformance.catalogue import change, version
from engine.testing.conformance.scene import NOW, PIN, creation, page, turn

if TYPE_CHECKING:
    from engine.testing.conformance.scene import Scene

SHOP = Pin("shop", "1.0.0", "rshop", 1)


async def _deploy(scene: Scene) -> None:
    """Two versions of `order`, and a `shop` that names the first."""
    await scene.deploy(version("1.0.0"))
    await scene.deploy(version("1.1.0"))
    shop = version("1.0.0", "rshop", "shop")
    await scene.deploy(shop, b"shop graph", VersionName("order", "1.0.0"))


async def _figures(scene: Scene, name: str = "order") -> dict[str, Any]:
    report = await scene.store.version_report(name)
    return {
        one.version: (one.running, one.waiting, one.oldest_running, one.drained) for one in report
    }


async def _refused(scene: Scene, number: str = "1.0.0") -> list[tuple[str, int, tuple[str, ...]]]:
    """The references for which a version is not pruned; nothing of it may be gone."""
    try:
        await scene.store.prune_version("order", number, at=NOW, actor=None)
    except VersionInUse as error:
        assert await scene.store.graph(f"r{number}") is not None
        return [(one.kind, one.count, one.samples) for one in error.references]
    return []


async def a_report_counts_what_has_not_ended(scene: Scene) -> None:
    """G23: running, and with nothing in flight; other names and versions apart."""
    await _deploy(scene)
    await scene.start("a", "b", "end")
    await scene.apply(turn("a", 2, open_activities=1), turn("end", 2, status="completed"))
    await scene.request("c", created_at=NOW - 5)
    await scene.store.suspend(scene.lease, "b", reason="poison", now=NOW)
    await scene.request("d", pin=SHOP)
    assert await _figures(scene) == {
        "1.0.0": (3, 2, NOW - 5, False),
        "1.1.0": (0, 0, None, True),
    }
    assert (await _figures(scene, "shop"))["1.0.0"] == (1, 1, NOW, False)
    assert await scene.store.version_report("nothing") == []


async def a_report_follows_an_upgrade(scene: Scene) -> None:
    """G23: after continue-as-new the instance counts for its new version, from that moment."""
    await _deploy(scene)
    await scene.start("a")
    next_pin = Pin("order", "1.1.0", "r1.1.0", 1)
    pages = (page(1, 3, 3), page(2, 1, 1))
    await scene.apply(turn("a", 2, next_pin=next_pin, pages=pages, updated_at=NOW + 9))
    assert await _figures(scene) == {
        "1.0.0": (0, 0, None, True),
        "1.1.0": (1, 1, NOW + 9, False),
    }


async def a_report_tells_of_deployment_state_and_bindings(scene: Scene) -> None:
    """G23: in order of deployment."""
    await _deploy(scene)
    await scene.store.change(change(states=(StateChange("order", "1.0.0", "yanked", "bad"),)))
    first, second = await scene.store.version_report("order")
    assert (first.name, first.version, first.revision) == ("order", "1.0.0", "r1.0.0")
    assert (first.state, first.state_reason) == ("yanked", "bad")
    assert (first.deployed_at, first.actor, first.commit) == (NOW, None, None)
    assert (first.children_bound, second.children_bound) == (1, 0)
    assert (first.schedules_bound, second.state) == (0, "released")


async def a_version_without_references_is_pruned(scene: Scene) -> None:
    """G24: graph and source go, the row stays; doing it again changes nothing."""
    await scene.deploy(version("1.0.0"))
    done = await scene.store.prune_version("order", "1.0.0", at=NOW, actor="ann")
    assert await scene.store.graph("r1.0.0") is None
    [row] = await scene.store.deployments("order")
    assert (row.state, row.source, row.revision) == ("pruned", b"", "r1.0.0")
    assert await scene.store.prune_version("order", "1.0.0", at=NOW, actor="ann") == done
    assert len(await scene.store.audit()) == 2


async def an_unknown_version_is_not_pruned(scene: Scene) -> None:
    """G24: it is an error, and changes nothing."""
    try:
        await scene.store.prune_version("order", "1.0.0", at=NOW, actor=None)
    except UnknownVersion:
        assert await scene.store.audit() == []
    else:
        raise AssertionError("an unknown version was pruned")


async def an_instance_keeps_its_version(scene: Scene) -> None:
    """G24: running, waiting, set aside or ended; until it is pruned itself."""
    await _deploy(scene)
    await scene.start("a", "b")
    await scene.request("c")
    await scene.apply(turn("a", 2, status="completed"))
    await scene.store.suspend(scene.lease, "b", reason="poison", now=NOW)
    [(kind, count, samples)] = await _refused(scene)
    assert (kind, count, sorted(samples)) == ("instance", 3, ["a", "b", "c"])
    for number, name in enumerate(("b", "c")):
        await scene.store.resume(name, now=NOW)
        await scene.signal(name)
        await scene.claim()
        record = await scene.record(name)
        await scene.apply(
            turn(name, record.last_seq, epoch=record.epoch, status="failed", updated_at=NOW)
        )
        assert len(await _refused(scene)) == 1, number
    await scene.store.prune(finished_before=NOW + 1, limit=9)
    assert await _refused(scene) == []


async def an_archived_execution_keeps_its_version(scene: Scene) -> None:
    """G24: its history could not be replayed any more."""
    await _deploy(scene)
    await scene.start("a")
    next_pin = Pin("order", "1.1.0", "r1.1.0", 1)
    pages = (page(1, 3, 3), page(2, 1, 1))
    await scene.apply(turn("a", 2, next_pin=next_pin, pages=pages))
    assert await _refused(scene) == [("execution", 1, ("a/1",))]
    assert await _refused(scene, "1.1.0") == [("instance", 1, ("a",))]


async def a_running_parent_keeps_the_version_it_names(scene: Scene) -> None:
    """G24: while an instance of its graph runs; a parent that has ended does not."""
    await _deploy(scene)
    await scene.apply(turn("p", 0, events=2, create=creation("p", pin=SHOP, claimed=True)))
    assert await _refused(scene) == [("child binding", 1, ("shop 1.0.0",))]
    await scene.apply(turn("p", 2, status="completed"))
    assert await _refused(scene) == []


async def a_policy_keeps_the_versions_it_names(scene: Scene) -> None:
    """G24: exactly or by weight; until it is another one."""
    await _deploy(scene)
    await scene.store.change(change(policies=(PolicyChange("order", "1.0.0", ("1.0.0",)),)))
    assert await _refused(scene) == [("policy", 1, ("order",))]
    await scene.store.change(change(policies=(PolicyChange("order", "1.1.0", ("1.1.0",)),)))
    assert await _refused(scene, "1.1.0") == [("policy", 1, ("order",))]
    await scene.store.change(change(policies=(PolicyChange("order", None),)))
    assert await _refused(scene, "1.1.0") == []
    assert await _refused(scene) == []


async def a_shared_graph_stays_for_the_other_version(scene: Scene) -> None:
    """G24: A, B, A again: the third has the revision of the first."""
    await scene.deploy(version("1.0.0", "ra"))
    await scene.deploy(version("1.2.0", "ra"))
    await scene.store.prune_version("order", "1.0.0", at=NOW, actor=None)
    assert await scene.store.graph("ra") == b"graph"
    await scene.store.prune_version("order", "1.2.0", at=NOW, actor=None)
    assert await scene.store.graph("ra") is None
    await scene.deploy(version("1.3.0", "ra"))
    assert await scene.store.graph("ra") == b"graph"


async def nothing_is_created_on_a_pruned_version(scene: Scene) -> None:
    """G24: by whatever way; neighbours in the same group are not affected."""
    await _deploy(scene)
    await scene.store.prune_version("order", "1.0.0", at=NOW, actor=None)
    try:
        await scene.request("a")
    except VersionWithdrawn as error:
        assert error.state == "pruned"
    else:
        raise AssertionError("an instance was created")
    birth = turn("b", 0, events=2, create=creation("b", pin=PIN, claimed=True))
    shop = turn("c", 0, events=2, create=creation("c", pin=SHOP, claimed=True))
    result = await scene.commit(birth, shop)
    outcomes = [(one.result, one.existing) for one in result.outcomes]
    assert outcomes == [("duplicate", "pruned"), ("applied", None)]
    for name in ("a", "b"):
        assert await scene.store.get(name) is None


async def nothing_goes_on_with_a_pruned_version(scene: Scene) -> None:
    """G24: the turn that chose it a moment before is stale; another one may be taken."""
    await _deploy(scene)
    await scene.start("a")
    await scene.store.prune_version("order", "1.1.0", at=NOW, actor=None)
    next_pin = Pin("order", "1.1.0", "r1.1.0", 1)
    pages = (page(1, 3, 3), page(2, 1, 1))
    assert await scene.results(turn("a", 2, next_pin=next_pin, pages=pages)) == ["stale"]
    assert (await scene.record("a")).execution == 1
    await scene.apply(turn("a", 2, next_pin=PIN, pages=pages))
