"""What the pages list is all there is: steps, options, names, codes, limits, links."""

from __future__ import annotations

import inspect
import re
import runpy
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

import engine
from engine import ActivityContext, Client, Engine, Handle, InstanceInfo, NodeOptions, StartRequest
from engine.activities.decorator import activity
from engine.definition.codes import CODES
from engine.definition.grammar_steps import STEP_KINDS
from engine.errors import EngineError
from engine.storage import provider
from tests.docs.pages import DOCS, ROOT, anchors, blocks, links, name_of, pages, rows, section

PAGES = pages()
STEPS, API, HOW, ACTIVITIES = (
    DOCS / f"{name}.md" for name in ("steps", "python-api", "how-it-works", "activities")
)
GENERATE = runpy.run_path(str(DOCS / "generate.py"))
BUILT = [name for name, kind in STEP_KINDS.items() if kind.operand.not_yet is None]


def first_cells(path: Path, title: str) -> set[str]:
    """The names in the first cells of the tables of a section."""
    return {
        name
        for row in rows(section(path, title))
        for name in re.findall(r"`([A-Za-z_]\w*)[^`]*`", row[0])
    }


def public(kind: type) -> set[str]:
    """The public methods and properties of a class."""
    return {name for name, _ in inspect.getmembers(kind) if not name.startswith("_")}


# -- generated parts -----------------------------------------------------------------------------


def test_the_page_of_diagnostics_is_up_to_date() -> None:
    made = GENERATE["diagnostics"]()
    assert (DOCS / "diagnostics.md").read_text(encoding="utf-8") == made, "python docs/generate.py"


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_generated_tables_are_up_to_date(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert GENERATE["page"](text) == text, "python docs/generate.py"


def test_every_table_of_the_grammar_stands_somewhere() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in PAGES)
    shown = set(re.findall(r"<!-- table: (.+?) -->", text))
    planned = {f"step {name}" for name in STEP_KINDS if name not in BUILT}
    assert shown == set(GENERATE["TABLES"]) - planned


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_section(code: str) -> None:
    assert CODES[code].mend in section(DOCS / "diagnostics.md", code)


# -- steps ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BUILT)
def test_every_step_kind_has_its_options_and_an_example(name: str) -> None:
    text = section(STEPS, name)
    assert f"<!-- table: step {name} -->" in text
    run = [block for block in blocks(STEPS) if block.text in text and "run" in block.words]
    assert any(re.search(rf"\b{name}:", block.text) for block in run)


@pytest.mark.parametrize("name", BUILT)
def test_every_option_of_a_step_is_listed(name: str) -> None:
    listed = {row[0].strip("`") for row in rows(section(STEPS, name))}
    assert {one.name for one in STEP_KINDS[name].options if one.not_yet is None} <= listed


def test_what_is_planned_is_named() -> None:
    text = section(STEPS, "Not there yet").partition(" are part of")[0]
    assert set(re.findall(r"`(\w+)`", text)) == set(STEP_KINDS) - set(BUILT)


# -- the Python API ------------------------------------------------------------------------------


def test_every_exported_name_is_documented() -> None:
    text = API.read_text(encoding="utf-8")
    assert [name for name in engine.__all__ if f"`{name}`" not in text] == []


def test_every_method_of_the_client_is_listed() -> None:
    assert first_cells(API, "Client") - {
        "reject", "return_existing", "restart_if_finished", "terminate_and_restart", "on_duplicate",
        "Client",
    } == public(Client)  # fmt: skip


def test_every_method_of_the_client_has_the_arguments_listed() -> None:
    for row in rows(section(API, "Client")):
        found = re.fullmatch(r"`(\w+)\((.*)\)`", row[0])
        if found:
            listed = [part.strip().split("=")[0] for part in found[2].split(",")]
            given = inspect.signature(getattr(Client, found[1])).parameters
            assert [name for name in listed if name != "*"] == list(given)[1:], found[1]


def test_every_method_of_the_handle_is_named() -> None:
    text = section(API, "Handle")
    assert all(f"`{name}`" in text for name in public(Handle))


def test_every_argument_of_open_is_listed() -> None:
    parameters = set(inspect.signature(Engine.open).parameters)
    assert first_cells(API, "Engine") - {"Engine"} == parameters


