"""Building: from the outline to the steps of the graph, one function per step kind.

Rule 1: building never fails. What is wrong is noted in the report by `options` and by the checks;
with an error in the report no graph leaves `compile`.
Rule 2: what is written in two ways and means the same comes out the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, cast

from engine.definition.document import Mapping, Scalar
from engine.graph import steps as g

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.graph.options import Options
    from engine.graph.outline import Block, Site


class Builder:
    """Turns sites into steps. `options` reads the literals and notes what is wrong."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def steps(self, block: Block | None) -> tuple[g.Step, ...]:
        """The steps of a block; none when there is no block."""
        if block is None:
            return ()
        return tuple(KINDS[site.kind](self, site) for site in block.steps)

    def clauses(self, blocks: tuple[Block, ...]) -> tuple[g.Clause, ...]:
        """The `catch` clauses."""
        return tuple(self._clause(block) for block in blocks)

    def _clause(self, block: Block) -> g.Clause:
        node = block.node
        on = node.get("on") if node else None
        return g.Clause(
            steps=self.steps(block),
            on=self.options.texts(on),
            when=self.options.condition(node.get("when") if node else None),
        )

    def common(self, site: Site) -> dict[str, Any]:
        """What every step has."""
        return {
            "id": site.id,
            "when": self.options.condition(site.option("when")),
            "output": self.options.optional(site.option("output")),
        }

    def undo(self, site: Site) -> tuple[g.Step, ...]:
        """The steps of `compensate`."""
        return self.steps(site.block("compensate"))

    def branches(self, site: Site) -> tuple[g.Branch, ...]:
        """The branches of `parallel` and `race`, in the order of the file."""
        return tuple(
            g.Branch(
                name=block.name,
                steps=self.steps(block),
                output=self.options.optional(block.node.get("output") if block.node else None),
                vars=self.options.mapping(block.node.get("vars") if block.node else None),
            )
            for block in site.blocks_of("branch")
        )


def _activity(build: Builder, site: Site) -> g.Step:
    read = build.options
    return g.ActivityStep(
        **build.common(site),
        activity=read.name(site.operand),
        args=read.arguments(site.option("with")),
        retry=read.retry(site.option("retry"), site.option("timeout")),
        timeout=read.duration(site.option("timeout")),
        queue=read.name(site.option("queue"), "default"),
        heartbeat=read.duration(site.option("heartbeat")),
        compensate=build.undo(site),
        continue_on_error=read.flag(site.option("continue_on_error")),
    )


def _workflow(build: Builder, site: Site) -> g.Step:
    read = build.options
    name, version_range = read.workflow(site.operand)
    return g.WorkflowStep(
        **build.common(site),
        workflow=name,
        range=version_range,
        args=read.arguments(site.option("with")),
        instance_id=read.value(site.option("instance_id")),
        retry=read.retry(site.option("retry"), site.option("timeout")),
        timeout=read.duration(site.option("timeout")),
        compensate=build.undo(site),
        continue_on_error=read.flag(site.option("continue_on_error")),
    )


def _start(build: Builder, site: Site) -> g.Step:
    read = build.options
    name, version_range = read.workflow(site.operand)
    return g.StartStep(
        **build.common(site),
        workflow=name,
        range=version_range,
        args=read.arguments(site.option("with")),
        instance_id=read.value(site.option("instance_id")),
    )


def _set(build: Builder, site: Site) -> g.Step:
    return g.SetStep(**build.common(site), assignments=build.options.mapping(site.operand))


def _do(build: Builder, site: Site) -> g.Step:
    read = build.options
    return g.DoStep(
        **build.common(site),
        steps=build.steps(site.block("body")),
        vars=read.mapping(site.option("vars")),
        timeout=read.duration(site.option("timeout")),
        retry=read.retry(site.option("retry"), site.option("timeout")),
        continue_on_error=read.flag(site.option("continue_on_error")),
    )


def _if(build: Builder, site: Site) -> g.Step:
    return g.IfStep(
        **build.common(site),
        condition=build.options.condition(site.operand) or "",
        then=build.steps(site.block("then")),
        otherwise=build.steps(site.block("else")),
    )


def _switch(build: Builder, site: Site) -> g.Step:
    cases = tuple(
        g.Case(
            steps=build.steps(block),
            when=build.options.condition(block.node.get("when") if block.node else None),
        )
        for block in site.blocks_of("case")
    )
    return g.SwitchStep(**build.common(site), cases=cases)


