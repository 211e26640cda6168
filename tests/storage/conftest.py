"""The stores under test. Both run in every run; no switch leaves one out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from engine.storage.provider import Provider
from engine.storage.url import open_store

pytest.register_assert_rewrite("engine.testing.conformance")

from engine.testing.conformance import Factory  # noqa: E402 (after the line above)


class StoreSubject:
    """A URL and the providers opened on it; each stands for a process."""

    def __init__(self, url: str, stack: AsyncExitStack, *, shared: bool) -> None:
        self.shared = shared
        self._url = url
        self._stack = stack
        self._node = AsyncExitStack()
        self.store: Provider

    async def open(self) -> None:
        self.store = await self._node.enter_async_context(open_store(self._url))

    async def other(self) -> Provider:
        if not self.shared:
            return self.store
        return await self._stack.enter_async_context(open_store(self._url))

    async def crash(self) -> Provider:
        if self.shared:
            await self._node.aclose()
            await self.open()
        return self.store

    async def close(self) -> None:
        await self._node.aclose()


@pytest.fixture(params=["file", "memory"])
def factory(request: pytest.FixtureRequest, tmp_path: Path) -> Factory:
    """Makes a fresh, empty store."""
    shared = request.param == "file"
    url = f"sqlite:///{tmp_path}/store.db" if shared else "sqlite://:memory:"

    @asynccontextmanager
    async def make() -> AsyncIterator[StoreSubject]:
        async with AsyncExitStack() as stack:
            subject = StoreSubject(url, stack, shared=shared)
            stack.push_async_callback(subject.close)
            await subject.open()
            yield subject

    return make


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where a store may be made."""
    return tmp_path / "store.db"
