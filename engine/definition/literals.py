"""Checks of single values: names, versions, durations, numbers, words.

Each check takes the field it is for and the node that stands there, and writes into the report.
Expressions are looked for, never read: where only a literal may stand, one is E233.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from engine.definition.document import Node, Scalar, Span
from engine.definition.grammar import Field, Shape
from engine.definition.spell import suggest
from engine.definition.wording import example, listed, noun, shorten, start_of
from engine.values.duration import DurationError, parse_duration
from engine.values.version import VersionError, VersionRange, parse_version

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.definition.diagnostic import Report

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
WORKFLOW_NAME: Final = re.compile(r"[a-z][a-z0-9-]*(?:/[a-z][a-z0-9-]*)*")
_ACTIVITY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_ERROR_TYPE: Final = _ACTIVITY
_ERROR_GLOB: Final = re.compile(r"[A-Za-z0-9_*]+(?:\.[A-Za-z0-9_*]+)*")
_PERCENTAGE: Final = re.compile(r"(?:[0-9]{1,2}(?:\.[0-9]{1,6})?|100(?:\.0{1,6})?)%")
_OLD_OCTAL: Final = re.compile(r"[-+]?0[0-9]+")
_YES: Final = frozenset(("yes", "on", "y"))
_NO: Final = frozenset(("no", "off", "n"))

Check: TypeAlias = "Callable[[Report, Field, Node], None]"


def holds_expression(node: Node) -> bool:
    """Whether a scalar's text holds an expression."""
    return isinstance(node, Scalar) and isinstance(node.value, str) and "${{" in node.text


def expression_span(node: Scalar) -> Span:
    """The place of the first expression of a text."""
    start = node.text.index("${{")
    end = node.text.find("}}", start)
    return node.locate(start, (end + 2 if end >= 0 else len(node.text)) - start)


def wrong_shape(report: Report, field: Field, node: Node, *, mend: str | None = None) -> None:
    """Note that something else stands where the field's value should."""
    report.error(
        "E112",
        start_of(node),
        f"`{field.name}` takes {field.shape.value}, not {noun(node)}",
        mend=mend or example(field),
    )


def literal(report: Report, field: Field, node: Node) -> Scalar | None:
    """The node, when it is a scalar other than an expression and null."""
    if not isinstance(node, Scalar) or node.value is None:
        wrong_shape(report, field, node)
        return None
    if holds_expression(node):
        report.error(
            "E233",
            expression_span(node),
            f"`{field.name}` takes no expression",
            why=f"{field.shape.value} is known before the workflow runs, so that it can be checked",
            mend="write it out; to choose between several, use `switch:` over literals",
        )
        return None
    return node


def literal_text(report: Report, field: Field, node: Node) -> str | None:
    """The text of a literal that YAML reads as text."""
    scalar = literal(report, field, node)
    if scalar is None:
        return None
    if not isinstance(scalar.value, str):
        quoted = f'quote it: `{field.name}: "{shorten(scalar.text)}"`'
        wrong_shape(report, field, node, mend=quoted)
        return None
    return scalar.value


def check_text(report: Report, field: Field, node: Node) -> None:
    literal_text(report, field, node)


def check_text_value(report: Report, field: Field, node: Node) -> None:
    if not isinstance(node, Scalar) or node.value is None:
        wrong_shape(report, field, node)
    elif not isinstance(node.value, str):
        quoted = f'quote it: `{field.name}: "{shorten(node.text)}"`'
        wrong_shape(report, field, node, mend=quoted)


def check_condition(report: Report, field: Field, node: Node) -> None:
    # What kind of expression it is, and of which type, is found when it is compiled.
    if not isinstance(node, Scalar) or node.value is None:
        wrong_shape(report, field, node)


def check_name(report: Report, field: Field, node: Node) -> None:
    text = literal_text(report, field, node)
    if text is not None and not NAME.fullmatch(text):
        bad_name(report, field.name, text, node.span)


def bad_name(report: Report, what: str, text: str, span: Span) -> None:
    """Note that a name is not an identifier."""
    mended = re.sub(r"[^A-Za-z0-9_]+", "_", text[:60]).strip("_")
    mended = mended if NAME.fullmatch(mended) else ""
    report.error(
        "E112",
        span,
        f"`{shorten(text)}` is no name for {what}",
        why="a name is letters, digits and `_`, and does not begin with a digit",
        mend=f"write `{mended}`" if mended else None,
    )


