"""The options of a step: what each literal in the file means in the graph's terms.

Every reading takes the node, or None where the option is absent. That the literals are well formed,
the grammar has seen; what is found here is what takes two of them to see: a retry policy nobody
declared (E211) and numbers that contradict each other (E316).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast, overload

from msgspec import UNSET, UnsetType

from engine.definition.document import Mapping, Node, Scalar, Sequence
from engine.definition.spell import suggest
from engine.definition.wording import listed
from engine.graph.text import has_expression, normalise, sole
from engine.values.duration import format_duration, parse_duration
from engine.values.retry import RetryPolicy

if TYPE_CHECKING:
    from engine.definition.diagnostic import Report
    from engine.definition.document import Span
    from engine.values.json import Json, JsonObject
    from engine.values.retry import Backoff

_DEFAULT: Final = RetryPolicy()


class Options:
    """Reads the literals of one document."""

    def __init__(self, report: Report, retries: Node | None) -> None:
        self._report = report
        self._policies: dict[str, tuple[RetryPolicy, Mapping]] = {}
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
        return {} if node is None else self.value(node)

    def condition(self, node: Node | None) -> str | None:
        """A COND without its delimiters."""
        if not isinstance(node, Scalar):
            return None
        hole = sole(node.text)
        return node.text.strip() if hole is None else hole.source.strip()

    @overload
    def name(self, node: Node | None, default: str = "") -> str: ...
    @overload
    def name(self, node: Node | None, default: None) -> str | None: ...
    def name(self, node: Node | None, default: str | None = "") -> str | None:
        """A literal text."""
        return node.text if isinstance(node, Scalar) else default

    def texts(self, node: Node | None) -> tuple[str, ...]:
        """A list of literal texts."""
        items = node.items if isinstance(node, Sequence) else ()
        return tuple(self.name(item) for item in items)

    def flag(self, node: Node | None) -> bool:
        """A boolean; absent is false."""
        return isinstance(node, Scalar) and node.value is True

    @overload
    def count(self, node: Node | None, default: int) -> int: ...
    @overload
    def count(self, node: Node | None, default: None) -> int | None: ...
    def count(self, node: Node | None, default: int | None) -> int | None:
        """A whole number."""
        if isinstance(node, Scalar) and type(node.value) is int:
            return node.value
        return default

    def duration(self, node: Node | None) -> int | None:
        """A literal duration as microseconds."""
        return parse_duration(node.text) if isinstance(node, Scalar) else None

    def moment(self, node: Node | None) -> Json:
        """A duration that may be an expression; a literal one in its canonical text."""
        if not isinstance(node, Scalar) or has_expression(node.text):
            return self.value(node)
        return format_duration(parse_duration(node.text))

    def failures(self, node: Node | None) -> tuple[int, float | None]:
        """`max_failures` as a number or as a percentage."""
        if not isinstance(node, Scalar):
            return 0, None
        if node.text.endswith("%"):
            return 0, float(node.text.removesuffix("%"))
        return self.count(node, 0), None

    def workflow(self, node: Node) -> tuple[str, str | None]:
        """`name@range` taken apart."""
        name, at, wanted = self.name(node).partition("@")
        return name, wanted if at else None

    def retry(self, node: Node | None, timeout: Node | None) -> RetryPolicy | None:
        """A retry policy, named or written out; absent means one attempt."""
        if isinstance(node, Mapping):
            policy = self._policy(node)
            self._within(policy, node, node, timeout)
            return policy
        if not isinstance(node, Scalar):
            return None
        found = self._policies.get(node.text)
        if found is None:
            self._unknown(node)
            return None
        self._within(found[0], node, found[1], timeout)
        return found[0]

    def _unknown(self, node: Scalar) -> None:
        known = tuple(self._policies)
        close = suggest(node.text, known)
        self._report.error(
            "E211",
            node.span,
            f"there is no retry policy `{node.text}`",
            why=f"`retries` declares {listed(known)}" if known else "the file has no `retries`",
            mend=None if close else f"retries: {{ {node.text}: {{ max_attempts: 3 }} }}",
            suggestions=close,
        )

    def _policy(self, node: Mapping) -> RetryPolicy:
        policy = RetryPolicy(
            max_attempts=self.count(node.get("max_attempts"), _DEFAULT.max_attempts),
            backoff=cast("Backoff", self.name(node.get("backoff"), _DEFAULT.backoff)),
            delay=self._time(node, "delay", _DEFAULT.delay),
            factor=_number(node.get("factor"), _DEFAULT.factor),
            max_delay=self._time(node, "max_delay", _DEFAULT.max_delay),
            jitter=_number(node.get("jitter"), _DEFAULT.jitter),
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
        delay, highest = node.get("delay"), node.get("max_delay")
        at = highest or delay
        if policy.backoff != "fixed" and policy.max_delay < policy.delay and at is not None:
            longest = format_duration(policy.max_delay)
            self._report.error(
                "E316",
                at.span,
                f"`max_delay` of {longest} is shorter than `delay` of "
                f"{format_duration(policy.delay)}",
                why=None if highest else f"`max_delay` is {longest} where it is not given",
                mend=f"max_delay: {format_duration(policy.delay)}",
            )

    def _within(
        self, policy: RetryPolicy, at: Node, written: Mapping, timeout: Node | None
    ) -> None:
        limit = self.duration(timeout)
        if limit is None or timeout is None:
            return
        why = f"`timeout` (line {timeout.span.line}) covers all attempts and the waits between"
        attempt = policy.attempt_timeout
        if attempt is not None and attempt > limit:
            self._report.error(
                "E316",
                _span(at, written, "attempt_timeout"),
                f"`attempt_timeout` of {format_duration(attempt)} is longer than `timeout` of "
                f"{format_duration(limit)}",
                why=why,
                mend=f"timeout: {format_duration(attempt * policy.max_attempts)}",
            )
        if policy.max_attempts > 1 and limit < policy.delay:
            self._report.error(
                "E316",
                _span(at, written, "delay"),
                f"`delay` of {format_duration(policy.delay)} is longer than `timeout` of "
                f"{format_duration(limit)}, so there is no second attempt",
                why=why,
                mend=f"timeout: {format_duration(policy.delay * policy.max_attempts)}",
            )


def _number(node: Node | None, default: float) -> float:
    given = node.value if isinstance(node, Scalar) else None
    return float(given) if isinstance(given, (int, float)) else default


def _span(at: Node, written: Mapping, key: str) -> Span:
    """The key's value where the policy stands in the step itself, else the policy's name."""
    inside = written.get(key) if at is written else None
    return (inside or at).span
