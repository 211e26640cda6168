"""The table of filters: every name an expression may put after `|`."""

from __future__ import annotations

from engine.expr import filters_list as of_lists
from engine.expr import filters_number as of_numbers
from engine.expr import filters_text as of_text
from engine.expr.dates import date, duration
from engine.expr.filters_apply import Applying
from engine.expr.functions import Operation

FILTERS: dict[str, Operation] = {}

_APPLYING = Applying(FILTERS)

FILTERS.update(
    {
        "default": Operation(of_lists.default),
        "length": Operation(of_lists.length, "number"),
        "first": Operation(of_lists.first),
        "last": Operation(of_lists.last),
        "join": Operation(of_text.join, "string"),
        "split": Operation(of_text.split, "list"),
        "replace": Operation(of_text.replace, "string"),
        "lower": Operation(of_text.lower, "string"),
        "upper": Operation(of_text.upper, "string"),
        "title": Operation(of_text.title, "string"),
        "trim": Operation(of_text.trim, "string"),
        "truncate": Operation(of_text.truncate, "string"),
        "int": Operation(of_numbers.to_int, "number"),
        "float": Operation(of_numbers.to_float, "number"),
        "string": Operation(of_text.string, "string"),
        "bool": Operation(of_numbers.to_bool, "boolean"),
        "round": Operation(of_numbers.round_, "number"),
        "abs": Operation(of_numbers.absolute, "number"),
        "min": Operation(of_lists.smallest),
        "max": Operation(of_lists.largest),
        "sum": Operation(of_lists.sum_, "number"),
        "sort": Operation(of_lists.sort, "list"),
        "reverse": Operation(of_lists.reverse),
        "unique": Operation(of_lists.unique, "list"),
        "list": Operation(of_lists.list_, "list"),
        "items": Operation(of_lists.items, "list"),
        "keys": Operation(of_lists.keys, "list"),
        "values": Operation(of_lists.values, "list"),
        "map": Operation(_APPLYING.map, "list"),
        "select": Operation(_APPLYING.select, "list"),
        "reject": Operation(_APPLYING.reject, "list"),
        "selectattr": Operation(_APPLYING.selectattr, "list"),
        "rejectattr": Operation(_APPLYING.rejectattr, "list"),
        "groupby": Operation(of_lists.groupby, "list"),
        "batch": Operation(of_lists.batch, "list"),
        "flatten": Operation(of_lists.flatten, "list"),
        "zip": Operation(of_lists.zip_, "list"),
        "pick": Operation(of_lists.pick, "mapping"),
        "omit": Operation(of_lists.omit, "mapping"),
        "merge": Operation(of_lists.merge, "mapping"),
        "index_by": Operation(of_lists.index_by, "mapping"),
        "tojson": Operation(of_text.tojson, "string"),
        "fromjson": Operation(of_text.fromjson),
        "date": Operation(date, "string"),
        "duration": Operation(duration),
        "urlencode": Operation(of_text.urlencode, "string"),
        "b64encode": Operation(of_text.b64encode, "string"),
        "b64decode": Operation(of_text.b64decode, "string"),
        "sha256": Operation(of_text.sha256, "string"),
    }
)
