"""What a clock is. The clocks themselves live where time may be read: runtime and testing."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Tells the time. Implementations may be wound by a test; nothing here may assume progress."""

    def now(self) -> int:
        """The present instant: microseconds since 1970-01-01T00:00:00Z."""
        ...
