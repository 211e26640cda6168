"""Schemas over several files."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.definition.build import Loaded, load_file, load_text
from tests.unit.definition.trees import WORKFLOW


class Project:
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "workflows"

    def file(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)

    def load(self, schema: str, *, name: str = "a") -> Loaded:
        self.file(f"{name}.yaml", WORKFLOW.replace("name: a", f"name: {name}") + schema)
        return load_file(self.folder / f"{name}.yaml")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_files_refer_to_files_beside_them(project: Project) -> None:
    project.file("schemas/order.json", '{"items": {"$ref": "line.json#/$defs/line"}}')
    project.file("schemas/line.json", '{"$defs": {"line": {"$ref": "./parts/sku.yaml"}}}')
    project.file("schemas/parts/sku.yaml", "type: string\n")
    document = project.load("input_schema: { $ref: schemas/order.json }").document
    assert document is not None
    assert document.referenced == {
        "schemas/order.json": {"items": {"$ref": "schemas/line.json#/$defs/line"}},
        "schemas/line.json": {"$defs": {"line": {"$ref": "schemas/parts/sku.yaml"}}},
        "schemas/parts/sku.yaml": {"type": "string"},
    }


def test_paths_of_a_workflow_count_from_the_workflow_folder(project: Project) -> None:
    project.file("schemas/x.json", "{}")
    document = project.load("input_schema: { $ref: ./schemas/x.json }", name="etl/load").document
    assert document is not None
    assert document.referenced["./schemas/x.json"] == {}


def test_files_may_refer_to_each_other(project: Project) -> None:
    project.file("x.json", '{"properties": {"y": {"$ref": "y.json"}}}')
    project.file("y.json", '{"properties": {"x": {"$ref": "x.json"}}}')
    assert project.load("input_schema: { $ref: x.json }").diagnostics == ()


def test_a_circle_over_files_that_consumes_nothing_is_refused(project: Project) -> None:
    project.file("x.json", '{"allOf": [{"$ref": "y.json"}]}')
    project.file("y.json", '{"anyOf": [{"$ref": "x.json"}]}')
    found = project.load("input_schema: { $ref: x.json }").diagnostics
    assert [one.code for one in found] == ["E110"]


def test_findings_in_a_schema_file_stand_in_that_file(project: Project) -> None:
    project.file("x.json", '{\n\t"type": "strnig"\n}')
    (found,) = project.load("input_schema: { $ref: x.json }").diagnostics
    assert (found.code, found.span.line, found.span.column) == ("E110", 2, 10)
    assert found.file.endswith("x.json")
    assert found.suggestions == ("string",)


def test_a_schema_file_that_cannot_be_read_is_told_at_the_reference(project: Project) -> None:
    project.file("x.json", '{"type": ')
    (found,) = project.load("input_schema: { $ref: x.json }").diagnostics
    assert (found.code, found.span.line, found.span.column) == ("E110", 6, 23)
    assert "x.json:1:" in str(found.why)


def test_a_default_is_checked_through_files(project: Project) -> None:
    project.file("x.json", '{"$id": "https://example.com/x", "$ref": "y.json#/$defs/n"}')
    project.file("y.json", '{"$id": "https://example.com/y", "$defs": {"n": {"type": "integer"}}}')
    schema = "input_schema: { properties: { n: { $ref: x.json, default: three } } }"
    (found,) = project.load(schema).diagnostics
    assert (found.code, found.span.line, found.span.column) == ("E111", 6, 59)
    assert found.why == 'it is the text "three"; the schema wants integer'


def test_a_default_inside_a_default_is_shown_where_it_is_wrong() -> None:
    schema = "input_schema:\n  items: { type: integer }\n  default:\n    - 1\n    - two\n"
    (found,) = load_text(WORKFLOW + schema).diagnostics
    assert (found.code, found.span.line, found.span.column) == ("E111", 10, 7)


def test_a_text_has_no_files_beside_it(tmp_path: Path) -> None:
    schema = "input_schema: { $ref: x.json }"
    (found,) = load_text(WORKFLOW + schema).diagnostics
    assert found.code == "E110"
    (tmp_path / "x.json").write_text("{}")
    assert load_text(WORKFLOW + schema, root=tmp_path).diagnostics == ()


def test_the_number_of_files_is_bounded(project: Project) -> None:
    for i in range(120):
        project.file(f"x{i}.json", f'{{"properties": {{"a": {{"$ref": "x{i + 1}.json"}}}}}}')
    project.file("x120.json", "{}")
    (found,) = project.load("input_schema: { $ref: x0.json }").diagnostics
    assert found.code == "E110"
    assert "at most 100 files" in str(found.why)
