"""Filters on text. A text they make is measured before it is made."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Any
from urllib.parse import quote

from engine.expr.bounds import JSON_DEPTH, RESULT_BYTES, Refusal, Work, describe, settle, text_bytes
from engine.expr.operators import pluck, require, text_of
from engine.expr.undefined import known

_TRIMMED = 50


def _text(work: Work, value: Any, name: str) -> str:
    text: str = require(value, "string", f"`{name}`")
    work.charge_text(text_bytes(text))
    return text


def _count(value: Any, what: str, *, least: int = 0) -> int:
    if type(known(value)) is not int or value < least:
        raise Refusal(f"{what} is an integer of at least {least}, this is {describe(value)}")
    count: int = value
    return count


def lower(work: Work, value: Any) -> str:
    """Write it in lower case."""
    return _text(work, value, "lower").lower()


def upper(work: Work, value: Any) -> str:
    """Write it in upper case."""
    return _text(work, value, "upper").upper()


def title(work: Work, value: Any) -> str:
    """Begin each word with a capital."""
    text = _text(work, value, "title")
    begins = True
    written = []
    work.charge(len(text) // 8)
    for character in text:
        written.append(character.upper() if begins else character.lower())
        begins = not (character.isalnum() or character == "'")
    return "".join(written)


def trim(work: Work, value: Any, characters: Any = None) -> str:
    """Remove white space, or the given characters, from both ends."""
    text = _text(work, value, "trim")
    if characters is None:
        return text.strip()
    if len(require(characters, "string", "`trim`")) > _TRIMMED:
        raise Refusal(f"`trim` takes at most {_TRIMMED} characters to remove")
    return text.strip(characters)


def replace(work: Work, value: Any, old: Any, new: Any, count: Any = None) -> str:
    """Put `new` in place of each `old`, or of the first `count` of them."""
    text = _text(work, value, "replace")
    before = require(old, "string", "`replace`")
    after = require(new, "string", "`replace`")
    limit = -1 if count is None else _count(count, "the count of `replace`")
    found = text.count(before)
    found = found if limit < 0 else min(found, limit)
    work.charge_text(text_bytes(text) + found * text_bytes(after))
    work.charge(found // 4)
    return text.replace(before, after, limit)


def split(work: Work, value: Any, separator: Any = None) -> list[str]:
    """Cut it at each separator; without one, at white space."""
    text = _text(work, value, "split")
    if separator is None:
        work.charge(len(text) // 4)
        return text.split()
    between = require(separator, "string", "`split`")
    if not between:
        raise Refusal("the separator of `split` is empty", mend="`| list` gives the characters")
    work.charge(text.count(between))
    return text.split(between)


def truncate(
    work: Work, value: Any, length: Any = 255, killwords: Any = False, end: Any = "..."
) -> str:
    """Shorten it to `length` characters, `end` included; at a word unless `killwords`."""
    text = _text(work, value, "truncate")
    limit = _count(length, "the length of `truncate`")
    tail: str = require(end, "string", "`truncate`")
    whole_words = not require(killwords, "boolean", "`truncate`")
    if len(tail) > limit:
        raise Refusal("the end of `truncate` is longer than its length")
    if len(text) <= limit:
        return text
    kept = text[: limit - len(tail)]
    if whole_words:
        kept = kept.rsplit(" ", 1)[0]
    return kept + tail


def join(work: Work, value: Any, separator: Any = "", attribute: Any = None) -> str:
    """Join the items of a list as text."""
    items = require(value, "list", "`join`")
    between: str = require(separator, "string", "`join`")
    work.charge(len(items))
    if attribute is not None:
        items = [pluck_item(item, attribute, "join") for item in items]
    texts = [text_of(item) for item in items]
    size = sum(map(text_bytes, texts)) + max(len(texts) - 1, 0) * text_bytes(between)
    work.charge_text(size)
    return between.join(texts)


def string(work: Work, value: Any) -> str:
    """Write a number or boolean as text."""
    return text_of(value)


def tojson(work: Work, value: Any, indent: Any = None) -> str:
    """Write it as JSON, keys in their own order, no HTML escapes."""
    known(value)
    work.charge(16)
    spaces = None if indent is None else _count(indent, "the indent of `tojson`")
    if spaces is not None and spaces > 8:
        raise Refusal("the indent of `tojson` is at most 8")
    plain = settle(value, work)
    written = []
    size = 0
    # Piecewise: indentation may multiply the size of what was measured.
    for piece in json.JSONEncoder(ensure_ascii=False, indent=spaces).iterencode(plain):
        size += len(piece)
        work.charge(1)
        if size > RESULT_BYTES:
            raise Refusal("the text of `tojson` is over the limit of 1 MiB")
        written.append(piece)
    return "".join(written)


def _refuse_constant(name: str) -> Any:
    raise Refusal(f"`{name}` is not JSON")


def _read_integer(digits: str) -> int:
    if len(digits) > 80:
        raise Refusal("an integer of more than 256 bits is over the limit")
    return int(digits)


def fromjson(work: Work, value: Any) -> Any:
    """Read JSON text."""
    text = _text(work, value, "fromjson")
    work.charge(16)
    work.charge(text.count(",") + text.count("[") + text.count("{"))
    depth = deepest = 0
    if text.count("[") + text.count("{") > JSON_DEPTH:
        for character in text:
            if character in "[{":
                depth += 1
                deepest = max(deepest, depth)
            elif character in "]}":
                depth -= 1
    if deepest > JSON_DEPTH:
        raise Refusal("the JSON text is nested too deeply")
    try:
        read = json.loads(text, parse_constant=_refuse_constant, parse_int=_read_integer)
    except ValueError as error:
        place = getattr(error, "pos", 0)
        raise Refusal(f"the text is not JSON from character {place} on") from None
    return settle(read, work)


def urlencode(work: Work, value: Any) -> str:
    """Escape a text for a URL (`/` stays), or write a mapping as a query string."""
    if type(known(value)) is str:
        return _quoted(work, value, "/")
    fields = require(value, "mapping", "`urlencode`")
    work.charge(len(fields))
    pairs = [
        f"{_quoted(work, key, '')}={_quoted(work, text_of(fields[key]), '')}" for key in fields
    ]
    size = sum(map(len, pairs)) + len(pairs)
    work.charge_text(size)
    return "&".join(pairs)


def _quoted(work: Work, text: str, safe: str) -> str:
    work.charge(4)
    work.charge_text(3 * text_bytes(text))
    return quote(text, safe=safe)


def b64encode(work: Work, value: Any) -> str:
    """Encode the UTF-8 bytes of a text in base 64."""
    data = _text(work, value, "b64encode").encode()
    work.charge_text(len(data) * 4 // 3 + 4)
    return base64.b64encode(data).decode("ascii")


def b64decode(work: Work, value: Any) -> str:
    """Decode base 64 that holds UTF-8 text."""
    text = _text(work, value, "b64decode")
    try:
        return base64.b64decode(text.encode("ascii"), validate=True).decode()
    except (binascii.Error, ValueError):
        raise Refusal("`b64decode` takes base 64 of UTF-8 text") from None


def sha256(work: Work, value: Any) -> str:
    """Return the digest of the UTF-8 bytes of a text, in hexadecimal."""
    return hashlib.sha256(_text(work, value, "sha256").encode()).hexdigest()


def attribute_path(attribute: Any, name: str) -> tuple[str | int, ...]:
    """Read `attribute=`: a key, a dotted path of keys and indices, or an index."""
    if type(known(attribute)) is int:
        return (attribute,)
    if type(attribute) is not str or not attribute or len(attribute) > 200:
        raise Refusal(f"the attribute of `{name}` is a key or a dotted path")
    return tuple(
        int(part) if part.isascii() and part.isdigit() and len(part) < 10 else part
        for part in attribute.split(".")
    )


def pluck_item(item: Any, attribute: Any, name: str) -> Any:
    """Follow `attribute` from one item; an item without it is an error."""
    try:
        return pluck(item, attribute_path(attribute, name))
    except LookupError:
        raise Refusal(
            f"an item of `{name}` has no `{attribute}`",
            mend="filter the items with `selectattr` first",
        ) from None
