"""Development versions stay where they are made (G19)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import StorageError
from engine.storage.records import Deployment
from engine.testing.conformance.scene import NOW

if TYPE_CHECKING:
    from engine.testing.conformance.scene import Scene


def _version(version: str) -> Deployment:
    return Deployment(
        name="order",
        version=version,
        revision=f"sha256:{version}",
        source=b"name: order\n",
        source_digest="sha256:s",
        deployed_at=NOW,
    )


async def a_store_is_for_nothing_in_particular(scene: Scene) -> None:
    """G19: development versions are refused, other prereleases are not."""
    assert await scene.store.mode() == "none"
    try:
        await scene.deploy(_version("1.0.0-dev.abcd1234"), b"graph")
    except StorageError:
        pass
    else:
        raise AssertionError("a development version was stored")
    assert await scene.store.deployments() == []
    await scene.deploy(_version("1.0.0-rc.1"), b"graph")


async def an_unused_store_becomes_one_for_development(scene: Scene) -> None:
    """G19, G2: once, and every process sees it."""
    assert await scene.store.for_development()
    assert await scene.store.for_development()
    other = await scene.subject.other()
    assert await other.mode() == "dev"
    new = _version("1.0.0-dev.abcd1234")
    assert await scene.deploy(new, b"graph", by=other) == new
    assert await scene.store.for_development()


async def a_store_in_use_does_not_become_one(scene: Scene) -> None:
    """G19: neither one with a version nor one with an instance."""
    await scene.deploy(_version("1.0.0"), b"graph")
    assert not await scene.store.for_development()
    assert await scene.store.mode() == "none"


async def a_store_with_an_instance_does_not_become_one(scene: Scene) -> None:
    """G19: whatever its state."""
    await scene.request("a")
    assert not await scene.store.for_development()