def check_activity(report: Report, field: Field, node: Node) -> None:
    text = literal_text(report, field, node)
    if text is not None and not _ACTIVITY.fullmatch(text):
        report.error(
            "E112",
            node.span,
            f"`{shorten(text)}` is no name of an activity",
            why="an activity's name is words of letters, digits and `_`, joined by dots",
            mend=example(field),
        )


def check_workflow_name(report: Report, field: Field, node: Node) -> None:
    text = literal_text(report, field, node)
    if text is not None and not WORKFLOW_NAME.fullmatch(text):
        _bad_workflow_name(report, text, node.span)


def _bad_workflow_name(report: Report, text: str, span: Span) -> None:
    mended = re.sub(r"[^a-z0-9/-]+", "-", text[:60].lower()).strip("-/")
    report.error(
        "E105",
        span,
        f"`{shorten(text)}` is no workflow name",
        why="a workflow name is lower-case letters, digits and `-`, with `/` between its parts",
        mend=f"write `{mended}`" if WORKFLOW_NAME.fullmatch(mended) else "for example `order-saga`",
    )


def check_workflow(report: Report, field: Field, node: Node) -> None:
    text = literal_text(report, field, node)
    if text is None or not isinstance(node, Scalar):
        return
    name, at, wanted = text.partition("@")
    if not WORKFLOW_NAME.fullmatch(name):
        _bad_workflow_name(report, name, node.locate(0, len(name)))
    elif at:
        _check_range(report, wanted, node.locate(len(name) + 1, len(wanted)))


def check_version(report: Report, field: Field, node: Node) -> None:
    text = _version_text(report, field, node)
    if text is not None:
        try:
            parse_version(text)
        except VersionError as error:
            report.error("E105", node.span, f"`{shorten(text)}` is no version", why=error.expected)


def check_version_range(report: Report, field: Field, node: Node) -> None:
    text = _version_text(report, field, node)
    if text is not None:
        _check_range(report, text, node.span)


def check_next_version(report: Report, field: Field, node: Node) -> None:
    text = _version_text(report, field, node)
    if text is not None and text not in ("policy", "pinned"):
        _check_range(report, text, node.span, words=("policy", "pinned"))


def _version_text(report: Report, field: Field, node: Node) -> str | None:
    """The text of a version; a number there is what YAML 1.1 users are used to write."""
    scalar = literal(report, field, node)
    if scalar is None:
        return None
    if isinstance(scalar.value, (int, float)) and not isinstance(scalar.value, bool):
        text = scalar.text
        if field.shape is Shape.VERSION:
            text = ".".join([*text.split("."), "0", "0"][:3])
        report.error(
            "E104",
            scalar.span,
            f"`{scalar.text}` is the number {scalar.value} to YAML, not a version",
            mend=f'write `{field.name}: "{text}"`',
        )
        return None
    return literal_text(report, field, node)


def _check_range(report: Report, text: str, span: Span, *, words: tuple[str, ...] = ()) -> None:
    try:
        VersionRange.parse(text)
    except VersionError as error:
        report.error(
            "E105",
            span,
            f"`{shorten(text)}` is no version range",
            why=error.expected,
            suggestions=suggest(text, ("latest", *words)),
        )


def check_duration(report: Report, field: Field, node: Node) -> None:
    scalar = literal(report, field, node)
    if scalar is not None:
        _check_duration_text(report, field, scalar)


def check_duration_value(report: Report, field: Field, node: Node) -> None:
    if not holds_expression(node):
        check_duration(report, field, node)


def _check_duration_text(report: Report, field: Field, node: Scalar) -> None:
    if isinstance(node.value, bool):
        wrong_shape(report, field, node)
        return
    try:
        if isinstance(node.value, str):
            parse_duration(node.value)
            return
        raise DurationError(node.text, "the unit is missing", f"{node.text}s")
    except DurationError as error:
        corrected = f"write `{field.name}: {error.corrected}`" if error.corrected else None
        report.error(
            "E315",
            node.span,
            f"`{shorten(node.text)}` is no duration: {error.why}",
            mend=corrected or "write it like `500ms`, `30s`, `5m`, `2h30m` or `7d`",
        )


def check_choice(report: Report, field: Field, node: Node) -> None:
    scalar = literal(report, field, node)
    if scalar is not None and scalar.text not in field.choices:
        report.error(
            "E112",
            scalar.span,
            f"`{field.name}` cannot be `{shorten(scalar.text)}`",
            mend=f"write one of {listed(field.choices)}",
            suggestions=suggest(scalar.text, field.choices),
        )


