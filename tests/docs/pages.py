"""Markdown pages as data: fenced blocks with their info words, headings, links, tables.

What the words after a fence's language mean (readers see only the language):

| words | the block is |
|---|---|
| `yaml` | a workflow file, when it begins with `dsl:`; it compiles |
| `yaml run` | an example that is run; without `dsl:` it gets the three lines of every file |
| `yaml workflow` | a file that is deployed before the examples of its page are run |
| `yaml file=PATH` | a file of the page's project, for its `python run` blocks |
| `yaml refused=CODE` | a file, or the part behind the first three lines, that has this finding |
| `yaml fragment` | a part of a file; it parses |
| `json input` | the input of the example before it |
| `json signal=NAME` | a signal sent to the example before it |
| `json output`, `json error` | how the example before it ends; an error's fields that matter |
| `python activities` | activities of the page's examples |
| `python run` | a script that is run in the page's project |
| `text output` | what the script before it prints |
| `python` | Python that compiles |
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
HEADER = 'dsl: 1\nname: example\nversion: "1.0.0"\n'

_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+ (?P<title>.+)$", re.MULTILINE)
_LINK = re.compile(
    r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)|(?:src|srcset|href)=\"(?P<quoted>[^\"]+)\""
)


@dataclass(frozen=True)
class Block:
    """A fenced block. `words` are those after the language."""

    page: str
    line: int
    language: str
    words: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    def value(self, name: str) -> str | None:
        """The value of `name=value` among the words."""
        return next((w.split("=", 1)[1] for w in self.words if w.startswith(f"{name}=")), None)

    @property
    def definition(self) -> str:
        """A workflow file: the text, behind the first three lines when it has none of them."""
        return self.text if re.search("^dsl:", self.text, re.MULTILINE) else HEADER + self.text


@dataclass
class Example:
    """An example that is run, with what goes in and what comes out."""

    workflow: Block
    input: Block | None = None
    signals: list[Block] = field(default_factory=list)
    output: Block | None = None
    error: Block | None = None


def pages() -> list[Path]:
    """All pages: the README and what is under docs."""
    return [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


def name_of(path: Path) -> str:
    """The path as people name it."""
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path) -> list[Block]:
    """The fenced blocks of a page."""
    text = path.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        language, *words = match["info"].split() or [""]
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(name_of(path), line, language, tuple(words), match["text"]))
    return found


def prose(path: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", path.read_text(encoding="utf-8"))


def anchors(path: Path) -> set[str]:
    """What `#…` of a link may name, as GitHub makes it of the headings."""
    found: set[str] = set()
    for match in _HEADING.finditer(prose(path)):
        plain = re.sub(r"[^\w\- ]", "", match["title"].replace("`", "").lower())
        found.add(plain.strip().replace(" ", "-"))
    return found


def links(path: Path) -> list[str]:
    """Where a page points to."""
    without_code = re.sub(r"`[^`\n]*`", "", prose(path))
    return [match["target"] or match["quoted"] for match in _LINK.finditer(without_code)]


def section(path: Path, title: str) -> str:
    """The text under a heading, fenced blocks included, up to the next of its level or above."""
    text = path.read_text(encoding="utf-8")
    lines: list[str] | None = None
    level = 0
    fenced = False
    for line in text.split("\n"):
        fenced ^= line.startswith("```")
        heading = re.match(r"(#+) (.+)", line) if not fenced else None
        if heading and lines is not None and len(heading[1]) <= level:
            break
        if heading and lines is None and heading[2].replace("`", "") == title:
            level, lines = len(heading[1]), []
        elif lines is not None:
            lines.append(line)
    if lines is None:
        raise LookupError(f"{name_of(path)} has no section `{title}`")
    return "\n".join(lines)


def rows(text: str) -> list[list[str]]:
    """The cells of all tables in a text, heads and rules left out; `\\|` is a bar."""
    found = []
    for line in text.split("\n"):
        if line.startswith("|") and not re.fullmatch(r"[|\s:-]+", line):
            cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
            found.append([cell.strip().replace("\\|", "|") for cell in cells])
    return found


def examples(path: Path) -> list[Example]:
    """The examples of a page that are run."""
    found: list[Example] = []
    for block in blocks(path):
        if block.language == "yaml" and "run" in block.words:
            found.append(Example(block))
        elif block.language == "json" and block.words and found:
            last = found[-1]
            if "input" in block.words:
                assert last.input is None, block
                last.input = block
            elif block.value("signal"):
                last.signals.append(block)
            elif "output" in block.words:
                assert last.output is None, block
                last.output = block
            elif "error" in block.words:
                assert last.error is None, block
                last.error = block
    return found
