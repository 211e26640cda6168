"""Read an expression: source -> tree of Jinja's nodes, each knowing its place.

The parser is Jinja's, so the syntax is. No code is generated and nothing is evaluated here.
After `parse`, `lineno` of every node holds its packed place (`place_of`): the only field of a
node that travels with it everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.lexer import Token, TokenStream
from jinja2.parser import Parser

from engine.expr.bounds import CHOICES, DEPTH, NODES
from engine.expr.tokens import Tokens, refuse

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

_SHIFT = 16
_MASK = (1 << _SHIFT) - 1

Path = tuple[str | int, ...]

_JOINING = frozenset({"and", "or", "not", "in", "is", "if", "else"})


def pack(start: int, end: int) -> int:
    """One number for a place in the source."""
    return start << _SHIFT | max(end - start, 1)


def unpack(place: int) -> tuple[int, int]:
    """Offset and length of a packed place."""
    return place >> _SHIFT, place & _MASK


def place_of(node: nodes.Node) -> tuple[int, int]:
    """Offset and length of a node in the source it was parsed from."""
    return unpack(node.lineno)


def parse(source: str, environment: ImmutableSandboxedEnvironment) -> nodes.Expr:
    """Parse one expression; raises `ExpressionError` E222 or E223 at the offending token."""
    tokens = Tokens(source)
    if not tokens.tokens:
        refuse(source, "the expression is empty", 0, mend="`${{ input.x }}`")
    if sum(token.value == "if" and token.type == "name" for token in tokens.tokens) > CHOICES:
        refuse(source, "the expression has too many choices", 0, mend="use `switch`")
    parser = Parser(environment, "", state="variable")
    parser.stream = TokenStream(iter(tokens.tokens), None, None)
    stopped_at = None
    try:
        tree = parser.parse_expression()
    except TemplateSyntaxError as error:
        stopped_at = error.lineno
    if stopped_at is not None:
        _refuse_syntax(tokens, parser.stream.current, stopped_at)
    if not parser.stream.eos:
        _refuse_token(tokens, parser.stream.current)
    _Places(tokens).settle(tree, 0)
    return tree


def path_of(node: nodes.Node) -> Path | None:
    """Return the path a node spells, root first, or None when it is no plain path."""
    parts: list[str | int] = []
    while not isinstance(node, nodes.Name):
        if isinstance(node, nodes.Getattr):
            parts.append(node.attr)
        elif isinstance(node, nodes.Getitem) and (key := constant_key(node.arg)) is not None:
            parts.append(key)
        else:
            return None
        node = node.node
    parts.append(node.name)
    return tuple(reversed(parts))


def constant_key(node: nodes.Expr) -> str | int | None:
    """Return the key or index a subscript spells literally, negative ones included."""
    if isinstance(node, nodes.Neg) and isinstance(node.node, nodes.Const):
        value = node.node.value
        return -value if type(value) is int else None
    if isinstance(node, nodes.Const) and type(node.value) in (str, int):
        key: str | int = node.value
        return key
    return None


def _refuse_syntax(tokens: Tokens, current: Token, offset: int) -> NoReturn:
    # The parser stops at or just after the culprit; what it names itself is nearer.
    named = next((token for token in tokens.tokens if token.lineno == offset), current)
    last = tokens.tokens[-1].lineno
    if current.type == "eof" and (named is current or named.lineno == last):
        before = tokens.tokens[-1]
        if before.type in ("name", "string", "integer", "float") and before.value not in _JOINING:
            _refuse_token(tokens, before)
        text = tokens.source[last : tokens.end(last)]
        refuse(tokens.source, f"the expression ends after `{text}`", last, len(text))
    _refuse_token(tokens, current if current.type != "eof" else named)


def _refuse_token(tokens: Tokens, token: Token) -> NoReturn:
    source = tokens.source
    at = token.lineno
    text = source[at : tokens.end(at)]
    index = tokens.tokens.index(token)
    before = tokens.tokens[index - 1] if index else None
    if any(other.type == "name" and other.value == "lambda" for other in tokens.tokens):
        at = next(t.lineno for t in tokens.tokens if t.value == "lambda")
        refuse(source, "`lambda` is not part of the language", at, 6, diagnostic="E223")
    if token.type == "assign":
        refuse(
            source,
            "an expression assigns nothing",
            at,
            diagnostic="E223",
            mend="`==` compares; the step `set:` assigns",
        )
    if token.type in ("name", "string", "integer", "float") and before is not None:
        earlier = source[before.lineno : tokens.end(before.lineno)]
        refuse(source, f"`{text}` cannot follow `{earlier}`", at, len(text))
    refuse(source, f"`{text}` is not expected here", at, len(text))


class _Places:
    """Give every node its place; bounds the tree before anything else walks it."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.count = 0

    def settle(self, node: nodes.Node, depth: int) -> tuple[int, int]:
        """Set the place of a node and all below it; returns start and end of its whole text.

        The place of a filter or test is its name alone: that is what an error points at.
        """
        self.count += 1
        if self.count > NODES or depth > DEPTH:
            what = "too large" if self.count > NODES else "nested too deeply"
            refuse(self.tokens.source, f"the expression is {what}", 0, mend="do it in an activity")
        at = node.lineno
        spans = [self.settle(child, depth + 1) for child in node.iter_child_nodes()]
        if not spans:
            end = self.tokens.ends.get(at, at + 1)
            whole = (at, end)
        else:
            whole = (min(span[0] for span in spans), max(span[1] for span in spans))
        whole, shown = self._own(node, at, whole, spans)
        node.lineno = pack(*shown)
        return whole

    def _own(
        self,
        node: nodes.Node,
        at: int,
        whole: tuple[int, int],
        spans: list[tuple[int, int]],
    ) -> tuple[tuple[int, int], tuple[int, int]]:
        tokens = self.tokens
        start, end = whole
        if isinstance(node, (nodes.Filter, nodes.Test)):
            name = at
            if isinstance(node, nodes.Test):
                name = tokens.after(at).lineno
                if tokens.after(at).value == "not":
                    name = tokens.after(name).lineno
            whole = (start, max(end, tokens.call_end(name)))
            return whole, (name, tokens.end(name))
        if isinstance(node, nodes.Getattr):
            end = tokens.end(tokens.after(at).lineno)
        elif isinstance(node, nodes.Getitem):
            closing = tokens.closing.get(at)
            end = tokens.end(tokens.after(at).lineno if closing is None else closing)
        elif isinstance(node, nodes.Call):
            end = max(end, tokens.call_end(tokens.starting(spans[0][1])))
        elif isinstance(node, (nodes.List, nodes.Dict)):
            start, end = at, tokens.end(tokens.closing[at])
        elif isinstance(node, (nodes.Neg, nodes.Pos, nodes.Not)):
            start = min(start, at)
        return (start, end), (start, end)