def test_every_field_of_the_values_is_listed() -> None:
    assert first_cells(API, "Values") == set(InstanceInfo.__struct_fields__)
    text = section(API, "Values")
    assert all(f"`{name}`" in text for name in StartRequest.__struct_fields__)


def test_every_exported_error_is_listed_as_it_is() -> None:
    listed = {row[0].strip("`"): row for row in rows(section(API, "Errors"))[1:]}
    exported = {
        name: value
        for name in engine.__all__
        if inspect.isclass(value := getattr(engine, name)) and issubclass(value, EngineError)
    }
    assert set(listed) == set(exported)
    for name, error in exported.items():
        _, base, code, _, attributes = listed[name]
        assert base.strip("`") == error.__bases__[0].__name__
        assert code.strip("`") == error.code
        own = set(inspect.signature(error.__init__).parameters) - {
            "self",
            "message",
            "hint",
            "subject",
        }
        if "__init__" in vars(error) and error is not EngineError:
            assert own <= set(re.findall(r"`(\w+)`", attributes)), name


# -- activities ----------------------------------------------------------------------------------


def test_every_option_of_activity_is_listed() -> None:
    listed = first_cells(ACTIVITIES, "Options")
    assert listed - {"activity"} == set(inspect.signature(activity).parameters)


def test_every_attribute_of_the_context_is_listed() -> None:
    assert first_cells(ACTIVITIES, "The context") == public(ActivityContext)


# -- the language --------------------------------------------------------------------------------


def test_every_error_type_of_the_engine_is_listed() -> None:
    raised: set[str] = set()
    for path in (ROOT / "engine").rglob("*.py"):
        raised |= set(re.findall(r'"(sys\.[a-z_]+)"', path.read_text(encoding="utf-8")))
    listed = {row[0].strip("`") for row in rows(section(DOCS / "language.md", "Errors"))}
    assert raised <= listed


# -- limits and guarantees -----------------------------------------------------------------------


def written(name: str, value: Any) -> str:
    """A default of `NodeOptions` as the page writes it."""
    if value is None:
        return "none"
    if value == {}:
        return "empty"
    if isinstance(value, tuple):
        return ", ".join(f"`{item}`" for item in value)
    if name in ("shutdown_grace", "foreign_poll", "stranded_check"):
        time = timedelta(microseconds=value)
        seconds = time.total_seconds()
        return f"{seconds:g} s" if seconds >= 1 else f"{seconds * 1000:g} ms"
    if value % (1 << 20) == 0:
        return f"{value >> 20} MiB"
    return f"{value:,}"


def test_every_limit_is_listed_with_its_default() -> None:
    stated = {row[0].strip("`"): row[1] for row in rows(section(HOW, "Limits"))[1:]}
    options = NodeOptions()
    assert stated == {
        field.name: written(field.name, getattr(options, field.name))
        for field in msgspec.structs.fields(NodeOptions)
    }


def test_every_guarantee_is_told() -> None:
    stated = [row[0] for row in rows(section(HOW, "What the store guarantees"))[1:]]
    assert stated == re.findall(r"^    (G\d+) ", provider.__doc__ or "", re.MULTILINE)


# -- links ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_links_lead_somewhere(path: Path) -> None:
    broken = []
    for target in links(path):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        found = (path.parent / file).resolve() if file else path
        inside = found.is_relative_to(ROOT) and found.exists()
        if not inside or (anchor and anchor not in anchors(found)):
            broken.append(target)
    assert broken == []


def test_every_page_can_be_reached_from_the_index() -> None:
    index = DOCS / "index.md"
    linked = {(DOCS / link.partition("#")[0]).resolve() for link in links(index)}
    assert {path for path in PAGES if DOCS in path.parents} - {index} <= linked


# -- the front door ------------------------------------------------------------------------------


def test_the_readme_is_short_and_names_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 80
    [commands] = [block for block in blocks(ROOT / "README.md") if block.language == "console"]
    named = [line.split("#")[0].strip() for line in commands.text.splitlines()]
    assert named == ["make run", "make test"]
    targets = re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert {name.removeprefix("make ") for name in named} <= set(targets)
