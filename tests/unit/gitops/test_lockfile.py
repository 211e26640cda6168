"""The lock: one line per release, read back as written, refused where nobody wrote it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.gitops.lockfile import (
    Contract,
    Lock,
    LockEntry,
    contract_of,
    entry_of,
    parse_lock,
    write_lock,
)
from engine.gitops.refusals import LockUnreadable
from tests.unit.graph.compiling import graph_of_body

HEADER = "# lockstep lock, format 1. x\n"
A, B = "a" * 64, "b" * 64
LINE = f"order 1.2.0 revision={A} source={B} input=- output=- signals=- dsl=1 semantics=1"

hexes = st.text("0123456789abcdef", min_size=64, max_size=64)
numbers = st.integers(0, 200)
entries = st.builds(
    LockEntry,
    name=st.from_regex(r"[a-z][a-z0-9-]{0,5}(/[a-z][a-z0-9-]{0,5}){0,2}", fullmatch=True),
    version=st.builds(
        "{}.{}.{}{}".format, numbers, numbers, numbers, st.sampled_from(["", "-rc.1", "-a"])
    ),
    revision=hexes,
    source=hexes,
    contract=st.builds(Contract, *(st.none() | hexes for _ in range(3))),
    dsl=st.integers(1, 9),
    semantics=st.integers(1, 99),
)


@given(st.lists(entries, unique_by=lambda entry: entry.key, max_size=20))
def test_what_was_written_is_read_back(written: list[LockEntry]) -> None:
    text = write_lock(written)
    lock = parse_lock(text)
    assert lock.entries == {entry.key: entry for entry in written}
    assert lock.unsorted is None
    assert write_lock(lock.entries.values()) == text
    assert write_lock(reversed(written)) == text


def test_versions_stand_in_the_order_of_versions() -> None:
    lines = [LINE.replace("1.2.0", version) for version in ("1.10.0", "1.9.0", "1.10.0-rc.1")]
    lock = parse_lock(HEADER + "\n".join(lines))
    assert [entry.version for entry in lock.of("order")] == ["1.9.0", "1.10.0-rc.1", "1.10.0"]
    assert lock.unsorted == 3


def test_each_release_knows_its_line() -> None:
    lock = parse_lock(HEADER + f"\n# by hand\n{LINE}\n")
    assert lock.lines == {("order", "1.2.0"): 4}


@pytest.mark.parametrize("text", ["", "\n \n", HEADER, HEADER.replace("\n", "\r\n")])
def test_nothing_is_released(text: str) -> None:
    assert parse_lock(text).entries == {}


def test_line_ends_of_windows_are_read() -> None:
    assert parse_lock((HEADER + LINE + "\n").replace("\n", "\r\n")).entries


BROKEN = {
    "no header": (LINE, 1, "begins with"),
    "a newer format": (HEADER.replace("format 1", "format 2"), 1, "format 2"),
    "a merge that was not finished": (HEADER + f"{LINE}\n<<<<<<< ours\n", 3, "merge"),
    "a release twice, the same": (HEADER + f"{LINE}\n{LINE}\n", 3, "stands in line 2 already"),
    "a release twice, another": (
        HEADER + f"{LINE}\n{LINE.replace(A, B)}\n",
        3,
        "with two revisions",
    ),
    "half a line": (HEADER + LINE[:100], 2, "the fields"),
    "a field more": (HEADER + LINE + " more=1", 2, "the fields"),
    "another order of fields": (
        HEADER + LINE.replace(f"revision={A} source={B}", f"source={B} revision={A}"),
        2,
        "the fields",
    ),
    "a short digest": (HEADER + LINE.replace(A, A[:12]), 2, "SHA-256"),
    "a digest in capitals": (HEADER + LINE.replace(A, A.upper()), 2, "SHA-256"),
    "a revision that is none": (HEADER + LINE.replace(A, "-"), 2, "SHA-256"),
    "a level that is none": (HEADER + LINE.replace("semantics=1", "semantics=0"), 2, "number"),
    "a huge level": (HEADER + LINE.replace("semantics=1", "semantics=" + "9" * 5000), 2, "number"),
    "a version that is none": (HEADER + LINE.replace("1.2.0", "1.2"), 2, "1.2"),
    "build metadata": (HEADER + LINE.replace("1.2.0", "1.2.0+x"), 2, "build metadata"),
    "a name that leads out": (HEADER + LINE.replace("order", "../order", 1), 2, "name"),
    "an absolute name": (HEADER + LINE.replace("order", "/order", 1), 2, "name"),
    "a long name": (HEADER + LINE.replace("order", "o" * 5000, 1), 2, "name"),
    "a tab for a space": (HEADER + LINE.replace(" ", "\t"), 2, "name"),
}


@pytest.mark.parametrize(("text", "line", "said"), BROKEN.values(), ids=BROKEN)
def test_a_line_nobody_wrote(text: str, line: int, said: str) -> None:
    with pytest.raises(LockUnreadable) as caught:
        parse_lock(text, file="x.lock")
    assert (caught.value.file, caught.value.line) == ("x.lock", line)
    assert said in caught.value.problem
    assert caught.value.mend


def test_a_huge_lock_ends() -> None:
    lines = "".join(f"{LINE.replace('1.2.0', f'1.{n}.0')}\n" for n in range(50_001))
    with pytest.raises(LockUnreadable, match="more than 50,000"):
        parse_lock(HEADER + lines)


BODY = """\
input_schema: { type: object }
signals: { go: {}, stop: { schema: { type: string } } }
steps: [ { wait: go, timeout: 1m }, { wait: stop, timeout: 1m } ]
"""


def test_the_contract_has_a_digest_for_each_part() -> None:
    contract = contract_of(graph_of_body(BODY))
    assert contract.output is None
    other = contract_of(graph_of_body(BODY.replace("type: string", "type: integer")))
    assert other.input == contract.input
    assert other.signals != contract.signals
    third = contract_of(graph_of_body(BODY.replace("1m", "2m")))
    assert third == contract


def test_adding_a_release_keeps_the_others() -> None:
    lock = parse_lock(HEADER + LINE)
    graph = graph_of_body(BODY)
    entry = entry_of(graph, version="1.0.0", revision=A, source=b"x")
    both = lock.with_entry(entry)
    assert set(both.entries) == {("order", "1.2.0"), ("case", "1.0.0")}
    assert Lock().entries == {}