def check_integer(report: Report, field: Field, node: Node) -> None:
    scalar = literal(report, field, node)
    if scalar is None:
        return
    if scalar.style == "plain" and _OLD_OCTAL.fullmatch(scalar.text):
        digits = scalar.text.lstrip("+-0") or "0"
        octal = f" or `0o{digits}`" if re.fullmatch("[0-7]+", digits) else ""
        report.error(
            "E104",
            scalar.span,
            f"`{scalar.text}` is octal in YAML 1.1 and decimal in YAML 1.2",
            mend=f"write `{digits}`{octal}",
        )
    elif isinstance(scalar.value, bool) or not isinstance(scalar.value, int):
        wrong_shape(report, field, node)
    else:
        _check_bounds(report, field, scalar, scalar.value)


def check_number(report: Report, field: Field, node: Node) -> None:
    scalar = literal(report, field, node)
    if scalar is None:
        return
    if isinstance(scalar.value, bool) or not isinstance(scalar.value, (int, float)):
        wrong_shape(report, field, node)
    else:
        _check_bounds(report, field, scalar, scalar.value)


def _check_bounds(report: Report, field: Field, node: Scalar, value: float) -> None:
    low, high = field.minimum, field.maximum
    if (low is None or value >= low) and (high is None or value <= high):
        return
    if low is not None and high is not None:
        wanted = f"{low}" if low == high else f"from {low} to {high}"
    else:
        wanted = f"at least {low}" if low is not None else f"at most {high}"
    report.error(
        "E112",
        node.span,
        f"`{field.name}` is {wanted}, not {shorten(node.text)}",
        mend=example(field),
    )


def check_boolean(report: Report, field: Field, node: Node) -> None:
    scalar = literal(report, field, node)
    if scalar is None or isinstance(scalar.value, bool):
        return
    word = scalar.text.lower()
    if word in _YES or word in _NO:
        meant = "true" if word in _YES else "false"
        report.error(
            "E104",
            scalar.span,
            f"`{scalar.text}` is text in YAML 1.2, not a boolean",
            mend=f"write `{field.name}: {meant}`",
        )
        return
    wrong_shape(report, field, node)


def check_join(report: Report, field: Field, node: Node) -> None:
    if not (isinstance(node, Scalar) and node.value == "all"):
        check_integer(report, field, node)


def check_failures(report: Report, field: Field, node: Node) -> None:
    scalar = literal(report, field, node)
    if scalar is None:
        return
    if not isinstance(scalar.value, str):
        check_integer(report, field, node)
    elif not _PERCENTAGE.fullmatch(scalar.value):
        report.error(
            "E315",
            scalar.span,
            f"`{shorten(scalar.text)}` is neither a whole number nor a percentage",
            mend="write `5` or `5%`",
        )


def check_error_type(report: Report, field: Field, node: Node) -> None:
    text = literal_text(report, field, node)
    if text is not None and not _ERROR_TYPE.fullmatch(text):
        _bad_error_type(report, text, node.span, "for example `order.out_of_stock`")


def check_error_glob(report: Report, field: Field, node: Node) -> None:
    text = literal_text(report, field, node)
    if text is not None and not _ERROR_GLOB.fullmatch(text):
        _bad_error_type(report, text, node.span, "for example `payments.declined` or `payments.*`")


def _bad_error_type(report: Report, text: str, span: Span, mend: str) -> None:
    report.error(
        "E112",
        span,
        f"`{shorten(text)}` is no error type",
        why="an error type is words of letters, digits and `_`, joined by dots",
        mend=mend,
    )


LITERALS: Final[dict[Shape, Check]] = {
    Shape.TEXT: check_text,
    Shape.TEXT_VALUE: check_text_value,
    Shape.CONDITION: check_condition,
    Shape.NAME: check_name,
    Shape.ACTIVITY: check_activity,
    Shape.WORKFLOW: check_workflow,
    Shape.WORKFLOW_NAME: check_workflow_name,
    Shape.VERSION: check_version,
    Shape.VERSION_RANGE: check_version_range,
    Shape.NEXT_VERSION: check_next_version,
    Shape.DURATION: check_duration,
    Shape.DURATION_VALUE: check_duration_value,
    Shape.CHOICE: check_choice,
    Shape.INTEGER: check_integer,
    Shape.NUMBER: check_number,
    Shape.BOOLEAN: check_boolean,
    Shape.JOIN: check_join,
    Shape.FAILURES: check_failures,
    Shape.ERROR_TYPE: check_error_type,
}