def _foreach(build: Builder, site: Site) -> g.Step:
    read = build.options
    count, percent = read.failures(site.option("max_failures"))
    return g.ForeachStep(
        **build.common(site),
        items=read.value(site.operand),
        steps=build.steps(site.block("body")),
        name=read.name(site.option("as"), "item"),
        concurrency=read.count(site.option("concurrency"), 1),
        batch=read.count(site.option("batch"), None),
        max_failures=count,
        max_failures_percent=percent,
        vars=read.mapping(site.option("vars")),
    )


def _loop(build: Builder, site: Site) -> g.Step:
    read = build.options
    return g.LoopStep(
        **build.common(site),
        mode=cast(Literal["while", "until"], site.kind),
        condition=read.condition(site.operand) or "",
        steps=build.steps(site.block("body")),
        max_iterations=read.count(site.option("max_iterations"), 1),
        every=read.duration(site.option("every")),
        vars=read.mapping(site.option("vars")),
    )


def _parallel(build: Builder, site: Site) -> g.Step:
    read = build.options
    join = site.option("join")
    everything = join is None or (isinstance(join, Scalar) and join.value == "all")
    on_error = read.name(site.option("on_error"), "fail_fast")
    return g.ParallelStep(
        **build.common(site),
        branches=build.branches(site),
        join=None if everything else read.count(join, None),
        on_error=cast(Literal["fail_fast", "wait_all"], on_error),
    )


def _race(build: Builder, site: Site) -> g.Step:
    return g.RaceStep(**build.common(site), branches=build.branches(site))


def _try(build: Builder, site: Site) -> g.Step:
    return g.TryStep(
        **build.common(site),
        steps=build.steps(site.block("body")),
        saga=site.kind == "saga",
        catch=build.clauses(site.blocks_of("catch")),
        finally_=build.steps(site.block("finally")),
        timeout=build.options.duration(site.option("timeout")),
    )


def _sleep(build: Builder, site: Site) -> g.Step:
    read = build.options
    if isinstance(site.operand, Mapping):
        return g.SleepStep(**build.common(site), until=read.value(site.operand.get("until")))
    return g.SleepStep(**build.common(site), duration=read.moment(site.operand))


def _wait(build: Builder, site: Site) -> g.Step:
    read = build.options
    return g.WaitStep(
        **build.common(site),
        signal=read.name(site.operand),
        where=read.condition(site.option("where")),
        timeout=read.moment(site.option("timeout")),
        default=read.optional(site.option("default")),
    )


def _signal(build: Builder, site: Site) -> g.Step:
    read = build.options
    return g.SignalStep(
        **build.common(site),
        signal=read.name(site.operand),
        to=read.value(site.option("to")),
        args=read.value(site.option("with")),
    )


def _raise(build: Builder, site: Site) -> g.Step:
    read = build.options
    given = site.operand
    if not isinstance(given, Mapping):
        return g.RaiseStep(**build.common(site), error=read.condition(given))
    message = given.get("message")
    return g.RaiseStep(
        **build.common(site),
        type=read.name(given.get("type"), None),
        message="" if message is None else read.value(message),
        details=read.value(given.get("details")),
        retryable=read.flag(given.get("retryable")),
    )


def _return(build: Builder, site: Site) -> g.Step:
    return g.ReturnStep(**build.common(site), value=build.options.value(site.operand))


def _continue_as_new(build: Builder, site: Site) -> g.Step:
    read = build.options
    return g.ContinueAsNewStep(
        **build.common(site),
        input=read.value(site.operand),
        version=read.name(site.option("version"), "policy"),
    )


def _log(build: Builder, site: Site) -> g.Step:
    read = build.options
    level = read.name(site.option("level"), "info")
    return g.LogStep(
        **build.common(site),
        text=read.value(site.operand),
        level=cast(Literal["debug", "info", "warning", "error"], level),
        fields=read.mapping(site.option("fields")),
    )


def _status(build: Builder, site: Site) -> g.Step:
    return g.StatusStep(**build.common(site), value=build.options.value(site.operand))


KINDS: Final[dict[str, Callable[[Builder, Site], g.Step]]] = {
    "activity": _activity,
    "workflow": _workflow,
    "start": _start,
    "set": _set,
    "do": _do,
    "if": _if,
    "switch": _switch,
    "foreach": _foreach,
    "while": _loop,
    "until": _loop,
    "parallel": _parallel,
    "race": _race,
    "try": _try,
    "saga": _try,
    "sleep": _sleep,
    "wait": _wait,
    "signal": _signal,
    "raise": _raise,
    "return": _return,
    "continue_as_new": _continue_as_new,
    "log": _log,
    "status": _status,
}
