"""A project under development, and somebody who saves files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from engine.dev.session import Event, Options, Session, open_session

SECONDS = 20.0  # nothing that is waited for takes so long


def definition(name: str = "order", version: str = "1.2.0", *, text: str = "first") -> str:
    return f"""dsl: 1
name: {name}
version: "{version}"
signals: {{ go: {{}} }}
steps:
  - {{ id: wait, wait: go }}
  - {{ id: say, log: "{text}" }}
output: "{text}"
"""


class Desk:
    """The session, what it told, and files to save."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "workflows"
        self.folder.mkdir(exist_ok=True)
        self.told: list[Event] = []
        self._heard = asyncio.Event()
        self.session: Session

    def hear(self, event: Event) -> None:
        self.told.append(event)
        self._heard.set()

    async def until(self, condition: Callable[[Event], bool], *, after: int = 0) -> Event:
        """The first event, told after the first `after` ones, that is so."""
        async with asyncio.timeout(SECONDS):
            while True:
                for event in self.told[after:]:
                    if condition(event):
                        return event
                self._heard.clear()
                await self._heard.wait()

    async def next(self, kind: type, *, after: int = 0) -> Any:
        return await self.until(lambda event: isinstance(event, kind), after=after)

    def save(self, text: str, name: str = "order") -> Path:
        path = self.folder / f"{name}.yaml"
        path.write_text(text)
        return path

    def replace(self, text: str, name: str = "order") -> None:
        """As editors do: a new file, renamed over the old one."""
        new = self.folder / f".{name}.yaml.new"
        new.write_text(text)
        new.rename(self.folder / f"{name}.yaml")

    async def version(self, wanted: str | None = None, name: str = "order") -> str:
        """What a new start gets."""
        handle = await self.session.client.start(name, version=wanted)
        return (await handle.info()).version


@asynccontextmanager
async def desk(root: Path, **options: Any) -> AsyncIterator[Desk]:
    """A session that follows what is saved."""
    made = Desk(root)
    stop = asyncio.Event()
    chosen = Options(
        root=root,
        database=f"sqlite:///{root}/dev.db",
        workflows=made.folder,
        shutdown_grace=100_000,
        **options,
    )
    async with open_session(chosen, made.hear) as made.session:
        running = asyncio.create_task(made.session.run(stop))
        try:
            yield made
        finally:
            stop.set()
            await running
