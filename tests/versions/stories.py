"""What the tests of versions share: definitions, and waiting for a state of affairs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from engine import Client
from tests.runtime.rig import workflow

PATIENCE = 10.0

# Goes round once for each `tick`, and ends with `stop`.
ETERNAL = """
input_schema: { type: object, properties: { n: { type: integer, default: 0 } } }
signals: { tick: {}, stop: {} }
steps:
  - id: next
    race:
      tick: [{ wait: tick }]
      stop: [{ wait: stop }]
  - when: ${{ steps.next.output.winner == 'stop' }}
    return: { n: "${{ input.n }}", version: "${{ workflow.version }}" }
  - continue_as_new: { n: "${{ input.n + 1 }}" }
    version: %s
"""


def eternal(version: str, follows: str = "policy", *, name: str = "main") -> str:
    """A workflow that continues as `follows`; it has a revision of its own."""
    text = workflow(ETERNAL % follows, name=name, version=version)
    return text + f"vars: {{ made_as: {version!r} }}\n"


def simple(version: str, *, name: str = "main") -> str:
    """A workflow that ends at once and tells its version."""
    body = f'output: {{ version: "${{{{ workflow.version }}}}", made_as: {version!r} }}\n'
    return workflow(
        "steps:\n  - set: { a: 1 }\nvars: { a: 0 }\n" + body, name=name, version=version
    )


async def eventually(what: Callable[[], Awaitable[Any]]) -> Any:
    """Wait until it is true; its value."""
    async with asyncio.timeout(PATIENCE):
        while not (found := await what()):  # noqa: ASYNC110  # the store is asked
            await asyncio.sleep(0.01)
        return found


async def in_execution(client: Client, name: str, execution: int) -> None:
    """Wait until an instance has begun an execution."""

    async def begun() -> bool:
        info = await client.get(name)
        return info.execution >= execution

    await eventually(begun)


async def resolutions(client: Client, name: str) -> list[tuple[str, str]]:
    """Version and reason of every execution, from their started events."""
    info = await client.get(name)
    found = []
    for execution in range(1, info.execution + 1):
        started: dict[str, Any] = dict((await client.history(name, execution))[0])
        found.append((started["version"], started["resolution"]))
    return found
