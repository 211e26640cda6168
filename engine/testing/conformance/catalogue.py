"""Changes of the catalogue: together or not at all, noticed, and written down (G20-G22)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.errors import StaleState, UnknownVersion, VersionWithdrawn
from engine.storage.records import Deployment
from engine.storage.versions import ChangeSet, Note, PolicyChange, Release, StateChange
from engine.testing.conformance.scene import NOW

if TYPE_CHECKING:
    from engine.testing.conformance.scene import Scene

WEIGHTED = '{"1.0.0": 90, "1.1.0": 10}'


def version(number: str, revision: str | None = None, name: str = "order") -> Deployment:
    """A version of a workflow."""
    return Deployment(
        name=name,
        version=number,
        revision=revision or f"r{number}",
        source=b"source",
        source_digest="d",
        deployed_at=NOW,
    )


def change(**fields: Any) -> ChangeSet:
    """A change by ann, of commit c1."""
    usual: dict[str, Any] = {"at": NOW, "actor": "ann", "commit": "c1"}
    return ChangeSet(**(usual | fields))


def release(number: str, revision: str | None = None, name: str = "order") -> Release:
    """A version to be stored."""
    return Release(version(number, revision, name), b"graph")


async def a_change_is_stored_whole(scene: Scene) -> None:
    """G20, G21: releases first, so that policies and states may name them."""
    done = await scene.store.change(
        change(
            releases=(release("1.0.0"), release("1.1.0")),
            policies=(PolicyChange("order", WEIGHTED, ("1.0.0", "1.1.0")),),
            states=(StateChange("order", "1.0.0", "deprecated", "old"),),
        )
    )
    assert [one.version for one in done.deployments] == ["1.0.0", "1.1.0"]
    assert done.conflicts == ()
    listing = await scene.store.catalog()
    assert listing is not None
    assert listing.version == done.version
    assert [(row.version, row.state, row.state_reason) for row in listing.rows] == [
        ("1.0.0", "deprecated", "old"),
        ("1.1.0", "released", None),
    ]
    assert listing.policies == {"order": WEIGHTED}


async def a_policy_is_replaced(scene: Scene) -> None:
    """G20: by the next one, and taken away by none."""
    for policy, policies in (("^1", {"order": "^1"}), ("^2", {"order": "^2"}), (None, {})):
        await scene.store.change(change(policies=(PolicyChange("order", policy),)))
        listing = await scene.store.catalog()
        assert listing is not None
        assert listing.policies == policies


async def a_conflict_stores_nothing(scene: Scene) -> None:
    """G15, G20: the answer names the versions that are there."""
    await scene.deploy(version("1.0.0"))
    before = await scene.store.catalog()
    done = await scene.store.change(
        change(
            releases=(release("2.0.0"), release("1.0.0", "other")),
            policies=(PolicyChange("order", "2.0.0", ("2.0.0",)),),
            notes=(Note("plan", "order"),),
        )
    )
    assert [one.revision for one in done.conflicts] == ["r1.0.0"]
    assert done.deployments == ()
    assert await scene.store.catalog() == before
    assert [row.action for row in await scene.store.audit()] == ["deploy"]


async def what_names_an_unknown_version_stores_nothing(scene: Scene) -> None:
    """G20: neither a state nor a policy may; nor may a policy name a pruned one."""
    await scene.deploy(version("1.0.0"))
    await scene.store.prune_version("order", "1.0.0", at=NOW, actor=None)
    refused: tuple[tuple[type[Exception], ChangeSet], ...] = (
        (UnknownVersion, change(states=(StateChange("order", "9.0.0", "yanked"),))),
        (UnknownVersion, change(policies=(PolicyChange("order", "9.0.0", ("9.0.0",)),))),
        (VersionWithdrawn, change(policies=(PolicyChange("order", "1.0.0", ("1.0.0",)),))),
        (VersionWithdrawn, change(states=(StateChange("order", "1.0.0", "released"),))),
    )
    before = await scene.store.catalog()
    for error, asked in refused:
        asked = change(releases=(release("2.0.0"),), states=asked.states, policies=asked.policies)
        try:
            await scene.store.change(asked)
        except error:
            continue
        raise AssertionError(f"not refused: {asked}")
    assert await scene.store.catalog() == before


async def a_change_for_another_catalogue_is_refused(scene: Scene) -> None:
    """G20: whoever changed it in between."""
    seen = await scene.store.catalog_version()
    other = await scene.subject.other()
    await scene.deploy(version("1.0.0"), by=other)
    try:
        await scene.store.change(change(releases=(release("2.0.0"),), expected_version=seen))
    except StaleState as error:
        assert (error.expected, error.found) == (seen, seen + 1)
    else:
        raise AssertionError("a stale change was stored")
    done = await scene.store.change(change(releases=(release("2.0.0"),), expected_version=seen + 1))
    assert done.version == seen + 2


async def the_catalogue_version_moves_with_every_change(scene: Scene) -> None:
    """G21: once per change, however much it does; a change that changes nothing leaves it."""
    order = PolicyChange("order", "^1")
    changes = (
        change(releases=(release("1.0.0"), release("1.1.0"))),
        change(policies=(order,)),
        change(states=(StateChange("order", "1.0.0", "yanked", "bad"),)),
        change(states=(StateChange("order", "1.0.0", "yanked", "very bad"),)),
        change(states=(StateChange("order", "1.0.0", "released"),)),
        change(policies=(PolicyChange("order", None),)),
    )
    for asked in changes:
        before = await scene.store.catalog_version()
        assert (await scene.store.change(asked)).version == before + 1
        assert await scene.store.catalog_version() == before + 1
        assert (await scene.store.change(asked)).version == before + 1
        assert await scene.store.catalog_version() == before + 1
        assert await scene.store.catalog(known=before + 1) is None
    before = await scene.store.catalog_version()
    await scene.store.change(change(notes=(Note("plan", "order"),)))
    await scene.start("a")
    assert await scene.store.catalog_version() == before
    await scene.store.prune_version("order", "1.1.0", at=NOW, actor=None)
    assert await scene.store.catalog_version() == before + 1


async def others_see_the_new_catalogue_at_once(scene: Scene) -> None:
    """G21: and the node hears that something was changed."""
    other = await scene.subject.other()
    before = await scene.store.catalog_version()
    scene.store.changed()
    await scene.deploy(version("1.0.0"), by=other)
    assert await scene.store.catalog_version() == before + 1
    assert scene.store.changed()
    await scene.deploy(version("1.1.0"))
    assert await other.catalog_version() == before + 2


async def the_catalogue_outlives_its_process(scene: Scene) -> None:
    """G2, G21: its version too."""
    await scene.deploy(version("1.0.0"))
    await scene.store.change(change(policies=(PolicyChange("order", "^1"),)))
    before = await scene.store.catalog()
    await scene.restart()
    assert await scene.store.catalog() == before
    assert await scene.store.catalog_version() == 2


async def every_changed_thing_has_its_row(scene: Scene) -> None:
    """G22: who, when, from which commit, before and after; in order."""
    await scene.store.change(change(releases=(release("1.0.0"), release("1.0.0", name="z"))))
    await scene.store.change(
        change(
            actor="bob",
            commit=None,
            at=NOW + 1,
            policies=(PolicyChange("order", "^1"),),
            states=(StateChange("order", "1.0.0", "yanked", "bad"),),
            notes=(Note("plan", "order", None, "d1", "d2", "nightly"),),
        )
    )
    await scene.store.change(change(at=NOW + 2, policies=(PolicyChange("order", "latest"),)))
    await scene.store.prune_version("order", "1.0.0", at=NOW + 3, actor="eve", commit="c2")
    rows = await scene.store.audit("order")
    assert [(r.at - NOW, r.actor, r.commit) for r in rows] == [
        (0, "ann", "c1"),
        *[(1, "bob", None)] * 3,
        (2, "ann", "c1"),
        (3, "eve", "c2"),
    ]
    assert [(r.action, r.version, r.before, r.after, r.reason) for r in rows] == [
        ("deploy", "1.0.0", None, "r1.0.0", None),
        ("state", "1.0.0", "released", "yanked", "bad"),
        ("policy", None, None, "^1", None),
        ("plan", None, "d1", "d2", "nightly"),
        ("policy", None, "^1", "latest", None),
        ("prune", "1.0.0", "yanked", "pruned", None),
    ]
    everything = await scene.store.audit()
    assert [r.name for r in everything] == ["order", "z", *["order"] * 5]
    assert [r.id for r in everything] == sorted(r.id for r in everything)
    assert await scene.store.audit(after=everything[1].id, limit=2) == everything[2:4]


async def what_is_so_already_is_not_written_down(scene: Scene) -> None:
    """G22: repeating a change adds no row."""
    asked = change(
        releases=(release("1.0.0"),),
        policies=(PolicyChange("order", "^1"), PolicyChange("b", None)),
        states=(StateChange("order", "1.0.0", "deprecated"),),
    )
    await scene.store.change(asked)
    before = await scene.store.audit()
    await scene.store.change(asked)
    assert await scene.store.audit() == before
