"""Activities that run in a process of their own, so they stand at module level."""

from __future__ import annotations

import time
from pathlib import Path

from engine import activity


@activity("isolated.runaway", timeout="1m", isolation="process")
def runaway(marker: str) -> str:
    """Never look up: ignore every request to stop."""
    Path(marker).write_text("running")
    while True:
        time.sleep(0.01)


@activity("isolated.double", timeout="1m", isolation="process")
def double(n: int) -> int:
    """Answer at once."""
    return 2 * n
