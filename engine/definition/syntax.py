"""Broken YAML, told in our words: what stands there, what was expected, how to mend it.

ruamel's findings come in as a problem, a context and two marks; each leaves as one E101. First the
mistakes of people are looked for (an expression without quotes, a tab, `a: b: c`), then the table
of ruamel's own problems is asked. What it does not know is told as "cannot be read here".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from engine.definition.wording import shorten

if TYPE_CHECKING:
    from engine.definition.diagnostic import Report
    from engine.definition.places import Lines

# Problem (as ruamel words it) -> what, why, mend. The first that is found in the text counts.
_PROBLEMS: Final[tuple[tuple[str, str, str | None, str | None], ...]] = (
    (
        "sequence entries are not allowed here",
        "a list item cannot begin here",
        "a list begins on a line of its own below its key",
        "put the `- ` on the next line, indented",
    ),
    ("mapping keys are not allowed here", "a `? ` key cannot begin here", None, "quote the value"),
    (
        "indentation indicator",
        "the block's indentation indicator is not a digit from 1 to 9",
        None,
        "leave it out: write `|` or `>` alone",
    ),
    (
        "chomping or indentation indicators",
        "`|` and `>` begin a block of text and nothing else may follow on their line",
        None,
        "quote the value if it is not a block",
    ),
    (
        "expected a comment or a line break",
        "text stands on the line of a `|` or `>`",
        "they begin a block of text, which starts on the next line",
        "move the text to the next line, indented; quote the value if it is no block",
    ),
    (
        "expected '<document start>'",
        "the document has ended above this line",
        "this stands further left than the first key, or behind a value that is a whole document",
        "align it with the first key of the file",
    ),
    (
        "more indented follow up line",
        "a blank line above the block's first line is indented deeper than the block",
        None,
        "delete the blanks on that line",
    ),
    (
        "unknown escape character",
        "this is no escape that a double-quoted value knows",
        None,
        "write `\\\\` for a backslash, or use single quotes",
    ),
    (
        "expected escape sequence",
        "this escape has too few hexadecimal digits",
        None,
        "`\\x` takes 2 of them, `\\u` 4 and `\\U` 8",
    ),
    ("document separator", "a quoted value is still open where the document ends", None, None),
    ("undefined tag handle", "tags are not allowed", None, "quote the value"),
)
_TOKENS: Final = {
    "<block mapping start>": "an indented mapping",
    "<block sequence start>": "an indented list",
    "<block end>": "the end of the block",
    "<scalar>": "a value",
    "<stream end>": "the end of the file",
    "<document start>": "`---`",
    "<document end>": "`...`",
    "<anchor>": "an anchor",
    "<alias>": "an alias",
    "?": "a key",
    "-": "a list item",
}
_EXPRESSION_OPENS = re.compile(r"\$\{\{")
_COMMENT_OPENS = re.compile(r"(?:^|(?<=[ \t]))#", re.MULTILINE)
_FLOW_STOP = re.compile(r"[,\]}]|$")
_STARTERS: Final = "@`%*&!|>"


def explain(error: Any, lines: Lines, report: Report) -> None:
    """Report a `YAMLError` of ruamel."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    index = min(mark.index if mark is not None else 0, len(lines.text))
    context = getattr(error, "context_mark", None)
    finding = _Finding(
        lines,
        report,
        index=index,
        opened=context.index if context is not None else index,
        problem=str(getattr(error, "problem", None) or getattr(error, "context", None) or error),
        context=str(getattr(error, "context", None) or ""),
    )
    for attempt in (
        finding.open_expression,
        finding.tab,
        finding.unfinished_quote,
        finding.second_colon,
        finding.missing_colon,
        finding.starter,
        finding.text_behind_quote,
        finding.indentation,
        finding.unclosed,
        finding.known_problem,
    ):
        if attempt():
            return
    finding.tell("the YAML cannot be read here", length=1)


