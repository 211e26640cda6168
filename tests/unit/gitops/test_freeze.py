"""The frozen text: schema files inside, everything else byte for byte, the same meaning."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.definition.build import load_file, load_text
from engine.gitops.freeze import frozen_text
from engine.graph.compile import compile_document
from engine.graph.revision import revision

TREE = '{"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#"}}}}'
FILES = {
    "s/id.json": '{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "string"}',
    "s/tree.json": TREE,
    "s/deep.json": '{"type": "object", "properties": {"id": {"$ref": "id.json"}}}',
    "s/parts.json": '{"$defs": {"a/b": {"type": "integer"}, "c": {"$anchor": "see", "minimum": 1}},'
    ' "properties": {"x": {"$ref": "#/$defs/a~1b"}}}',
    "s/default.json": '{"properties": {"default": {"properties": {"q": {"$ref": "id.json"}}}},'
    ' "default": {"$ref": "not a reference"}}',
    "t/id.yaml": "# another id\ntype: integer\n",
    "s/odd name.v2.json": '{"description": "tab\\tquote\\" \\u0085 \\u2028 é \\ud83d\\ude00"}',
}

SCHEMAS = {
    "block": "input_schema:\n  type: object\n  properties:\n    a: { $ref: s/id.json }\n",
    "flow": "input_schema: { type: object, properties: { a: { $ref: s/id.json } } }\n",
    "the whole": "input_schema: { $ref: s/id.json }\n",
    "the whole, in a block": "input_schema:\n  $ref: s/id.json\n",
    "beside other keywords": (
        "input_schema: { properties: { a: { $ref: s/id.json, default: x, description: d } } }\n"
    ),
    "a file that refers to a file": "input_schema: { $ref: s/deep.json }\n",
    "a circle": "input_schema: { properties: { a: { $ref: s/tree.json } } }\n",
    "a circle twice": (
        "input_schema: { properties: { a: { $ref: s/tree.json }, b: { $ref: s/tree.json } } }\n"
    ),
    "a circle as the whole": "input_schema: { $ref: s/tree.json }\n",
    "a part": "input_schema: { properties: { a: { $ref: 's/parts.json#/$defs/a~1b' } } }\n",
    "a percent sign": "input_schema: { properties: { a: { $ref: 's/parts.json#/%24defs/c' } } }\n",
    "a file with parts": "input_schema: { properties: { a: { $ref: s/parts.json } } }\n",
    "an empty fragment": "input_schema: { properties: { a: { $ref: 's/id.json#' } } }\n",
    "two files of one name": (
        "input_schema: { properties: { a: { $ref: s/id.json }, b: { $ref: t/id.yaml } } }\n"
    ),
    "definitions of its own": (
        "input_schema:\n  $defs:\n    id: { type: boolean }\n"
        "  properties: { a: { $ref: s/id.json }, b: { $ref: '#/$defs/id' } }\n"
    ),
    "definitions of its own, in flow": (
        "input_schema: { $defs: { id: { type: boolean } },"
        " properties: { a: { $ref: s/id.json }, b: { $ref: '#/$defs/id' } } }\n"
    ),
    "signals and output": (
        "output_schema: { properties: { a: { $ref: s/id.json } } }\n"
        "signals:\n  go:\n    schema:\n      # who\n      $ref: s/tree.json\n"
    ),
    "an alias": (
        "input_schema: { properties: { a: &a { $ref: s/id.json } } }\n"
        "output_schema: { properties: { b: *a } }\n"
    ),
    "an alias of the whole": "input_schema: &w { $ref: s/id.json }\noutput_schema: *w\n",
    "a path with dots": "input_schema: { $ref: s/../s/id.json }\n",
    "a property called default": "input_schema: { $ref: s/default.json }\n",
    "a name that is no key": "input_schema: { $ref: s/odd name.v2.json }\n",
    "in quotes": "input_schema: { \"$ref\": 's/id.json' }\n",
    "comments between": "input_schema:\n\n  # the id\n  $ref: s/id.json   # see there\n",
    "keywords of every kind": (
        "input_schema: { items: { $ref: s/id.json }, anyOf: [ { $ref: s/id.json }, true ],"
        " patternProperties: { '^x': { $ref: s/id.json } }, not: { $ref: t/id.yaml } }\n"
    ),
}
HEAD = "# head, é\ndsl: 1\nname: case\nversion: 1.0.0\n"
TAIL = "steps:\n  - log: ${{ 1 }}   # tail\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_the_frozen_text_means_the_same_alone(folder: Path, schema: str, end: str) -> None:
    source = (HEAD + schema + TAIL).replace("\n", end).encode()
    (folder / "case.yaml").write_bytes(source)
    loaded = load_file(folder / "case.yaml", root=folder)
    assert loaded.document is not None, loaded.diagnostics
    graph = compile_document(loaded.document).graph
    frozen = frozen_text(loaded.document)
    alone = load_text(frozen)
    assert alone.document is not None, (alone.diagnostics, frozen.decode())
    again = compile_document(alone.document).graph
    assert graph is not None
    assert again is not None
    assert revision(again) == revision(graph), json.dumps(str(again), indent=1)
    assert frozen != source
    for line in (HEAD + TAIL).splitlines():
        assert line.encode() + end.encode() in frozen
    for comment in ("# who", "# the id", "# see there"):
        assert (comment in frozen.decode()) == (comment in schema)


def test_without_files_nothing_is_touched() -> None:
    text = "\ufeff" + HEAD + "input_schema: { $defs: { a: {} }, $ref: '#/$defs/a' }\n" + TAIL
    loaded = load_text(text.encode())
    assert loaded.document is not None
    assert frozen_text(loaded.document) == text.encode()
