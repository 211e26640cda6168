"""Cut the source of an expression into the parser's tokens, each with its place.

Each token's `lineno` carries its character offset, so that every node the parser builds knows
where it stands. Habits of other languages (`&&`, `!`, `?:` …) are named here, where they are seen.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

from jinja2.lexer import Token, operators

from engine.errors import ExpressionError
from engine.expr.bounds import NESTING, PREFIXES, SOURCE_CHARACTERS

_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<float>(?<!\.)(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?[eE][+-]?\d+|\.(?:\d+_)*\d+))
    | (?P<integer>0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|[0-9](?:_?\d)*)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<foreign>&&|\|\||===|!==|=>|->|:=|!(?!=)|\?|&|\^|<<|>>)
    | (?P<operator>//|\*\*|==|!=|>=|<=|[-+*/%~\[\](){}<>=.:|,])
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)

_FOREIGN = {
    "&&": ("`&&` is written `and`", "and"),
    "||": ("`||` is written `or`", "or"),
    "!": ("`!` is written `not`", "not"),
    "===": ("`===` is written `==`", "=="),
    "!==": ("`!==` is written `!=`", "!="),
    "?": ("`c ? a : b` is written `a if c else b`", "a if c else b"),
}

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_ESCAPES = {
    "n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "f": "\f",
    "\\": "\\", "'": "'", '"': '"', "/": "/", "\n": "",
}  # fmt: skip

_CLOSES = {"(": ")", "[": "]", "{": "}"}


def refuse(
    source: str,
    message: str,
    offset: int,
    length: int = 1,
    *,
    diagnostic: str = "E222",
    why: str | None = None,
    mend: str | None = None,
    suggestions: tuple[str, ...] = (),
) -> NoReturn:
    """Raise the compile-time error at a place of the source."""
    raise ExpressionError(
        message,
        source=source,
        offset=offset,
        length=max(length, 1),
        diagnostic=diagnostic,
        why=why,
        mend=mend,
        suggestions=suggestions,
    )


class Tokens:
    """The tokens of one source, and the questions asked about their places."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.tokens: list[Token] = []
        self.ends: dict[int, int] = {}
        self.closing: dict[int, int] = {}
        self._following: dict[int, Token] = {}
        self._read()
        self._check_nesting()

    def end(self, offset: int) -> int:
        """Where the token that begins at `offset` ends."""
        return self.ends[offset]

    def after(self, offset: int) -> Token:
        """Return the token after the one that begins at `offset`."""
        return self._following[offset]

    def starting(self, end: int) -> int:
        """Where the token that ends at `end` begins."""
        return next(at for at, stop in self.ends.items() if stop == end)

    def call_end(self, name: int) -> int:
        """Where the name at `name` ends, its arguments in parentheses included."""
        following = self._following.get(name)
        if following is not None and following.type == "lparen":
            return self.ends[self.closing[following.lineno]]
        return self.ends[name]

    def _read(self) -> None:
        source = self.source
        if len(source) > SOURCE_CHARACTERS:
            refuse(
                source[:80],
                f"an expression of {len(source)} characters is over the limit of "
                f"{SOURCE_CHARACTERS}",
                0,
                mend="do it in an activity",
            )
        position = 0
        while position < len(source):
            match = _TOKEN.match(source, position)
            if match is None:
                self._refuse_character(position)
            kind = str(match.lastgroup)
            text = match.group()
            if kind == "foreign":
                message, mend = _FOREIGN.get(text, (f"`{text}` is not an operator here", None))
                refuse(source, message, position, len(text), mend=mend)
            if kind != "space":
                self._add(position, kind, text)
            position = match.end()

    def _add(self, offset: int, kind: str, text: str) -> None:
        value: Any = text
        if kind == "operator":
            kind = operators[text]
        elif kind == "string":
            value = self._unescape(offset, text)
        elif kind == "integer":
            value = self._integer(offset, text)
        elif kind == "float":
            value = float(text.replace("_", ""))
            if value - value != 0.0:
                refuse(self.source, f"`{text}` is not a finite number", offset, len(text))
        token = Token(offset, kind, value)
        if self.tokens:
            self._following[self.tokens[-1].lineno] = token
        self.tokens.append(token)
        self.ends[offset] = offset + len(text)

    def _integer(self, offset: int, text: str) -> int:
        digits = text.replace("_", "")
        if len(digits) > 80:
            refuse(self.source, "an integer of more than 256 bits", offset, len(text))
        try:
            return int(digits, 0)
        except ValueError:
            refuse(self.source, f"`{text}` is not a number", offset, len(text))

    def _unescape(self, offset: int, text: str) -> str:
        def replace(match: re.Match[str]) -> str:
            code = match.group(1) or match.group(2) or match.group(3)
            at = offset + 1 + match.start()
            if code is None:
                found = _ESCAPES.get(match.group(4))
                if found is None:
                    written = match.group()
                    mend = f"`\\{written}`"
                    refuse(self.source, f"`{written}` is not an escape", at, 2, mend=mend)
                return found
            point = int(code, 16)
            if point > 0x10FFFF or 0xD800 <= point <= 0xDFFF:
                refuse(self.source, f"`{match.group()}` is not a character", at, len(code) + 2)
            return chr(point)

        body = text[1:-1]
        return _ESCAPE.sub(replace, body) if "\\" in body else body

    def _refuse_character(self, position: int) -> NoReturn:
        character = self.source[position]
        if character in "'\"":
            refuse(self.source, "the quote is not closed", position, mend=f"close it: {character}")
        refuse(self.source, f"`{character}` has no meaning in an expression", position)

    def _check_nesting(self) -> None:
        # The parser recurses; these counts keep it within a few hundred frames.
        open_brackets: list[Token] = []
        prefixes = 0
        for token in self.tokens:
            text = self.source[token.lineno : self.ends[token.lineno]]
            prefixes = prefixes + 1 if text in ("not", "-", "+") else 0
            if prefixes > PREFIXES:
                refuse(self.source, "the expression is nested too deeply", token.lineno)
            if token.type == "string":
                continue
            if text in _CLOSES:
                open_brackets.append(token)
                if len(open_brackets) > NESTING:
                    refuse(self.source, "the expression is nested too deeply", token.lineno)
            elif text in (")", "]", "}"):
                self._close(open_brackets, token, text)
        if open_brackets:
            at = open_brackets[-1].lineno
            opened = self.source[at]
            refuse(self.source, f"`{opened}` is not closed", at, mend=f"add `{_CLOSES[opened]}`")

    def _close(self, open_brackets: list[Token], token: Token, text: str) -> None:
        if not open_brackets:
            refuse(self.source, f"`{text}` closes nothing", token.lineno)
        opened = open_brackets.pop().lineno
        wanted = _CLOSES[self.source[opened]]
        if text != wanted:
            refuse(self.source, f"`{text}` stands where `{wanted}` was expected", token.lineno)
        self.closing[opened] = token.lineno
