"""Filters on lists and mappings. They build new lists and mappings; inputs are never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.expr.bounds import Refusal, Work, describe, kind_of, text_bytes
from engine.expr.filters_number import number
from engine.expr.filters_text import attribute_path, pluck_item
from engine.expr.operators import checked_number, is_number, pluck, require
from engine.expr.undefined import NOWHERE, Missing, known

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def default(work: Work, value: Any, fallback: Any = "", boolean: Any = False) -> Any:
    """Replace what is undefined; with `true` as second argument, whatever is falsy too."""
    if type(value) is Missing:
        return fallback
    return fallback if known(boolean) and not value else value


def length(work: Work, value: Any) -> int:
    """Count items, keys or characters."""
    if kind_of(known(value)) in ("list", "mapping", "string"):
        return len(value)
    raise Refusal(f"{describe(value)} has no length")


def _items(work: Work, value: Any, name: str) -> list[Any]:
    items: list[Any] = require(value, "list", f"`{name}`")
    work.charge(1 + len(items))
    return items


def first(work: Work, value: Any) -> Any:
    """Return the first item or character; of an empty one it is undefined."""
    return _end(value, "first", 0)


def last(work: Work, value: Any) -> Any:
    """Return the last item or character; of an empty one it is undefined."""
    return _end(value, "last", -1)


def _end(value: Any, name: str, index: int) -> Any:
    if type(known(value)) not in (list, str):
        raise Refusal(f"`{name}` takes a list or a string, this is {describe(value)}")
    return value[index] if value else Missing(name, NOWHERE)


def reverse(work: Work, value: Any) -> Any:
    """Turn a list or a text around."""
    if type(known(value)) is str:
        work.charge_text(text_bytes(value))
        return value[::-1]
    return _items(work, value, "reverse")[::-1]


def list_(work: Work, value: Any) -> list[Any]:
    """Return the characters of a text, the keys of a mapping, or the list itself."""
    known(value)
    if kind_of(value) in ("string", "mapping", "list"):
        work.charge(len(value))
        return list(value)
    raise Refusal(f"{describe(value)} cannot become a list")


def items(work: Work, value: Any) -> list[list[Any]]:
    """Return the pairs [key, value] of a mapping."""
    given = _mapping(work, value, "items")
    return [[key, given[key]] for key in given]


def keys(work: Work, value: Any) -> list[str]:
    """Return the keys of a mapping, in its order."""
    return list(_mapping(work, value, "keys"))


def values(work: Work, value: Any) -> list[Any]:
    """Return the values of a mapping, in the order of its keys."""
    given = _mapping(work, value, "values")
    return [given[key] for key in given]


def _mapping(work: Work, value: Any, name: str) -> Mapping[str, Any]:
    given: Mapping[str, Any] = require(value, "mapping", f"`{name}`")
    work.charge(1 + len(given))
    return given


def pick(work: Work, value: Any, *names: Any) -> dict[str, Any]:
    """Keep only these keys, in the order given; those it does not have are left out."""
    given = _mapping(work, value, "pick")
    wanted = [require(name, "string", "`pick`") for name in names]
    return {name: given[name] for name in wanted if name in given}


def omit(work: Work, value: Any, *names: Any) -> dict[str, Any]:
    """Leave these keys out."""
    given = _mapping(work, value, "omit")
    unwanted = [require(name, "string", "`omit`") for name in names]
    work.charge(len(given) * len(unwanted) // 8)
    return {key: given[key] for key in given if key not in unwanted}


def merge(work: Work, value: Any, *others: Any) -> dict[str, Any]:
    """Lay mappings over this one: shallow, the right one wins."""
    merged = dict(_mapping(work, value, "merge"))
    for other in others:
        merged.update(_mapping(work, other, "merge"))
    return merged


def index_by(work: Work, value: Any, attribute: Any) -> dict[str, Any]:
    """Key each item by one of its values, a string or an integer; two of one key are an error."""
    indexed: dict[str, Any] = {}
    for item in _items(work, value, "index_by"):
        key = pluck_item(item, attribute, "index_by")
        if type(key) is int:
            key = str(key)
        if type(key) is not str:
            raise Refusal(f"a key of `index_by` is a string or an integer, not {describe(key)}")
        if key in indexed:
            raise Refusal(f"two items of `index_by` have the key `{key[:40]}`", mend="`groupby`")
        indexed[key] = item
    return indexed


def zip_(work: Work, value: Any, *others: Any) -> list[list[Any]]:
    """Pair the items of lists, up to the shortest."""
    lists = [_items(work, value, "zip"), *(_items(work, other, "zip") for other in others)]
    work.charge(len(lists) * min(map(len, lists)))
    return [list(together) for together in zip(*lists, strict=False)]


def batch(work: Work, value: Any, size: Any, fill: Any = None) -> list[list[Any]]:
    """Cut a list into lists of `size`; `fill`, when given, fills the last one up."""
    given = _items(work, value, "batch")
    if type(known(size)) is not int or size < 1:
        raise Refusal("the size of `batch` is an integer of at least 1")
    batches = [given[start : start + size] for start in range(0, len(given), size)]
    if fill is not None and batches and len(batches[-1]) < size:
        work.charge(size)
        batches[-1] = batches[-1] + [known(fill)] * (size - len(batches[-1]))
    return batches


def flatten(work: Work, value: Any, levels: Any = 1) -> list[Any]:
    """Put the items of lists inside the list in their place, `levels` deep."""
    flat = _items(work, value, "flatten")
    if type(known(levels)) is not int or not 0 <= levels <= 20:
        raise Refusal("the levels of `flatten` are an integer from 0 to 20")
    for _ in range(levels):
        if not any(type(item) is list for item in flat):
            break
        wider: list[Any] = []
        for item in flat:
            inside = item if type(item) is list else [item]
            work.charge(1 + len(inside))
            wider.extend(inside)
        flat = wider
    return list(flat)


def _key_of(attribute: Any, name: str, case_sensitive: Any) -> Callable[[Any], Any]:
    exact = require(case_sensitive, "boolean", f"`{name}`")
    path = None if attribute is None else attribute_path(attribute, name)

    def key(item: Any) -> Any:
        if path is not None:
            try:
                item = pluck(item, path)
            except LookupError:
                raise Refusal(f"an item of `{name}` has no `{attribute}`") from None
        return item if exact or type(item) is not str else item.lower()

    return key


def _sortable(work: Work, given: list[Any], key: Callable[[Any], Any], name: str) -> list[Any]:
    sort_keys = [key(item) for item in given]
    kinds = {kind_of(item) for item in sort_keys}
    if len(kinds) > 1 or not kinds <= {"number", "string"}:
        found = " and ".join(sorted(kinds))
        raise Refusal(f"`{name}` orders numbers or strings, these are {found}", diagnostic="E231")
    if kinds == {"string"}:
        # Equal prefixes are compared again and again: long keys pay for it.
        work.charge(sum(map(len, sort_keys)) // 8)
    return sort_keys


def sort(
    work: Work,
    value: Any,
    reverse: Any = False,
    case_sensitive: Any = True,
    attribute: Any = None,
) -> list[Any]:
    """Order numbers or strings, or items by such an attribute; equal ones keep their order."""
    given = _items(work, value, "sort")
    backwards = require(reverse, "boolean", "`sort`")
    work.charge(2 * len(given))
    sort_keys = _sortable(work, given, _key_of(attribute, "sort", case_sensitive), "sort")
    order = sorted(range(len(given)), key=sort_keys.__getitem__, reverse=backwards)
    return [given[index] for index in order]


def smallest(work: Work, value: Any, case_sensitive: Any = True, attribute: Any = None) -> Any:
    """Return the least item; of an empty list it is undefined."""
    return _extreme(work, value, "min", _key_of(attribute, "min", case_sensitive))


def largest(work: Work, value: Any, case_sensitive: Any = True, attribute: Any = None) -> Any:
    """Return the greatest item; of an empty list it is undefined."""
    return _extreme(work, value, "max", _key_of(attribute, "max", case_sensitive))


def _extreme(work: Work, value: Any, name: str, key: Callable[[Any], Any]) -> Any:
    given = _items(work, value, name)
    work.charge(4)
    if not given:
        return Missing(name, NOWHERE)
    sort_keys = _sortable(work, given, key, name)
    choose = min if name == "min" else max
    return given[choose(range(len(given)), key=sort_keys.__getitem__)]


def sum_(work: Work, value: Any, attribute: Any = None, start: Any = 0) -> Any:
    """Add numbers up, or such an attribute of the items."""
    addends = _items(work, value, "sum")
    if attribute is not None:
        addends = [pluck_item(item, attribute, "sum") for item in addends]
    total = number(start, "sum")
    try:
        for addend in addends:
            total += addend if type(addend) is int else number(addend, "sum")
    except OverflowError:
        raise Refusal("the sum is not a finite number") from None
    # Infinity and too wide integers do not go away by adding, so one check does for all.
    return checked_number(total)


def canonical(work: Work, value: Any) -> Any:
    """Return something hashable, equal for equal JSON and different for different JSON."""
    work.charge(1)
    if is_number(value) or value is None:
        return value
    kind = type(value)
    if kind is bool:
        return ("boolean", value)
    if kind is str:
        work.charge(len(value) // 64)
        return ("string", value)
    if kind is list:
        return ("list", *(canonical(work, item) for item in value))
    return ("mapping", frozenset((key, canonical(work, value[key])) for key in value))


def unique(work: Work, value: Any, case_sensitive: Any = True, attribute: Any = None) -> list[Any]:
    """Keep the first of items that are equal, or equal in an attribute."""
    key = _key_of(attribute, "unique", case_sensitive)
    seen: dict[Any, Any] = {}
    for item in _items(work, value, "unique"):
        seen.setdefault(canonical(work, key(item)), item)
    return list(seen.values())


def groupby(work: Work, value: Any, attribute: Any, default: Any = None) -> list[list[Any]]:
    """Gather items by an attribute: pairs [value, items], ordered by the value."""
    path = attribute_path(attribute, "groupby")
    work.charge(6)
    groups: dict[Any, list[Any]] = {}
    for item in _items(work, value, "groupby"):
        try:
            shared = pluck(item, path)
        except LookupError:
            if default is None:
                raise Refusal(f"an item of `groupby` has no `{attribute}`") from None
            shared = known(default)
        groups.setdefault(canonical(work, shared), [shared, []])[1].append(item)
    return sort(work, list(groups.values()), attribute=0)
