"""Hostile files and expressions through every door a definition has."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import DefinitionError, Engine, InstanceFailed
from engine.client.deploying import compile_path, compile_text
from engine.storage.url import open_store
from tests.badinput.corpus import EXPRESSIONS, FILES, MIB
from tests.runtime.rig import running, workflow

# Of this process's own time; a machine of CI may be slower, and the first load of a file is.
ALLOWED_SECONDS = 0.1 * 5
HUGE = "ten megabytes"


def grown() -> int:
    """The peak of this process's memory, bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def check_findings(error: DefinitionError) -> None:
    assert error.diagnostics
    for one in error.diagnostics:
        assert one.code.startswith("E") or one.severity != "error"
        assert one.span.line >= 1
        assert one.span.column >= 1
        assert one.what
        assert "Traceback" not in one.what


def timed(work: Callable[[], object]) -> float:
    began = time.process_time()
    with pytest.raises(DefinitionError) as refused:
        work()
    took = time.process_time() - began
    check_findings(refused.value)
    return took


@pytest.fixture(scope="module", autouse=True)
def warm() -> None:
    """What is imported and compiled on first use is not the file's fault."""
    compile_text(workflow("steps:\n  - log: hi\n"))


@pytest.mark.parametrize("name", FILES)
def test_check_refuses_it_with_a_place(name: str, tmp_path: Path) -> None:
    before = grown()
    took = min(timed(lambda: compile_text(FILES[name], file="bad.yaml")) for _ in range(2))
    assert took <= ALLOWED_SECONDS
    path = tmp_path / "bad.yaml"
    path.write_bytes(FILES[name])
    candidates, found = compile_path(path)
    assert candidates == []
    assert {one.code for one in found}
    assert grown() - before <= 64 * MIB


async def test_deploy_and_open_refuse_it_and_store_nothing(tmp_path: Path) -> None:
    good = tmp_path / "good"
    good.mkdir()
    (good / "main.yaml").write_text(workflow("steps:\n  - log: hi\noutput: fine\n"))
    url = f"sqlite:///{tmp_path / 'db'}"
    async with Engine.open(url, workflows=good) as engine:
        for name, content in FILES.items():
            path = tmp_path / "bad.yaml"
            path.write_bytes(content)
            began = time.process_time()
            with pytest.raises(DefinitionError) as refused:
                await engine.client.deploy(path)
            assert time.process_time() - began <= ALLOWED_SECONDS, name
            check_findings(refused.value)
            assert refused.value.diagnostics[0].file.endswith("bad.yaml")
            handle = await engine.client.start("main")
            assert await handle.result(timeout=5) == "fine"
        assert len(await engine.client.deployments()) == 1
    async with open_store(url) as store:
        assert [one.name for one in await store.deployments()] == ["main"]


@pytest.mark.parametrize("name", [name for name in FILES if not name.startswith(HUGE)][::4])
async def test_an_engine_does_not_open_with_it(name: str, tmp_path: Path) -> None:
    """One bad file in a folder of good ones: nothing of the folder is stored."""
    folder = tmp_path / "workflows"
    folder.mkdir()
    (folder / "a.yaml").write_text(workflow("steps:\n  - log: hi\n", name="a"))
    (folder / "b.yaml").write_bytes(FILES[name])
    url = f"sqlite:///{tmp_path / 'db'}"
    with pytest.raises(DefinitionError):
        async with Engine.open(url, workflows=folder):
            raise AssertionError("it opened")
    async with open_store(url) as store:
        assert await store.deployments() == []


def holding(source: str, number: int) -> str:
    """A definition whose output is the expression."""
    whole = json.dumps("${{ " + source + " }}", ensure_ascii=True)
    return workflow(
        "input_schema: { type: object, properties: { text: { type: string }, rows: {}, a: {},"
        f" big: {{}} }} }}\nsteps:\n  - log: hi\noutput: {whole}\n",
        version=f"1.0.{number}",
    )


VALUES = {"a": {"b": 1}, "text": "text", "rows": [3, 1, 2], "items": [1, 2]}


async def test_no_expression_escapes_costs_or_disturbs() -> None:
    """Refused with a place, or run: then it fails typed, or yields plain JSON."""
    refused = failed = harmless = 0
    neighbour = workflow("signals: { go: {} }\nsteps:\n  - wait: go\n", name="neighbour")
    async with running("sqlite://:memory:", neighbour) as rig:
        other = await rig.client.start("neighbour")
        before = grown()
        for number, source in enumerate(EXPRESSIONS):
            began = time.process_time()
            try:
                await rig.client.deploy_text(holding(source, number))
            except DefinitionError as error:
                check_findings(error)
                refused += 1
            else:
                handle = await rig.client.start("main", VALUES, version=f"1.0.{number}")
                try:
                    value = await handle.result(timeout=5)
                except InstanceFailed as error:
                    assert error.error["type"] in ("sys.expression", "sys.limit"), source
                    failed += 1
                else:
                    text = json.dumps(value)
                    assert len(text) < MIB
                    assert "<class" not in text
                    assert "root:" not in text
                    harmless += 1
            assert time.process_time() - began <= ALLOWED_SECONDS, source
        assert grown() - before <= 128 * MIB
        await other.signal("go")
        await other.result(timeout=5)
        assert rig.node.failed is None
        await rig.check()
    sys.stdout.write(f"{refused} refused, {failed} failed, {harmless} harmless\n")
    assert refused >= 60


async def test_bombs_that_only_values_light_fail_their_instance_alone() -> None:
    bombs = {
        "repeat": "input.text * input.n",
        "power": "input.n ** input.n",
        "range": "range(input.n) | list | length",
        "join": "(input.rows * 1000) | join(input.text * 2000)",
        "nested": "(input.rows * 3000) | map('tojson') | join | length",
        "products": "(range(9000) | list | batch(2) | list | tojson) * 30",
    }
    values = {"text": "x" * 1000, "n": 10**9, "rows": [["y" * 100] * 100]}
    async with running("sqlite://:memory:") as rig:
        for number, (name, source) in enumerate(bombs.items()):
            text = holding(source, number).replace("rows: {}", "rows: {}, n: { type: integer }")
            try:
                await rig.client.deploy_text(text)
            except DefinitionError as error:
                check_findings(error)
                continue
            began = time.process_time()
            handle = await rig.client.start("main", values, version=f"1.0.{number}")
            try:
                value = await handle.result(timeout=5)
                assert len(json.dumps(value)) <= MIB, name
            except InstanceFailed as error:
                assert error.error["type"] in ("sys.expression", "sys.limit"), (name, error)
            assert time.process_time() - began <= ALLOWED_SECONDS, name
        await rig.check()
