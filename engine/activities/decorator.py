"""`@activity`: the mark that says "workflows may call this function".

It only marks: the function comes back unchanged, with its `ActivityDefinition` in an attribute.
There is no global registry; a node is told which activities it has.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, overload

from engine.activities.retry import Duration, Retry, optional_microseconds
from engine.activities.signature import Signature
from engine.errors import SettingsError

if TYPE_CHECKING:
    from engine.values.retry import RetryPolicy

F = TypeVar("F", bound=Callable[..., Any])
Isolation = Literal["process"]

MARK: Final = "__lockstep_activity__"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")


@dataclass(frozen=True, kw_only=True)
class ActivityDefinition:
    """A function that workflows may call, and what its author said about it.

    `retry`, `timeout` (of one attempt) and `heartbeat` hold where the step says nothing; durations
    are microseconds.
    """

    name: str
    function: Callable[..., Any]
    description: str = ""
    retry: RetryPolicy | None = None
    timeout: int | None = None
    heartbeat: int | None = None
    isolation: Isolation | None = None
    idempotent: bool = True

    @cached_property
    def signature(self) -> Signature:
        """Read on first use, because hints may name types that are defined further down."""
        return Signature(self.function, self.name)

    @property
    def is_async(self) -> bool:
        """Whether the function is a coroutine function."""
        return inspect.iscoroutinefunction(self.function)

    @property
    def place(self) -> str:
        """`file:line` of the function, for people."""
        code = getattr(inspect.unwrap(self.function), "__code__", None)
        if code is None:
            return repr(self.function)
        return f"{code.co_filename}:{code.co_firstlineno}"


@overload
def activity(function: F, /) -> F: ...


@overload
def activity(
    name: str | None = None,
    /,
    *,
    retry: Retry | None = None,
    timeout: Duration | None = None,
    heartbeat: Duration | None = None,
    isolation: Isolation | None = None,
    idempotent: bool = True,
    description: str | None = None,
) -> Callable[[F], F]: ...


def activity(
    name: str | Callable[..., Any] | None = None,
    /,
    *,
    retry: Retry | None = None,
    timeout: Duration | None = None,
    heartbeat: Duration | None = None,
    isolation: Isolation | None = None,
    idempotent: bool = True,
    description: str | None = None,
) -> Any:
    """Mark a function as an activity; without a name it is called as the function is.

    Args:
        name: What workflows write after `activity:`, for example `inventory.reserve`.
        retry: Holds where the step has no `retry:`.
        timeout: Bounds one attempt, where the step's retry sets no `attempt_timeout`; what bounds
            all attempts and waits is the step's own `timeout:`.
        heartbeat: The longest silence between two heartbeats before the attempt is given up.
        isolation: `"process"` runs it in a subprocess that can be killed.
        idempotent: Whether a repeated attempt does no harm.
        description: For people; the first paragraph of the docstring when left out.

    Raises:
        SettingsError: the name or an option cannot be used.
    """
    if callable(name):
        return _mark(name, name=None)
    try:
        options: dict[str, Any] = {
            "retry": _policy(retry),
            "timeout": optional_microseconds(timeout),
            "heartbeat": optional_microseconds(heartbeat),
        }
    except ValueError as error:
        raise SettingsError(f"@activity({name!r}): {error}") from error
    if isolation not in (None, "process"):
        raise SettingsError(
            f"@activity({name!r}): there is no isolation {isolation!r}", hint='None or "process"'
        )

    def mark(function: F) -> F:
        return _mark(
            function,
            name=name,
            isolation=isolation,
            idempotent=idempotent,
            description=description,
            **options,
        )

    return mark


def definition_of(function: object) -> ActivityDefinition | None:
    """The definition of a marked function or method; None when there is no mark."""
    definition = getattr(function, MARK, None)
    if not isinstance(definition, ActivityDefinition):
        return None
    if inspect.ismethod(function):
        return replace(definition, function=function)
    return definition


def _mark(function: F, *, name: str | None, description: str | None = None, **options: Any) -> F:
    if not inspect.isroutine(function):
        raise SettingsError(f"@activity marks functions, not {function!r}")
    definition = ActivityDefinition(
        name=_checked(name if name is not None else function.__name__),
        function=function,
        description=_paragraph(function) if description is None else description,
        **options,
    )
    setattr(function, MARK, definition)
    return function


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise SettingsError(
            f"`{name}` cannot be the name of an activity",
            hint="dotted parts of letters, digits and `_`, such as `inventory.reserve`",
        )
    return name


def _policy(retry: Retry | None) -> RetryPolicy | None:
    if retry is not None and not isinstance(retry, Retry):
        raise ValueError(f"retry is a Retry(…), not {retry!r}")
    return None if retry is None else retry.policy


def _paragraph(function: Callable[..., Any]) -> str:
    return " ".join((inspect.getdoc(function) or "").split("\n\n")[0].split())
