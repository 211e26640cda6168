"""A deployed version never changes (G15)."""

from __future__ import annotations

from typing import Any

from engine.storage.records import Deployment
from engine.testing.conformance.scene import NOW, Scene


def _version(version: str, revision: str, **fields: Any) -> Deployment:
    usual: dict[str, Any] = {
        "name": "order",
        "source": b"workflow: order\n",
        "source_digest": "sha256:s",
        "deployed_at": NOW,
    }
    return Deployment(version=version, revision=revision, **(usual | fields))


async def a_deployed_version_is_stored(scene: Scene) -> None:
    """G15: with its source, who deployed it and from where."""
    new = _version("1.0.0", "r1", actor="ann", commit="abc123")
    assert await scene.deploy(new, b"graph") == new
    assert await scene.store.deployments() == [new]
    assert await scene.store.graph("r1") == b"graph"


async def a_version_keeps_its_first_revision(scene: Scene) -> None:
    """G15: another one is refused by returning what is there; nothing of it is stored."""
    first = _version("1.0.0", "r1")
    await scene.deploy(first, b"graph")
    offered = _version("1.0.0", "r2", source=b"other", deployed_at=NOW + 1)
    assert await scene.deploy(offered, b"other graph") == first
    assert await scene.store.deployments() == [first]
    assert await scene.store.graph("r2") is None


async def deploying_again_changes_nothing(scene: Scene) -> None:
    """G15: same revision; the first deployment's circumstances stay."""
    first = _version("1.0.0", "r1", actor="ann")
    await scene.deploy(first, b"graph")
    again = _version("1.0.0", "r1", actor="bob", source=b"# comment\n", deployed_at=NOW + 1)
    assert await scene.deploy(again, b"graph") == first
    assert await scene.store.deployments("order") == [first]


async def a_revision_keeps_its_graph(scene: Scene) -> None:
    """G15: two versions may share one, the first bytes stay."""
    await scene.deploy(_version("1.0.0", "r1"), b"graph")
    await scene.deploy(_version("1.0.1", "r1"), b"not the same")
    assert await scene.store.graph("r1") == b"graph"
    assert [one.version for one in await scene.store.deployments()] == ["1.0.0", "1.0.1"]


async def versions_are_listed_as_deployed(scene: Scene) -> None:
    """G15: in order of deployment, not of version or time; by name or all."""
    for name, version in (("b", "2.0.0"), ("a", "1.10.0"), ("a", "1.9.0"), ("b", "1.0.0")):
        new = _version(version, f"{name}{version}", name=name, deployed_at=NOW - 1)
        await scene.deploy(new, b"g")
    found = [(one.name, one.version) for one in await scene.store.deployments()]
    assert found == [("b", "2.0.0"), ("a", "1.10.0"), ("a", "1.9.0"), ("b", "1.0.0")]
    mine = [one.version for one in await scene.store.deployments("a")]
    assert mine == ["1.10.0", "1.9.0"]
    assert await scene.store.deployments("c") == []


async def versions_are_compared_as_text(scene: Scene) -> None:
    """G15: the store knows nothing of version order or equality."""
    await scene.deploy(_version("1.0.0", "r1"), b"1")
    await scene.deploy(_version("1.0.0+build", "r2"), b"2")
    assert len(await scene.store.deployments("order")) == 2


async def an_unknown_revision_has_no_graph(scene: Scene) -> None:
    """G15: None, no error."""
    assert await scene.store.graph("r1") is None


async def deployments_are_seen_by_others(scene: Scene) -> None:
    """G2, G15: by every process, at once."""
    other = await scene.subject.other()
    await scene.deploy(_version("1.0.0", "r1"), b"graph", by=other)
    assert [one.version for one in await scene.store.deployments()] == ["1.0.0"]
    assert await scene.deploy(_version("1.0.0", "r2"), b"x") == _version("1.0.0", "r1")
