"""The client: start instances, talk to them, see what they do.

The same class serves in the node's process and in any other; what differs is the transport.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import msgspec

from engine.client.checks import decent_text, known_id, new_id, plain_json, reason_text
from engine.client.handle import Handle
from engine.client.reading import awaited_version, decode_json, events_of, info_of
from engine.client.starting import pin_of, started_fact
from engine.client.versioning import VersionClient
from engine.errors import (
    ClientError,
    DefinitionError,
    ExecutionNotFound,
    InputRefused,
    InstanceCancelled,
    InstanceExists,
    InstanceFailed,
    InstanceFinished,
    InstanceNotFound,
    InstanceTerminated,
    ReplayError,
    ResultTimeout,
)
from engine.history.events import CancelRequested, SignalReceived, Terminated
from engine.interpreter.replay import state_at
from engine.interpreter.view import state_view, waiting_for
from engine.storage.records import TERMINAL_STATUSES, Creation, InstanceFilter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from engine.client.deploying import Candidate
    from engine.client.models import InstanceInfo, StartRequest
    from engine.client.rebasing import RebaseOutcome
    from engine.client.transport import Transport
    from engine.interpreter.program import Program
    from engine.registry.catalog import Resolved
    from engine.storage.records import Deployment, InstanceRecord, Page
    from engine.values.json import Json, JsonObject

UNREADABLE = (ReplayError, msgspec.MsgspecError, LookupError, TypeError, ValueError)
OnDuplicate = Literal["reject", "return_existing", "restart_if_finished", "terminate_and_restart"]


class Client(VersionClient):
    """What programs talk to. Every refusal is typed, and nothing of it was stored."""

    def __init__(
        self, transport: Transport, *, actor: str | None = None, config: JsonObject | None = None
    ) -> None:
        self._transport = transport
        self._provider = transport.provider
        self._programs = transport.programs
        self._actor = actor
        self._config = config or {}

    # -- versions -------------------------------------------------------------------------------

    async def deploy(self, path: str | Path) -> list[Deployment]:
        """Store the workflow versions of a file or folder and lock them; all or nothing.

        Raises:
            DefinitionError: a file does not compile; `.diagnostics` has every finding.
            VersionLocked: a version is deployed with another revision.
            SettingsError: there is no such file or folder.
        """
        from engine.client import deploying  # the compiler is heavy, and few processes need it

        candidates, found = await asyncio.to_thread(deploying.compile_path, Path(path))
        errors = [one for one in found if one.severity == "error"]
        if errors:
            raise DefinitionError(errors, subject=str(path))
        return await self.deploy_compiled(candidates)

    async def deploy_text(self, text: str | bytes, *, file: str = "<text>") -> Deployment:
        """`deploy`, for a definition in memory."""
        from engine.client import deploying

        [done] = await self.deploy_compiled([deploying.compile_text(text, file=file)])
        return done

    async def deploy_compiled(self, candidates: Sequence[Candidate]) -> list[Deployment]:
        """Store what `compile_path` gave. Raises `VersionLocked`."""
        from engine.client import deploying

        now = self._transport.clock.now()
        done = await deploying.deploy_all(self._provider, candidates, now=now, actor=self._actor)
        await self._programs.refresh()
        return done

    def rebase(
        self, workflow: str, *, to: str, dry_run: bool = False
    ) -> AsyncIterator[RebaseOutcome]:
        """Move running instances of a workflow to another version, those whose history fits.

        Yields what became of each; see `RebaseOutcome`. With `dry_run` nothing is changed.

        Raises:
            UnknownWorkflow, UnknownVersion: there is nothing to go over to.
        """
        from engine.client.rebasing import rebase_all

        return rebase_all(self._transport, workflow, to, dry_run=dry_run)

    async def deployments(self, name: str | None = None) -> list[Deployment]:
        """Deployed versions, in order of deployment."""
        return await self._provider.deployments(name)

    # -- starting -------------------------------------------------------------------------------

    async def start(
        self,
        workflow: str,
        input: Json = None,
        *,
        id: str | None = None,
        version: str | None = None,
        on_duplicate: OnDuplicate = "reject",
    ) -> Handle:
        """Start an instance; returns once the start is durable.

        Args:
            workflow: the name.
            input: JSON; defaults of the input schema are filled in.
            id: the instance id, 1 to 255 characters; a random one if left out.
            version: exact, a range such as `^1.2`, `latest`, or None for the name's policy.
            on_duplicate: what to do when the id is taken.

        Raises:
            UnknownWorkflow, UnknownVersion: nothing deployed fits.
            VersionWithdrawn: the version asked for is yanked or pruned.
            InputRefused: the input does not fit the schema.
            InstanceExists: the id is taken (`reject`, or it still runs).
            LimitExceeded: the input is too large.
        """
        if on_duplicate not in get_args(OnDuplicate):
            listed = ", ".join(get_args(OnDuplicate))
            raise InputRefused("on_duplicate", "", f"one of {listed}, not {on_duplicate!r}")
        decent_text("workflow name", workflow)
        if version is not None:
            decent_text("version", version)
        instance_id = f"{workflow}-{secrets.token_hex(8)}" if id is None else new_id(id)
        given = plain_json("input", input)
        execution = 1
        while True:
            resolved, program = await self._resolve(workflow, version, instance_id)
            value = plain_json("input", program.input_schema.fill(given))
            problem = program.input_schema.problem(value)
            if problem is not None:
                raise InputRefused("input", problem.path, problem.message)
            taken = await self._begin(instance_id, resolved, program, value, execution)
            if taken == "pruned":
                continue  # since it was chosen a moment ago: choose again
            if taken is None or on_duplicate == "return_existing":
                return Handle(self, instance_id)
            execution = await self._replacing(instance_id, taken, on_duplicate)

    async def ensure(
        self, workflow: str, input: Json = None, *, id: str, version: str | None = None
    ) -> Handle:
        """See that an instance of this id runs: leave a running one, replace one that has ended.

        Calling it twice, or from two processes at once, gives one instance. Raises as `start`.
        """
        try:
            return await self.start(
                workflow, input, id=id, version=version, on_duplicate="restart_if_finished"
            )
        except InstanceExists:
            return Handle(self, id)

    async def start_many(self, requests: Sequence[StartRequest]) -> list[Handle]:
        """Start many at once; they share commits. Raises the first error when one is refused."""
        return list(
            await asyncio.gather(
                *(
                    self.start(one.workflow, one.input, id=one.id, version=one.version)
                    for one in requests
                )
            )
        )

    async def _begin(
        self,
        instance_id: str,
        resolved: Resolved,
        program: Program,
        value: Json,
        execution: int,
    ) -> str | None:
        pin = pin_of(resolved)
        creation = Creation(
            instance_id=instance_id,
            pin=pin,
            created_at=self._transport.clock.now(),
            execution=execution,
            replace_finished=execution > 1,
            claimed=True,
        )
        started = started_fact(
            instance_id,
            pin,
            value,
            execution=execution,
            config=self._config,
            resolution=resolved.reason,
        )
        return await self._transport.begin(creation, program, started)

    async def _replacing(self, instance_id: str, status: str, on_duplicate: OnDuplicate) -> int:
        """The execution number that a restart gets. Raises `InstanceExists` where it may not."""
        if on_duplicate == "reject":
            raise InstanceExists(instance_id, status)
        if status not in TERMINAL_STATUSES:
            if on_duplicate == "restart_if_finished":
                raise InstanceExists(instance_id, status)
            with contextlib.suppress(InstanceFinished):  # then it is as was wanted
                await self.terminate(instance_id, "replaced by a new start")
            await self._transport.ending(instance_id)
        return (await self._record(instance_id)).execution + 1

    async def _resolve(
        self, workflow: str, version: str | None, instance_id: str
    ) -> tuple[Resolved, Program]:
        await self._programs.refresh()  # what another process deployed a moment ago counts
        return self._programs.resolve(workflow, version, instance_id=instance_id)

    # -- talking --------------------------------------------------------------------------------

    async def signal(self, id: str, name: str, payload: Json = None) -> None:
        """Put a signal into the instance's mailbox; returns once it is durable.

        Raises:
            InstanceNotFound, InstanceFinished: nobody is there to take it.
            InputRefused: the workflow declares no such signal, or refuses the payload.
            LimitExceeded: the payload is too large.
        """
        known_id(id)
        decent_text("signal name", name)
        payload = plain_json("payload", payload)
        program = await self._transport.program(id)
        problem = program.refused_signal(name, payload)
        if problem is not None:
            raise InputRefused(f"signal `{name}`", problem.path, problem.message)
        await self._transport.post(id, SignalReceived(at=0, name=name, payload=payload))

    async def cancel(self, id: str, reason: str | None = None) -> None:
        """Ask the instance to stop; its clean-up runs. Raises as `signal` does."""
        fact = CancelRequested(at=0, reason=reason_text(reason))
        await self._transport.post(known_id(id), fact)

    async def terminate(self, id: str, reason: str | None = None) -> None:
        """End the instance now; nothing of it runs any more. Raises as `signal` does."""
        fact = Terminated(at=0, reason=reason_text(reason))
        await self._transport.post(known_id(id), fact)

    async def resume(self, id: str) -> bool:
        """Let a suspended instance go on; False when it was not suspended."""
        await self._record(id)
        return await self._transport.resume(id)

    # -- seeing ---------------------------------------------------------------------------------

    async def result(self, id: str, timeout: float | None = None) -> Json:  # noqa: ASYNC109  # the caller's own limit, in one word
        """Wait for the end; the output.

        Args:
            id: the instance.
            timeout: seconds; None waits for ever.

        Raises:
            InstanceFailed, InstanceCancelled, InstanceTerminated: it ended otherwise.
            ResultTimeout: it goes on running.
            InstanceNotFound: there is no such instance.
        """
        try:
            async with asyncio.timeout(timeout):
                ending = await self._transport.ending(known_id(id))
        except TimeoutError:
            raise ResultTimeout(id, timeout or 0) from None
        if ending.status == "completed":
            return decode_json(ending.output) if ending.output is not None else None
        error: Any = decode_json(ending.error) if ending.error is not None else {}
        if ending.status == "cancelled":
            raise InstanceCancelled(id, error.get("message"))
        if ending.status == "terminated":
            raise InstanceTerminated(id, error.get("message"))
        raise InstanceFailed(id, error)

    async def get(self, id: str) -> InstanceInfo:
        """One instance with its input and what it waits for. Raises `InstanceNotFound`."""
        record = await self._record(id)
        waits: list[JsonObject] = []
        value: Json = None
        # One that was set aside because its rows cannot be read must still be shown.
        with suppress(*UNREADABLE) if record.status == "suspended" else nullcontext():
            pages = await self._provider.history(id, execution=record.execution, limit=1)
            for page in pages:
                value = events_of(page, 0)[1][0].get("input")
            if record.status not in TERMINAL_STATUSES:
                state = await self._transport.state(id)
                waits = waiting_for(state) if state is not None else []
        if record.awaits_version is not None:
            waits.append(awaited_version(record.pin.workflow, record.awaits_version))
        return info_of(record, input=value, waiting_for=waits)

    async def history(self, id: str, execution: int | None = None) -> list[JsonObject]:
        """All events of an execution (the current one) as {seq, execution, at, kind, …}."""
        record = await self._record(id)
        wanted = execution if execution is not None else record.execution
        if not 1 <= wanted <= record.execution:
            raise ExecutionNotFound(id, wanted, record.execution)
        found: list[JsonObject] = []
        at = 0
        async for page in self._pages(id, wanted):
            at, events = events_of(page, at)
            found += events
        return found

    async def state(
        self, id: str, *, at: int | None = None, execution: int | None = None
    ) -> JsonObject:
        """The state after event `at` (the newest): variables, steps, waits, mailbox.

        Any past event may be asked for: the state is rebuilt from the history up to it.
        """
        record = await self._record(id)
        wanted = execution if execution is not None else record.execution
        executions = await self._provider.executions(id)
        pin = next((one.pin for one in executions if one.execution == wanted), record.pin)
        program = await self._programs.fetch(pin.revision)
        pages = [page.payload async for page in self._pages(id, wanted)]
        return state_view(state_at(program, pages, at if at is not None else record.last_seq))

    async def _pages(self, id: str, execution: int) -> AsyncIterator[Page]:
        after = 0
        while pages := await self._provider.history(id, execution=execution, after=after):
            for page in pages:
                yield page
            after = pages[-1].last_seq

    async def events(self, id: str, after: int = 0) -> AsyncIterator[JsonObject]:
        """Events as they are recorded, over continue-as-new, until the instance ends.

        `after` is a seq of the execution that runs now.
        """
        execution = (await self._record(id)).execution
        at = 0
        async with self._transport.watch(id) as wait:
            while True:
                record = await self._record(id)
                while pages := await self._provider.history(id, execution=execution, after=after):
                    for page in pages:
                        at, events = events_of(page, at)
                        for event in events:
                            if int(str(event["seq"])) > after:
                                yield event
                    after = pages[-1].last_seq
                if record.execution > execution:
                    execution, after = execution + 1, 0
                elif record.status in TERMINAL_STATUSES:
                    return
                else:
                    await wait()

    async def _record(self, id: str) -> InstanceRecord:
        record = await self._provider.get(known_id(id))
        if record is None:
            raise InstanceNotFound(id)
        return record

    # Last, because in a class body its name hides the type of the same name from what follows.
    async def list(
        self,
        *,
        workflow: str | None = None,
        version: str | None = None,
        status: str | Sequence[str] | None = None,
        id_prefix: str | None = None,
        parent: str | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> list[InstanceInfo]:
        """Instances, newest first; `after` is the last id of the page before."""
        wanted = (status,) if isinstance(status, str) else tuple(status) if status else None
        where = InstanceFilter(
            workflow=workflow,
            version=version,
            status=wanted,
            id_prefix=id_prefix,
            parent_id=parent,
        )
        records = await self._provider.list(where, after=after, limit=limit)
        return [info_of(record) for record in records]


__all__ = ["Client", "ClientError", "OnDuplicate"]
