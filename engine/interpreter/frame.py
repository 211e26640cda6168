"""Frames: where a running workflow stands.

A frame is one node being executed: its path, its program counter, its children. The tree of frames
is the whole control state, as plain data; what the kinds keep in `data` is JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.interpreter.node import Node
    from engine.interpreter.outcome import Outcome
    from engine.interpreter.scope import Scope


class Frame:
    """One node under execution. `refs` names its open decisions: label -> seq."""

    __slots__ = (
        "children", "data", "held", "key", "last", "node", "parent", "path", "pc", "pending",
        "refs", "scope",
    )  # fmt: skip

    def __init__(self, node: Node, parent: Frame | None, key: int, path: str, scope: Scope) -> None:
        self.node = node
        self.parent = parent
        self.key = key
        self.path = path
        self.scope = scope
        self.pc = 0
        self.last: Any = None
        self.data: dict[str, Any] = {}
        self.refs: dict[str, int] | None = None
        self.children: dict[int, Frame] | None = None
        self.held: Outcome | None = None  # what a clean-up phase will go on with
        self.pending: Outcome | None = None  # what it ends with once its children have stopped
