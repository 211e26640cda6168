"""Semantics levels: the closed set of meanings this build can execute.

The level is recorded in the `started` event. Any change of what a graph and a history mean together
is a new level; the Jinja2 minor version is part of it.

| level | since | meaning |
|---|---|---|
| 1 | 0.1.0 | the first; expressions as Jinja2 3.1 parses them |
"""

from __future__ import annotations

CURRENT = 1
SUPPORTED: tuple[int, ...] = (1,)
