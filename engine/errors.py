"""The one tree of exceptions.

::

    EngineError
    ├── DefinitionError          a file does not compile           (.diagnostics)
    ├── ExpressionError          an expression failed              (.source, .offset)
    ├── RegistryError            versions and names
    │   ├── UnknownWorkflow
    │   ├── UnknownVersion
    │   ├── VersionLocked
    │   ├── VersionWithdrawn     asked for exactly, and yanked or pruned
    │   ├── VersionInUse         cannot be pruned                  (.references)
    │   ├── DevelopmentVersion   stays in the store it was made in
    │   └── NotForDevelopment    the store holds other things than what is being tried
    ├── ClientError              what a caller asked for
    │   ├── InputRefused
    │   ├── InstanceNotFound
    │   ├── ExecutionNotFound
    │   ├── InstanceExists
    │   ├── InstanceFinished
    │   ├── InstanceFailed
    │   ├── InstanceCancelled
    │   ├── InstanceTerminated
    │   ├── ResultTimeout
    │   └── LimitExceeded
    ├── ReplayError
    │   ├── Nondeterminism
    │   └── UnsupportedSemantics
    ├── StorageError
    │   ├── LeaseLost
    │   ├── NodeBusy             another process is the node of this store
    │   ├── StaleState           the catalogue moved since it was read
    │   ├── StorageUnavailable   retryable; exit code 75
    │   └── StorageBroken        the disk failed under the store; the node stops
    ├── SettingsError
    └── ActivityError            raised by activities on purpose

Each class takes its attributes; the message is built from them. ``code`` is stable and may be
matched on; ``hint`` tells the reader what to do next. All pickle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class EngineError(Exception):
    """Anything this package raises on purpose."""

    code: ClassVar[str] = "engine.error"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(cls: type[EngineError], args: tuple[Any, ...], state: dict[str, Any]) -> EngineError:
    error = cls.__new__(cls)
    Exception.__init__(error, *args)
    error.__dict__.update(state)
    return error


class DefinitionError(EngineError):
    """A workflow file does not compile. ``diagnostics`` holds every finding, errors first."""

    code = "definition.invalid"

    def __init__(self, diagnostics: Sequence[Any], *, subject: str = "the workflow") -> None:
        self.diagnostics = list(diagnostics)
        first = f": {self.diagnostics[0]}" if self.diagnostics else ""
        super().__init__(f"{subject} has {len(self.diagnostics)} problem(s){first}")


class ExpressionError(EngineError):
    """An expression could not be compiled or evaluated.

    ``offset``/``length`` are character positions inside ``source``; ``error_type`` is the dotted
    type a workflow sees when it happens at run time.
    """

    code = "expression.error"
    error_type = "sys.expression"

    def __init__(
        self,
        message: str,
        *,
        source: str = "",
        offset: int = 0,
        length: int = 1,
        diagnostic: str = "E222",
        why: str | None = None,
        mend: str | None = None,
        suggestions: Sequence[str] = (),
    ) -> None:
        self.source = source
        self.offset = offset
        self.length = length
        self.diagnostic = diagnostic
        self.why = why
        self.mend = mend
        self.suggestions = tuple(suggestions)
        super().__init__(message)


class RegistryError(EngineError):
    """A name or version is not what the caller thought."""

    code = "registry.error"


class UnknownWorkflow(RegistryError):
    """No workflow of that name is deployed."""

    code = "registry.unknown_workflow"

    def __init__(self, name: str, *, suggestions: Sequence[str] = ()) -> None:
        self.name = name
        self.suggestions = list(suggestions)
        hint = f"did you mean {' or '.join(suggestions)}?" if suggestions else "deploy it first"
        super().__init__(f"no workflow `{name}` is deployed", hint=hint)


class UnknownVersion(RegistryError):
    """The name is deployed, but nothing of it satisfies the asked version or range."""

    code = "registry.unknown_version"

    def __init__(self, name: str, wanted: str, *, known: Sequence[str] = ()) -> None:
        self.name = name
        self.wanted = wanted
        self.known = list(known)
        listed = ", ".join(known) or "none"
        super().__init__(
            f"workflow `{name}` has no version that satisfies `{wanted}`",
            hint=f"deployed: {listed}",
        )


class VersionLocked(RegistryError):
    """The version is deployed with another revision; a deployed version never changes."""

    code = "registry.version_locked"

    def __init__(
        self, name: str, version: str, *, deployed: str, offered: str, next_free: str
    ) -> None:
        self.name = name
        self.version = version
        self.deployed = deployed
        self.offered = offered
        self.next_free = next_free
        super().__init__(
            f"`{name}` {version} is locked: deployed revision {deployed}, this file is {offered}",
            hint=f"give the file a new version, for example {next_free}",
        )


class VersionWithdrawn(RegistryError):
    """The version was asked for by its number, and nobody may start it any more."""

    code = "registry.version_withdrawn"

    def __init__(self, name: str, version: str, state: str, reason: str | None) -> None:
        self.name = name
        self.version = version
        self.state = state
        self.reason = reason
        why = f": {reason}" if reason else ""
        super().__init__(
            f"`{name}` {version} is {state}{why}",
            hint="ask for another version, or for none; instances that run on it go on",
        )


class VersionInUse(RegistryError):
    """The content of a version is still needed. ``references`` says by whom."""

    code = "registry.version_in_use"

    def __init__(self, name: str, version: str, references: Sequence[Any]) -> None:
        self.name = name
        self.version = version
        self.references = list(references)
        listed = ", ".join(str(one) for one in self.references)
        super().__init__(
            f"`{name}` {version} cannot be pruned: {listed}",
            hint="let its instances end and their histories expire, or move what names it",
        )


class DevelopmentVersion(RegistryError):
    """A version that a save has made is deployed elsewhere: release the file instead."""

    code = "registry.development_version"

    def __init__(self, name: str, version: str) -> None:
        self.name = name
        self.version = version
        super().__init__(
            f"`{name}` {version} is a development version; this store does not take it",
            hint="deploy the file itself, under a version of its own",
        )


class NotForDevelopment(RegistryError):
    """Hot reload was asked for on a store that is in use for something else."""

    code = "registry.not_for_development"

    def __init__(self, location: str) -> None:
        self.location = location
        super().__init__(
            f"{location} is no development store, so nothing is reloaded there",
            hint="name a new file with --database; `lockstep dev` makes it",
        )


class ClientError(EngineError):
    """A request was refused; nothing was stored."""

    code = "client.error"


class InputRefused(ClientError):
    """A value does not fit its schema. ``path`` points into the value, ``/``-separated."""

    code = "client.input_refused"

    def __init__(self, what: str, path: str, problem: str) -> None:
        self.what = what
        self.path = path
        self.problem = problem
        super().__init__(f"{what} refused at `{path or '/'}`: {problem}")


class InstanceNotFound(ClientError):
    """No instance has this id."""

    code = "client.instance_not_found"

    def __init__(self, instance_id: str) -> None:
        self.instance_id = instance_id
        super().__init__(
            f"no instance `{instance_id}`", hint="`lockstep list` shows those there are"
        )


class ExecutionNotFound(ClientError):
    """The instance has no execution of that number."""

    code = "client.execution_not_found"

    def __init__(self, instance_id: str, execution: int, newest: int) -> None:
        self.instance_id = instance_id
        self.execution = execution
        self.newest = newest
        super().__init__(
            f"instance `{instance_id}` has no execution {execution}",
            hint=f"it has 1 to {newest}",
        )


class InstanceExists(ClientError):
    """The id is taken and ``on_duplicate`` is ``reject``."""

    code = "client.instance_exists"

    def __init__(self, instance_id: str, status: str) -> None:
        self.instance_id = instance_id
        self.status = status
        super().__init__(
            f"instance `{instance_id}` exists already ({status})",
            hint="choose another id, or another on_duplicate",
        )


class InstanceFinished(ClientError):
    """The instance has ended, so it takes no signal and no cancel."""

    code = "client.instance_finished"

    def __init__(self, instance_id: str, status: str) -> None:
        self.instance_id = instance_id
        self.status = status
        super().__init__(f"instance `{instance_id}` has ended already ({status})")


class InstanceFailed(ClientError):
    """``result`` of an instance that failed; ``error`` is its tree (type, message, cause …)."""

    code = "client.instance_failed"

    def __init__(self, instance_id: str, error: Mapping[str, Any]) -> None:
        self.instance_id = instance_id
        self.error = dict(error)
        super().__init__(
            f"instance `{instance_id}` failed: {error.get('type')}: {error.get('message')}"
        )


class InstanceCancelled(ClientError):
    """``result`` of an instance that was cancelled."""

    code = "client.instance_cancelled"

    def __init__(self, instance_id: str, reason: str | None) -> None:
        self.instance_id = instance_id
        self.reason = reason
        super().__init__(f"instance `{instance_id}` was cancelled: {reason or 'no reason given'}")


class InstanceTerminated(ClientError):
    """``result`` of an instance that was terminated."""

    code = "client.instance_terminated"

    def __init__(self, instance_id: str, reason: str | None) -> None:
        self.instance_id = instance_id
        self.reason = reason
        super().__init__(f"instance `{instance_id}` was terminated: {reason or 'no reason given'}")


class ResultTimeout(ClientError):
    """The instance did not end within the asked time; it goes on running."""

    code = "client.result_timeout"

    def __init__(self, instance_id: str, seconds: float) -> None:
        self.instance_id = instance_id
        self.seconds = seconds
        super().__init__(f"instance `{instance_id}` did not end within {seconds:g} s")


class LimitExceeded(ClientError):
    """A named limit was passed; the value was refused before it was stored."""

    code = "client.limit"

    def __init__(self, limit: str, value: int, maximum: int) -> None:
        self.limit = limit
        self.value = value
        self.maximum = maximum
        super().__init__(f"{limit}: {value} is over the limit of {maximum}")


class ReplayError(EngineError):
    """History and graph do not agree, or cannot be compared."""

    code = "replay.error"


class Nondeterminism(ReplayError):
    """Replay decided something else than what was recorded. The instance is suspended."""

    code = "replay.nondeterminism"

    def __init__(self, *, seq: int, step_path: str, expected: str | None, got: str | None) -> None:
        self.seq = seq
        self.step_path = step_path
        self.expected = expected
        self.got = got
        super().__init__(
            f"replay diverges at event {seq} (step `{step_path}`): "
            f"history has {expected or 'nothing more'}, the graph decides {got or 'nothing'}",
            hint="deploy the definition this history was recorded with, then resume",
        )


class UnsupportedSemantics(ReplayError):
    """This build does not know the semantics level the execution was started with."""

    code = "replay.unsupported_semantics"

    def __init__(self, level: int, supported: Sequence[int]) -> None:
        self.level = level
        self.supported = list(supported)
        super().__init__(f"semantics level {level} is not among {list(supported)}")


class StorageError(EngineError):
    """The store refused or broke."""

    code = "storage.error"


class LeaseLost(StorageError):
    """Another node holds this now; what was computed is discarded."""

    code = "storage.lease_lost"


class NodeBusy(StorageError):
    """The store takes one node and another process is it. Send it requests, or use PostgreSQL."""

    code = "storage.node_busy"


class StaleState(StorageError):
    """The catalogue is not what the change was made for. Nothing was stored: plan again."""

    code = "storage.stale_state"

    def __init__(self, expected: int, found: int) -> None:
        self.expected = expected
        self.found = found
        super().__init__(
            f"the change was made for catalogue version {expected}; the store is at {found}",
            hint="plan again",
        )


class StorageUnavailable(StorageError):
    """The store cannot be reached now; trying again may help. The command line exits with 75."""

    code = "storage.unavailable"


class StorageBroken(StorageError):
    """Reading or writing the disk failed, so nothing it holds back can be trusted: stop the node.

    Never retried: after a failed fsync the kernel may call lost pages clean (a second fsync would
    succeed). A restart reads what is really there.
    """

    code = "storage.broken"


class SettingsError(EngineError):
    """The project's settings cannot be used."""

    code = "settings.invalid"


class ActivityError(EngineError):
    """Raise it in an activity to choose the error's type, retryability and details.

    Any other exception becomes ``python.<ClassName>``, retryable.
    """

    code = "activity.error"

    def __init__(
        self,
        message: str,
        *,
        type: str = "activity.error",
        retryable: bool = True,
        details: Any = None,
    ) -> None:
        self.type = type
        self.retryable = retryable
        self.details = details
        super().__init__(message)
