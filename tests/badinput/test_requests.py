"""Hostile starts, signals, ids: a typed error to whoever sent them, and to nobody else."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from engine import EngineError
from engine.errors import (
    InputRefused,
    InstanceFinished,
    InstanceNotFound,
    LimitExceeded,
    UnknownVersion,
    UnknownWorkflow,
)
from engine.runtime.engine import open_client
from tests.badinput.corpus import IDS, MIB, NO_JSON
from tests.runtime.rig import Rig, running, workflow

ALLOWED_SECONDS = 0.1 * 5
MAIN = workflow("""
input_schema: { type: object, properties: { v: {} } }
signals: { go: {}, number: { schema: { type: integer, minimum: 1 } } }
steps:
  - id: w
    wait: go
output: ${{ steps.w.output }}
""")
STRICT = workflow(
    """
input_schema:
  type: object
  required: [name, sizes]
  additionalProperties: false
  properties:
    name: { type: string, pattern: "^[a-z]+$" }
    sizes: { type: array, items: { type: integer }, maxItems: 3 }
steps:
  - log: hi
""",
    name="strict",
)


@pytest.fixture(params=["in the node", "from another process"])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    """A node with a neighbour that must not notice; the client may be another process's."""
    url = f"sqlite:///{tmp_path / 'db'}"
    async with running(url, MAIN, STRICT) as rig:
        neighbour = await rig.client.start("main", id="neighbour")
        inner = rig.client
        if request.param == "in the node":
            yield rig
        else:
            async with open_client(url) as other:
                rig.client = other
                yield rig
                rig.client = inner
        assert (await neighbour.info()).status == "running"
        assert len(await rig.client.list()) <= 2, "something was stored"
        assert len(await neighbour.history()) == 2
        await neighbour.signal("go", "fine")
        assert await neighbour.result(timeout=5) == "fine"
        assert rig.node.failed is None
        await rig.check()


async def refused(work: Any, *kinds: type[EngineError]) -> EngineError:
    """It must raise one of these, soon."""
    began = time.process_time()
    with pytest.raises(kinds) as error:
        await work
    assert time.process_time() - began <= ALLOWED_SECONDS
    assert len(str(error.value)) < 2_000
    str(error.value).encode()  # it can be shown
    return error.value


@pytest.mark.parametrize("name", NO_JSON)
async def test_input_that_is_no_json_of_a_decent_size(name: str, rig: Rig) -> None:
    start = rig.client.start("main", {"v": NO_JSON[name]}, id="bad")
    await refused(start, InputRefused, LimitExceeded)
    await refused(rig.client.start("main", NO_JSON[name], id="bad"), InputRefused, LimitExceeded)


@pytest.mark.parametrize("name", NO_JSON)
async def test_a_signal_that_is_no_json_of_a_decent_size(name: str, rig: Rig) -> None:
    signal = rig.client.signal("neighbour", "go", NO_JSON[name])
    await refused(signal, InputRefused, LimitExceeded)


@pytest.mark.parametrize("name", IDS)
async def test_an_id_that_is_none(name: str, rig: Rig) -> None:
    bad = IDS[name]
    await refused(rig.client.start("main", id=bad), InputRefused)
    for work in (
        rig.client.signal(bad, "go"),
        rig.client.cancel(bad),
        rig.client.terminate(bad),
        rig.client.resume(bad),
        rig.client.get(bad),
        rig.client.history(bad),
        rig.client.result(bad, timeout=1),
    ):
        await refused(work, InputRefused, InstanceNotFound)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (None, ""),
        ([], ""),
        ("text", ""),
        ({}, ""),
        ({"name": "a"}, ""),
        ({"name": 1, "sizes": []}, "/name"),
        ({"name": "A B", "sizes": []}, "/name"),
        ({"name": "a", "sizes": [1, "2"]}, "/sizes/1"),
        ({"name": "a", "sizes": [1, 2, 3, 4]}, "/sizes"),
        ({"name": "a", "sizes": [True]}, "/sizes/0"),
        ({"name": "a", "sizes": [], "more": 1}, ""),
    ],
)
async def test_input_that_the_schema_refuses(value: Any, path: str, rig: Rig) -> None:
    error = await refused(rig.client.start("strict", value, id="bad"), InputRefused)
    assert isinstance(error, InputRefused)
    assert error.path.startswith(path) or error.path in ("", "/")


async def test_names_and_versions_that_are_none(rig: Rig) -> None:
    for name in ("", "nobody", "../main", "main\0", "x" * 10_000, "\ud800", None, 7):
        await refused(rig.client.start(name, id="bad"), UnknownWorkflow, InputRefused)  # type: ignore[arg-type]
    for version in ("", "9.9.9", "^9", "one", "1.0.0; DROP TABLE", "x" * 10_000, "\ud800", 7):
        await refused(
            rig.client.start("main", id="bad", version=version),  # type: ignore[arg-type]
            UnknownVersion,
            InputRefused,
        )
    await refused(rig.client.start("main", id="bad", on_duplicate="whatever"), InputRefused)  # type: ignore[arg-type]


async def test_signals_that_nobody_takes(rig: Rig) -> None:
    signal = rig.client.signal
    for name in ("", "og", "GO", "x" * 10_000, "go\0", "\ud800", None, 7, ["go"]):
        await refused(signal("neighbour", name), InputRefused)  # type: ignore[arg-type]
    for payload in (None, 0, "1", 1.5, [1], {"a": 1}, True):
        error = await refused(signal("neighbour", "number", payload), InputRefused)
        assert "number" in str(error)
    await refused(signal("nobody", "go"), InstanceNotFound)
    await refused(rig.client.cancel("nobody"), InstanceNotFound)
    await refused(rig.client.terminate("nobody"), InstanceNotFound)


async def test_requests_to_one_that_has_ended(rig: Rig) -> None:
    handle = await rig.client.start("main", id="ended")
    await handle.signal("go")
    await handle.result(timeout=5)
    before = await handle.history()
    await refused(handle.signal("go"), InstanceFinished)
    await refused(handle.signal("og"), InstanceFinished)
    await refused(handle.cancel(), InstanceFinished)
    await refused(handle.terminate(), InstanceFinished)
    assert await handle.history() == before


REASONS: dict[str, Any] = {
    "lone surrogate": "\ud800",
    "two megabytes": "x" * (2 * MIB),
    "number": 7,
    "bytes": b"x",
    "NaN": float("nan"),
    "list": ["x"],
}


@pytest.mark.parametrize("name", REASONS)
async def test_reasons_that_are_none(name: str, rig: Rig) -> None:
    reason = REASONS[name]
    await refused(rig.client.cancel("neighbour", reason), InputRefused, LimitExceeded)
    await refused(rig.client.terminate("neighbour", reason), InputRefused, LimitExceeded)