class _Finding:
    """One failure of the scanner or parser; each method knows one mistake of people."""

    def __init__(
        self, lines: Lines, report: Report, *, index: int, opened: int, problem: str, context: str
    ) -> None:
        self.lines = lines
        self.report = report
        self.index = index
        self.opened = opened
        self.problem = problem
        self.context = context
        self.line_start = lines.text.rfind("\n", 0, index) + 1
        end = lines.text.find("\n", index)
        self.line_end = end if end >= 0 else len(lines.text)
        self.line = lines.text[self.line_start : self.line_end]

    def tell(
        self,
        what: str,
        *,
        at: int | None = None,
        length: int = 1,
        why: str | None = None,
        mend: str | None = None,
    ) -> bool:
        start = self.index if at is None else at
        span = self.lines.span(start, start + length)
        self.report.error("E101", span, what, why=why, mend=mend)
        return True

    def open_expression(self) -> bool:
        """`{ a: ${{ x }} }` and `text: ${{ {'a': 1} }}`: an expression that needs quotes."""
        column = self.index - self.line_start
        opening = -1
        for match in _EXPRESSION_OPENS.finditer(self.line):
            if match.start() <= column:
                opening = match.start()
        if opening < 0 or _is_quoted(self.line, opening):
            return False
        closing = self.line.find("}}", opening)
        flow = self.line[opening + 1 : opening + 2] == "{" and column == opening + 1
        if not flow and 0 <= closing < column:
            return False
        start = _value_start(self.line, opening, flow=flow)
        end = _value_end(self.line, closing, flow=flow)
        value = self.line[start:end].rstrip()
        why = (
            "in flow style `{`, `}` and `,` are YAML's own"
            if flow
            else "a `: ` inside a value without quotes begins a mapping"
        )
        return self.tell(
            "an expression needs quotes here",
            at=self.line_start + start,
            length=len(value),
            why=why,
            mend=f"quote the value: {_quote(value)}",
        )

    def tab(self) -> bool:
        blanks = len(self.line) - len(self.line.lstrip(" \t"))
        if "\t" in self.line[:blanks]:
            at = self.line_start + self.line.index("\t")
            return _tell_tab(self.lines, self.report, at)
        if self.lines.text[self.index : self.index + 1] == "\t":
            return _tell_tab(self.lines, self.report, self.index)
        return False

    def unfinished_quote(self) -> bool:
        if "quoted scalar" not in self.context or "end of stream" not in self.problem:
            return False
        return self.tell(
            "this quote is never closed",
            at=self.opened,
            mend=f"close it with `{self.lines.text[self.opened : self.opened + 1]}`",
        )

    def second_colon(self) -> bool:
        if "mapping values are not allowed" not in self.problem:
            return False
        before = self.line[: self.index - self.line_start]
        match = re.match(r"\s*(?:- )*(?P<key>[^\s:'\"]+): +(?P<value>\S.*)", before)
        if match is None:
            return self.tell(
                "a `:` cannot stand here",
                why="the lines above began something else, or this one is indented too deep",
                mend="align the key with its neighbours",
            )
        start = match.start("value")
        rest = self.line[start:].split(" #")[0].rstrip()
        return self.tell(
            "a second `: ` stands in this value",
            why="in a value without quotes a `: ` begins another mapping",
            mend=f"quote the value: {match['key']}: {_quote(rest)}",
        )

    def missing_colon(self) -> bool:
        if "could not find expected ':'" not in self.problem:
            return False
        start, end = self.lines.line_at(self.opened)
        word = self.lines.text[self.opened : end].rstrip()
        return self.tell(
            f"a `:` is missing after `{word[:40]}`",
            at=self.opened,
            length=max(1, min(len(word), end - start)),
            mend="write `key: value`; text over several lines begins with `|` or `>`",
        )

    def starter(self) -> bool:
        """A value that begins with a character YAML keeps for itself."""
        mark = self.lines.text[self.index : self.index + 1]
        at = self.index
        if "cannot start any token" not in self.problem:
            if not re.search("scanning an (?:alias|anchor)", self.context):
                return False
            at = self.opened
            mark = self.lines.text[at : at + 1]
        if mark not in _STARTERS:
            return False
        _, end = self.lines.line_at(at)
        value = _FLOW_STOP.split(self.lines.text[at:end])[0].rstrip()
        return self.tell(
            f"`{mark}` cannot begin a value without quotes",
            at=at,
            mend=f"quote the value: {_quote(value)}",
        )

    def text_behind_quote(self) -> bool:
        """`a: "b" c`: text after a closing quote."""
        if "<scalar>" not in self.problem or "<block end>" not in self.problem:
            return False
        before = self.line[: self.index - self.line_start].rstrip()
        if not before.endswith(("'", '"')):
            return False
        return self.tell(
            "text stands behind a closing quote",
            why="the quotes must hold the whole value",
            mend="put the quotes around everything, or take them away",
        )

    def indentation(self) -> bool:
        if "expected <block end>" not in self.problem:
            return False
        found = _token(self.problem)
        line, column = self.lines.place(self.opened)
        kind = "list" if "collection" in self.context else "mapping"
        return self.tell(
            f"{found} stands here where the {kind} should go on or end",
            why=f"the {kind} began on line {line} in column {column}",
            mend=f"indent it like that one, with {column - 1} spaces, or further in to nest it",
        )

    def unclosed(self) -> bool:
        match = re.search(r"expected ',' or '([\]}])'", self.problem)
        ends = "expected the node content" in self.problem
        if match is None and not ends:
            return False
        if match is None:
            return self.tell(f"a value is missing before {_token(self.problem)}")
        opener = "{" if match[1] == "}" else "["
        line, column = self.lines.place(self.opened)
        return self.tell(
            f"a `,` or `{match[1]}` is missing before {_token(self.problem)}",
            why=f"the `{opener}` stands on line {line} in column {column}",
            mend="add it, or quote the value if it is text",
        )

    def known_problem(self) -> bool:
        for words, what, why, mend in _PROBLEMS:
            if words in self.problem or words in self.context:
                at = self.index
                if "escape" in words:
                    at = max(self.lines.text.rfind("\\", 0, at), self.line_start)
                return self.tell(what, at=at, why=why, mend=mend)
        return False


