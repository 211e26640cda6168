"""What every test has: Hypothesis without a clock, and the recorded ("golden") outputs."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# A busy machine must not fail a test, and a red run in CI must be red again at the desk.
settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite-golden", action="store_true", help="record outputs anew instead of comparing"
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """`golden(name, text)`: `text` is what `tests/golden/<name>` recorded."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--rewrite-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"nothing recorded as {name}; `make golden` does it"
        assert text == path.read_text(encoding="utf-8")

    return check


@pytest.fixture
def replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every history that an engine opened by the test leaves behind is replayed at its end."""
    from engine import Engine
    from engine.graph.revision import load_graph
    from engine.interpreter.program import Program
    from tests.scenarios.invariants import check_invariants

    opened = Engine.open

    @asynccontextmanager
    async def open_and_check(*args: Any, **options: Any) -> AsyncIterator[Engine]:
        async with opened(*args, **options) as engine:
            yield engine
            programs = {}
            for deployment in await engine.client.deployments():
                graph = await engine.provider.graph(deployment.revision)
                assert graph is not None
                programs[deployment.revision] = Program(load_graph(graph))
            await check_invariants(engine.client, programs)

    monkeypatch.setattr(Engine, "open", open_and_check)
