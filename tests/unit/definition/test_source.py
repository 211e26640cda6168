"""Bytes to text, and what may be read at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.definition.build import load_file, load_text
from engine.definition.source import MAX_BYTES, Unreadable, read_below
from tests.unit.definition.trees import WORKFLOW, read

REFERENCE = WORKFLOW + "input_schema: {{ $ref: '{}' }}\n"


@pytest.mark.parametrize(
    ("raw", "line", "column"),
    [
        (b"a: \xff", 1, 4),
        (b"a: 1\nb: \xc3\x28", 2, 4),
        (b"\xef\xbb\xbfa: \xff", 1, 4),
        ("é: ".encode() + b"\xc3", 1, 4),
        (b"a: 1\r\nb: \x80", 2, 4),
        (b"a: \xed\xa0\x80", 1, 4),
        (b"a: b\x00c", 1, 5),
        (b"a: 1\r\nb: \x1b[0m", 2, 4),
        (b"a: \x7f", 1, 4),
        ("a: \x85".encode(), 1, 4),
        ("a: \u2028".encode(), 1, 4),
        ("a: x\ufeff".encode(), 1, 5),
    ],
)
def test_bytes_that_are_no_text_are_refused_in_their_place(
    raw: bytes, line: int, column: int
) -> None:
    _, found = read(raw)
    assert [(one.code, one.span.line, one.span.column) for one in found] == [("E101", line, column)]


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_a_byte_order_mark_and_all_newlines_are_welcome(before: bytes, newline: bytes) -> None:
    raw = before + WORKFLOW.encode().replace(b"\n", newline)
    document = load_text(raw).document
    assert document is not None
    assert document.source == raw


@pytest.mark.parametrize("text", ['a: "\\ud800"', 'a: "\\U00110000"', 'a: "\\UFFFFFFFF"'])
def test_escapes_that_are_no_character_are_refused(text: str) -> None:
    assert [one.code for one in read(text)[1]] == ["E101"]


def test_a_text_with_half_a_character_is_refused() -> None:
    assert [one.code for one in load_text("a: \ud800").diagnostics] == ["E101"]


def test_a_large_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as stream:
        stream.truncate(100 * MAX_BYTES)  # a hole: reading it would take memory and time
    assert [one.code for one in load_file(path).diagnostics] == ["E109"]


@pytest.mark.parametrize("path", ["missing.yaml", ".", "/dev/zero", "a\0b"])
def test_what_is_no_file_is_one_diagnostic(path: str, tmp_path: Path) -> None:
    loaded = load_file(tmp_path / path)
    assert loaded.document is None
    assert [one.code for one in loaded.diagnostics] == ["E100"]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert [one.code for one in load_file(tmp_path / "pipe.yaml").diagnostics] == ["E100"]


class TestConfinement:
    """Nothing outside of the root is ever read."""

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        root = tmp_path / "workflows"
        (root / "schemas").mkdir(parents=True)
        (root / "schemas" / "inside.json").write_text('{"type": "object"}')
        (tmp_path / "outside.json").write_text('{"type": "object", "title": "secret"}')
        (tmp_path / "workflows-too").mkdir()
        (tmp_path / "workflows-too" / "x.json").write_text("{}")
        (root / "link.json").symlink_to(tmp_path / "outside.json")
        (root / "folder").symlink_to(tmp_path)
        (root / "relative.json").symlink_to("../outside.json")
        (root / "good.json").symlink_to("schemas/inside.json")
        os.mkfifo(root / "pipe.json")
        return root

    @pytest.mark.parametrize(
        "reference",
        [
            "../outside.json",
            "schemas/../../outside.json",
            "./../outside.json",
            "../workflows-too/x.json",
            "../WORKFLOWS/schemas/inside.json",
            "link.json",
            "relative.json",
            "folder/outside.json",
            "/etc/passwd",
            "//etc/passwd",
            "..\\outside.json",
            "file:///etc/passwd",
            "https://example.com/x.json",
            "HTTP://example.com/x.json",
            "schemas",
            "pipe.json",
            ".",
            "missing.json",
        ],
    )
    def test_a_reference_does_not_lead_outside(self, root: Path, reference: str) -> None:
        (root / "a.yaml").write_text(REFERENCE.format(reference))
        loaded = load_file(root / "a.yaml")
        assert loaded.document is None
        assert [(one.code, one.span.line) for one in loaded.diagnostics] == [("E110", 6)]

    @pytest.mark.parametrize(
        "reference", ["schemas/inside.json", "good.json", "schemas/../good.json"]
    )
    def test_a_reference_inside_is_followed(self, root: Path, reference: str) -> None:
        (root / "a.yaml").write_text(REFERENCE.format(reference))
        document = load_file(root / "a.yaml").document
        assert document is not None
        assert document.referenced[reference] == {"type": "object"}

    def test_a_file_below_a_given_root(self, root: Path) -> None:
        (root / "a.yaml").write_text(WORKFLOW)
        assert load_file(root / "a.yaml", root=root).document is not None
        (root.parent / "a.yaml").write_text(WORKFLOW)
        assert [one.code for one in load_file(root.parent / "a.yaml", root=root).diagnostics] == [
            "E100"
        ]

    def test_a_link_swapped_in_after_the_check_is_not_followed(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # As if `schemas/inside.json` became a link between the check of the path and the opening.
        monkeypatch.setattr(os.path, "realpath", lambda path, **_: os.fspath(path))
        with pytest.raises(Unreadable):
            read_below(root, root / "link.json")
        with pytest.raises(Unreadable):
            read_below(root, root / "folder" / "outside.json")