def _token(problem: str) -> str:
    """The token ruamel found, in words."""
    match = re.search(r"(?:found|got) \(?'([^']*)'", problem)
    if match is None:
        return "something else"
    return _TOKENS.get(match[1], f"`{match[1]}`")


def _is_quoted(line: str, column: int) -> bool:
    """Whether a column lies inside quotes that open on the same line."""
    quote = ""
    for at, char in enumerate(line[:column]):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"" and (at == 0 or line[at - 1] in " [{,:("):
            quote = char
    return bool(quote)


def _value_start(line: str, opening: int, *, flow: bool) -> int:
    """Where the value that holds the expression begins."""
    starts = [line.rfind(": ", 0, opening) + 2, line.rfind("- ", 0, opening) + 2]
    if flow:
        starts += [line.rfind(mark, 0, opening) + 1 for mark in "[{,"]
    start = max(begin for begin in (*starts, 0) if begin <= opening)
    return start + len(line[start:opening]) - len(line[start:opening].lstrip())


def _value_end(line: str, closing: int, *, flow: bool) -> int:
    if closing < 0:
        return len(line)
    if not flow:
        comment = line.find(" #", closing)
        return comment if comment >= 0 else len(line)
    while (again := line.find("${{", closing)) >= 0 and not re.search(
        r"[,\]}]", line[closing + 2 : again]
    ):
        following = line.find("}}", again)
        if following < 0:
            break
        closing = following
    stop = _FLOW_STOP.search(line, closing + 2)
    return stop.start() if stop else len(line)


def _quote(value: str) -> str:
    value = shorten(value, 200)
    if '"' not in value and "\\" not in value:
        return f'"{value}"'
    return "'" + value.replace("'", "''") + "'"


def check_tabs(lines: Lines, shielded: list[tuple[int, int]], report: Report) -> None:
    """Refuse tabs outside of comments and of the `shielded` (quoted and block) scalars."""
    at = lines.text.find("\t")
    blocks = iter(sorted(shielded))
    block = next(blocks, None)
    behind = 0  # where the last shielded scalar before this tab ended
    while at >= 0:
        while block is not None and block[1] <= at:
            behind = block[1]
            block = next(blocks, None)
        if block is not None and block[0] <= at:
            at = lines.text.find("\t", block[1])
            continue
        start, end = lines.line_at(at)
        if not _COMMENT_OPENS.search(lines.text, max(start, behind), at):
            _tell_tab(lines, report, at)
        at = lines.text.find("\t", end)  # once per line is enough


def _tell_tab(lines: Lines, report: Report, at: int) -> bool:
    start, _ = lines.line_at(at)
    indents = not lines.text[start:at].strip()
    report.error(
        "E101",
        lines.span(at, at + 1),
        "a tab stands in the indentation" if indents else "a tab stands between two things",
        why="how wide a tab is differs from editor to editor; YAML indents with spaces",
        mend="write spaces",
    )
    return True


def lost_comment(lines: Lines, start: int, end: int, report: Report) -> None:
    """Refuse an expression in a plain scalar that a ` #` has cut off."""
    text = lines.text[start:end]
    opening = text.rfind("${{")
    if opening < 0 or "}}" in text[opening:]:
        return
    _, line_end = lines.line_at(max(end - 1, start))
    behind = lines.text[end:line_end]
    if not re.match(r"[ \t]+#", behind):
        return
    report.error(
        "E101",
        lines.span(start, end),
        "a ` #` ends this expression: what follows is a comment",
        mend=f"quote the value: {_quote(lines.text[start:line_end].rstrip())}",
    )
