"""The options of a step: what each literal in the file means.

Every reading takes the node, or None where the option is absent, and gives the meaning in the
graph's terms. What means nothing is noted at its own place and replaced by something harmless.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast, overload

from msgspec import UNSET, UnsetType

from engine.definition.document import Mapping, Node, Scalar, Sequence
from engine.definition.spell import suggest
from engine.graph.text import bare, has_expression, normalise
from engine.values.duration import DurationError, format_duration, parse_duration
from engine.values.retry import RetryPolicy
from engine.values.version import VersionError, VersionRange

if TYPE_CHECKING:
    from engine.definition.diagnostic import Report
    from engine.definition.document import Span
    from engine.values.json import Json, JsonObject
    from engine.values.retry import Backoff

_DEFAULT: Final = RetryPolicy()


class Options:
    """Reads literals for one document."""

    def __init__(self, report: Report, retries: Node | None) -> None:
        self._report = report
        self._policies: dict[str, tuple[RetryPolicy, Node]] = {}
        if isinstance(retries, Mapping):
            for entry in retries.entries:
                if isinstance(entry.value, Mapping):
                    self._policies[entry.key.text] = self._policy(entry.value), entry.value

    def value(self, node: Node | None) -> Json:
        """A VALUE: the data, its expressions in the one spelling."""
        if node is None:
            return None
        if isinstance(node, Scalar):
            return normalise(node.value) if isinstance(node.value, str) else node.value
        if isinstance(node, Sequence):
            return [self.value(item) for item in node.items]
        return {entry.key.text: self.value(entry.value) for entry in node.entries}

    def optional(self, node: Node | None) -> Json | UnsetType:
        """A VALUE that may be absent, which is not the same as null."""
        return UNSET if node is None else self.value(node)

    def mapping(self, node: Node | None) -> JsonObject:
        """A mapping of VALUEs; empty when absent."""
        return cast("JsonObject", self.value(node)) if isinstance(node, Mapping) else {}

    def arguments(self, node: Node | None) -> Json:
        """The `with` of a call: a mapping, or one expression that yields one."""
        return {} if node is None or _is_null(node) else self.value(node)

    def condition(self, node: Node | None) -> str | None:
        """A COND without its delimiters."""
        if not isinstance(node, Scalar):
            return None
        return bare(node.text) or node.text.strip()

    @overload
    def name(self, node: Node | None, default: str = "") -> str: ...
    @overload
    def name(self, node: Node | None, default: None) -> str | None: ...
    def name(self, node: Node | None, default: str | None = "") -> str | None:
        """A name: never an expression."""
        if not isinstance(node, Scalar) or _is_null(node):
            return default
        if has_expression(node.text):
            self._report.error(
                "E233",
                node.span,
                f"`{node.text}` stands where only a literal may be",
                why="names are known before anything runs, so that a change of them is seen",
                mend="use a `switch` with one step for each name",
            )
            return default
        return node.text

    def texts(self, node: Node | None) -> tuple[str, ...]:
        """A list of names."""
        items = node.items if isinstance(node, Sequence) else ((node,) if node else ())
        return tuple(self.name(item) for item in items)

    def flag(self, node: Node | None) -> bool:
        """A boolean; absent is false."""
        return isinstance(node, Scalar) and node.value is True

    @overload
    def count(self, node: Node | None, default: int) -> int: ...
    @overload
    def count(self, node: Node | None, default: None) -> int | None: ...
    def count(self, node: Node | None, default: int | None) -> int | None:
        """A whole number; what it may be, the grammar has checked."""
        if isinstance(node, Scalar) and type(node.value) is int:
            return node.value
        return default

    def duration(self, node: Node | None) -> int | None:
        """A literal duration as microseconds."""
        if not isinstance(node, Scalar) or _is_null(node):
            return None
        try:
            return parse_duration(self.name(node))
        except DurationError as error:
            self._malformed(node, error)
            return None

    def moment(self, node: Node | None) -> Json:
        """A duration that may be an expression; a literal one in its canonical text."""
        if not isinstance(node, Scalar) or _is_null(node):
            return None
        if not isinstance(node.value, str) or has_expression(node.value):
            return self.value(node)
        try:
            return format_duration(parse_duration(node.value))
        except DurationError as error:
            self._malformed(node, error)
            return None

    def failures(self, node: Node | None) -> tuple[int, float | None]:
        """`max_failures` as a number or as a percentage."""
        if not isinstance(node, Scalar) or _is_null(node):
            return 0, None
        if type(node.value) is int and node.value >= 0:
            return node.value, None
        number = node.text.removesuffix("%").strip()
        if node.text.endswith("%") and _is_decimal(number) and float(number) <= 100:
            return 0, float(number)
        self._report.error(
            "E315",
            node.span,
            f"`{node.text}` is neither a number of failures nor a percentage",
            why="`max_failures` counts failed items, or the share of them from `0%` to `100%`",
            mend="max_failures: 5%",
        )
        return 0, None

    def workflow(self, node: Node) -> tuple[str, str | None]:
        """`name@range` taken apart."""
        text = self.name(node)
        name, at, _ = text.partition("@")
        if not at or not isinstance(node, Scalar):
            return text, None
        return name, self._range(node, len(name) + 1, ())

    def version_range(self, node: Node | None, *, words: tuple[str, ...] = ()) -> str | None:
        """A version range, or one of the given words."""
        return self._range(node, 0, words) if isinstance(node, Scalar) else None

    def _range(self, node: Scalar, offset: int, words: tuple[str, ...]) -> str | None:
        text = node.text[offset:].strip()
        if text in words:
            return text
        try:
            VersionRange.parse(text)
        except VersionError as error:
            span = node.locate(offset, max(len(text), 1))
            self._report.error("E105", span, str(error), mend=f"{node.text[:offset]}^1.2")
            return None
        return text

    def retry(self, node: Node | None, timeout: Node | None) -> RetryPolicy | None:
        """A retry policy, named or written out; absent means one attempt."""
        if isinstance(node, Mapping):
            policy = self._policy(node)
            self._within(policy, node, node, timeout)
            return policy
        if not isinstance(node, Scalar) or _is_null(node):
            return None
        found = self._policies.get(self.name(node))
        if found is None:
            self._unknown_policy(node)
            return None
        self._within(found[0], node, found[1], timeout)
        return found[0]

    def _unknown_policy(self, node: Scalar) -> None:
        if has_expression(node.text):
            return
        known = tuple(self._policies)
        self._report.error(
            "E211",
            node.span,
            f"there is no retry policy `{node.text}`",
            why=f"`retries` declares {_listed(known)}" if known else "the file has no `retries`",
            mend=f"retries: {{ {node.text}: {{ max_attempts: 3 }} }}",
            suggestions=suggest(node.text, known),
        )

    def _policy(self, node: Mapping) -> RetryPolicy:
        delay = self._time(node, "delay", _DEFAULT.delay)
        policy = RetryPolicy(
            max_attempts=max(self.count(node.get("max_attempts"), _DEFAULT.max_attempts), 1),
            backoff=cast("Backoff", self.name(node.get("backoff"), _DEFAULT.backoff)),
            delay=delay,
            factor=self._number(node, "factor", _DEFAULT.factor),
            max_delay=self._time(node, "max_delay", _DEFAULT.max_delay),
            jitter=self._number(node, "jitter", _DEFAULT.jitter),
            attempt_timeout=self.duration(node.get("attempt_timeout")),
            max_elapsed=self.duration(node.get("max_elapsed")),
            retry_on=self.texts(node.get("retry_on")),
            give_up_on=self.texts(node.get("give_up_on")),
        )
        self._consistent(policy, node)
        return policy

    def _time(self, node: Mapping, key: str, default: int) -> int:
        found = self.duration(node.get(key))
        return default if found is None else found

    def _number(self, node: Mapping, key: str, default: float) -> float:
        given = node.get(key)
        if not isinstance(given, Scalar) or isinstance(given.value, bool):
            return default
        return float(given.value) if isinstance(given.value, (int, float)) else default

    def _consistent(self, policy: RetryPolicy, node: Mapping) -> None:
        backoff = node.get("backoff")
        if policy.max_attempts == 1 and backoff is not None:
            self._report.error(
                "E316",
                backoff.span,
                f"`backoff: {policy.backoff}` never happens with `max_attempts: 1`",
                why="`max_attempts` counts the first attempt, so nothing is tried again",
                mend="max_attempts: 3",
            )
        delay = node.get("delay")
        if policy.backoff != "fixed" and policy.max_delay < policy.delay and delay is not None:
            written = node.get("max_delay")
            text = format_duration(policy.max_delay)
            self._report.error(
                "E316",
                (written or delay).span,
                f"`max_delay` of {text} is shorter than `delay` of {format_duration(policy.delay)}",
                why=None if written else f"`max_delay` is {text} where it is not given",
                mend=f"max_delay: {format_duration(policy.delay)}",
            )

    def _within(
        self, policy: RetryPolicy, at: Node, written: Node, timeout: Node | None
    ) -> None:
        limit = self.duration(timeout)
        if limit is None or timeout is None:
            return
        why = f"the step's `timeout` (line {timeout.span.line}) covers all attempts and waits"
        if policy.attempt_timeout is not None and policy.attempt_timeout > limit:
            self._report.error(
                "E316",
                _span_of(at, written, "attempt_timeout"),
                f"`attempt_timeout` of {format_duration(policy.attempt_timeout)} is longer than "
                f"`timeout` of {format_duration(limit)}",
                why=why,
                mend=f"timeout: {format_duration(policy.attempt_timeout * policy.max_attempts)}",
            )
        if policy.max_attempts > 1 and limit < policy.delay:
            self._report.error(
                "E316",
                _span_of(at, written, "delay"),
                f"`delay` of {format_duration(policy.delay)} is longer than `timeout` of "
                f"{format_duration(limit)}, so there is no second attempt",
                why=why,
                mend=f"timeout: {format_duration(policy.delay * policy.max_attempts)}",
            )

    def _malformed(self, node: Scalar, error: DurationError) -> None:
        self._report.error(
            "E315",
            node.span,
            f"`{error.text}` is not a duration",
            why=error.why,
            mend=error.corrected or "a duration is like `500ms`, `30s`, `5m`, `2h30m` or `7d`",
        )


def _span_of(at: Node, written: Node, key: str) -> Span:
    found = written.get(key) if at is written and isinstance(written, Mapping) else None
    return (found or at).span


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def _is_decimal(text: str) -> bool:
    return text.replace(".", "", 1).isascii() and text.replace(".", "", 1).isdigit()


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)
