"""What the pages show: files compile, examples end as the page says, scripts print what it says."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from engine import Engine, InstanceFailed, InstanceTerminated
from engine.client.deploying import compile_text
from engine.definition.build import load_text
from engine.errors import DefinitionError
from engine.graph.revision import canonical, load_graph
from engine.interpreter.program import Program
from tests.docs.pages import ROOT, Block, Example, blocks, examples, name_of, pages
from tests.scenarios.invariants import check_invariants

PAGES = {name_of(path): path for path in pages()}
ALL = [block for path in PAGES.values() for block in blocks(path)]
WITH_EXAMPLES = {name: path for name, path in PAGES.items() if examples(path)}
WITH_SCRIPTS = {
    name: path
    for name, path in PAGES.items()
    if any(b.language == "python" and "run" in b.words for b in blocks(path))
}
WORDS = {
    "yaml": {"run", "workflow", "fragment", "file", "refused"},
    "json": {"input", "signal", "output", "error"},
    "python": {"activities", "run", "file"},
    "text": {"output"},
    "console": {"untested"},
}


def is_file(block: Block) -> bool:
    """Whether a YAML block is to compile."""
    return block.language == "yaml" and not {"fragment"} & set(block.words)


def test_only_known_words_stand_behind_a_language() -> None:
    for block in ALL:
        known = WORDS.get(block.language, set())
        assert {word.split("=")[0] for word in block.words} <= known, block


@pytest.mark.parametrize(
    "block", [b for b in ALL if is_file(b) and not b.value("refused")], ids=str
)
def test_workflow_compiles(block: Block) -> None:
    compile_text(block.definition)


@pytest.mark.parametrize("block", [b for b in ALL if b.value("refused")], ids=str)
def test_workflow_is_refused_as_the_page_says(block: Block) -> None:
    with pytest.raises(DefinitionError) as caught:
        compile_text(block.definition)
    assert block.value("refused") in {found.code for found in caught.value.diagnostics}


@pytest.mark.parametrize("block", [b for b in ALL if "fragment" in b.words], ids=str)
def test_fragment_is_yaml(block: Block) -> None:
    found = load_text(block.text, file="fragment.yaml")
    syntax = {"E101", "E102", "E106", "E107", "E108"}
    shown_wrong = block.page.endswith("diagnostics.md")
    assert shown_wrong or not syntax & {one.code for one in found.diagnostics}


@pytest.mark.parametrize("block", [b for b in ALL if b.language == "python"], ids=str)
def test_python_compiles(block: Block) -> None:
    compile(block.text, str(block), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("path", WITH_EXAMPLES.values(), ids=WITH_EXAMPLES)
async def test_examples_end_as_the_page_says(path: Path) -> None:
    module = ModuleType("documented")
    for block in blocks(path):
        if block.language == "python" and "activities" in block.words:
            exec(compile(block.text, str(block), "exec", dont_inherit=True), module.__dict__)
    activities = [module] if "activity" in vars(module) else []
    logging.getLogger("lockstep").setLevel(logging.CRITICAL)
    try:
        async with Engine.open("sqlite://:memory:", activities=activities) as engine:
            for block in blocks(path):
                if block.language == "yaml" and "workflow" in block.words:
                    await engine.client.deploy_text(block.text)
            found = list(enumerate(examples(path)))
            await asyncio.gather(*(play(engine, n, example) for n, example in found))
            deployments = await engine.client.deployments()
            graphs = {d.revision: await engine.provider.graph(d.revision) for d in deployments}
            programs = {r: Program(load_graph(g)) for r, g in graphs.items() if g is not None}
            for info in await engine.client.list(status="running", limit=1000):
                await engine.client.terminate(info.instance_id)
                with contextlib.suppress(InstanceTerminated):
                    await engine.client.result(info.instance_id, timeout=5)
            await check_invariants(engine.client, programs)
    finally:
        logging.getLogger("lockstep").setLevel(logging.NOTSET)


async def play(engine: Engine, number: int, example: Example) -> None:
    """Run one example under a name of its own."""
    block = example.workflow
    assert (example.output is None) != (example.error is None), f"{block} says no one end"
    text = block.definition.replace("name: example\n", f"name: example-{number}\n", 1)
    deployed = await engine.client.deploy_text(text, file=str(block))
    given = json.loads(example.input.text) if example.input else None
    handle = await engine.client.start(deployed.name, given, id=f"example-{number}")
    for signal in example.signals:
        name = signal.value("signal")
        assert name is not None
        await handle.signal(name, json.loads(signal.text))
    try:
        output = await handle.result(timeout=10)
    except InstanceFailed as failure:
        assert example.error is not None, f"{block}: {failure}"
        check_part(failure.error, json.loads(example.error.text), str(block))
    else:
        assert example.output is not None, f"{block} succeeded: {output}"
        assert output == json.loads(example.output.text), block


def check_part(found: Any, stated: Any, place: str) -> None:
    """Whether what the page states is so; it may leave fields out."""
    if not isinstance(stated, dict):
        assert found == stated, place
        return
    for key, value in stated.items():
        assert key in found, f"{place}: {key} is not in {found}"
        check_part(found[key], value, place)


@pytest.mark.parametrize("path", WITH_SCRIPTS.values(), ids=WITH_SCRIPTS)
def test_scripts_print_what_the_page_says(path: Path, tmp_path: Path) -> None:
    printed: str | None = None
    for block in blocks(path):
        file = block.value("file")
        if file is not None:
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).write_text(block.text, encoding="utf-8")
        if block.language == "python" and "run" in block.words:
            printed = run_script(block, tmp_path)
        elif block.language == "text" and "output" in block.words:
            assert printed == block.text, block
            printed = None


def run_script(block: Block, folder: Path) -> str:
    """What a script prints."""
    script = folder / (block.value("file") or f"script_{block.line}.py")
    script.write_text(block.text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", script.name],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, f"{block}: {done.stderr}"
    return done.stdout


def test_each_compiled_graph_reads_back_as_itself() -> None:
    for block in ALL:
        if is_file(block) and not block.value("refused"):
            graph = compile_text(block.definition).graph
            assert load_graph(canonical(graph)) == graph, block
