"""State as plain data: save a live execution, and go on from what was saved.

A snapshot belongs to one revision, one semantics level and one seq. History stays the truth: a
snapshot only saves replaying what came before it. Raises `ReplayError` when it does not fit the
program.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec

from engine.errors import ReplayError
from engine.history.codec import decode_fact
from engine.history.events import Fact, Rebased, Started
from engine.interpreter.execution import Execution
from engine.interpreter.frame import Frame
from engine.interpreter.outcome import dump_outcome, load_outcome
from engine.interpreter.scope import Scope

if TYPE_CHECKING:
    from engine.interpreter.program import Program
    from engine.values.json import JsonObject

FORMAT = 1

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def dump(run: Execution) -> bytes:
    """The state after the last fact. The execution must be started and not ended."""
    if run.root is None or run.started is None:
        raise ReplayError("only a running execution has a state to save")
    return _encode(
        {
            "format": FORMAT,
            "seq": run.seq,
            "now": run.now,
            "started": run.started,
            "rebased": run.rebased,
            "cancelling": run.cancelling,
            "cancel_reason": run.cancel_reason,
            "custom_status": run.custom_status,
            "mailbox": {name: list(queue) for name, queue in run.mailbox.items() if queue},
            "taken": run.taken,
            "scope": _scope(run.root.scope),
            "root": _frame(run.root),
        }
    )


def load(program: Program, data: bytes) -> Execution:
    """The execution as it was."""
    try:
        state: Any = _decode(data)
        found = state.get("format") if isinstance(state, dict) else None
        if found != FORMAT:
            raise ReplayError(f"snapshot format {found} is not {FORMAT}")
        started = decode_fact(_encode(state["started"]))
        moved = state.get("rebased")
        rebased = decode_fact(_encode(moved)) if moved is not None else None
        return _execution(program, state, started, rebased)
    except (msgspec.MsgspecError, LookupError, TypeError, AttributeError) as error:
        raise ReplayError(f"the snapshot does not fit the graph: {error!r}") from error


def _execution(program: Program, state: Any, started: Fact, rebased: Fact | None) -> Execution:
    if not isinstance(started, Started):
        raise ReplayError("the snapshot does not begin with `started`")
    run = Execution(program)
    run.prepare(started)
    if isinstance(rebased, Rebased):
        run.rebase(rebased)
    run.seq, run.now = state["seq"], state["now"]
    run.cancelling, run.cancel_reason = state["cancelling"], state["cancel_reason"]
    run.custom_status, run.taken = state["custom_status"], state["taken"]
    run.mailbox = {name: deque(queue) for name, queue in state["mailbox"].items()}
    root = run.root
    assert root is not None
    assert root.scope.own_vars is not None
    assert root.scope.own_steps is not None
    root.scope.own_vars.update(state["scope"]["vars"])
    root.scope.own_steps.update(state["scope"]["steps"])
    _restore(run, root, state["root"])
    for ref in sorted(run.open):
        frame = run.open[ref]
        if frame.refs and frame.refs.get("wait") == ref:
            signal: str = frame.node.signal  # type: ignore[attr-defined]
            run.waits.setdefault(signal, []).append(frame)
    return run


def _scope(scope: Scope) -> JsonObject:
    return {
        "vars": scope.own_vars,
        "steps": scope.own_steps,
        "names": scope.own_names,
        "detached": scope.detached,
    }


def _frame(frame: Frame) -> JsonObject:
    parent = frame.parent
    owns = parent is not None and frame.scope is not parent.scope
    children = frame.children or {}
    return {
        "node": frame.node.index,
        "key": frame.key,
        "path": frame.path,
        "pc": frame.pc,
        "last": frame.last,
        "data": frame.data,
        "refs": frame.refs,
        "held": dump_outcome(frame.held) if frame.held is not None else None,
        "pending": dump_outcome(frame.pending) if frame.pending is not None else None,
        "scope": _scope(frame.scope) if owns else None,
        "children": [_frame(child) for child in children.values()],
    }


def _restore(run: Execution, frame: Frame, saved: Any) -> None:
    frame.pc, frame.last, frame.data = saved["pc"], saved["last"], saved["data"]
    frame.refs = saved["refs"]
    frame.held = load_outcome(saved["held"]) if saved["held"] is not None else None
    frame.pending = load_outcome(saved["pending"]) if saved["pending"] is not None else None
    for ref in (frame.refs or {}).values():
        run.open[ref] = frame
    for child in saved["children"]:
        scope = _restored_scope(run, frame.scope, child["scope"])
        node = run.program.nodes[child["node"]]
        below = Frame(node, frame, child["key"], child["path"], scope)
        if frame.children is None:
            frame.children = {}
        frame.children[below.key] = below
        _restore(run, below, child)


def _restored_scope(run: Execution, around: Scope, saved: Any) -> Scope:
    if saved is None:
        return around
    if saved["detached"]:
        assert run.root is not None
        return Scope.restored(run.root.scope, saved)
    return Scope(around, variables=saved["vars"], steps=saved["steps"], names=saved["names"])
