"""Clocks, so that time is a parameter: packages never read the wall clock themselves."""

import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """The source of a role's time."""

    def now_ns(self) -> int:
        """Wall-clock time, unix nanoseconds."""

    def monotonic_ns(self) -> int:
        """Time that never goes back, for measuring and for time-outs, in nanoseconds."""


class SystemClock:
    """The machine's clocks."""

    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()


@dataclass(slots=True)
class ManualClock:
    """A clock that stands still until a test moves it."""

    wall_ns: int = 1_700_000_000 * 10**9
    steady_ns: int = 0

    def now_ns(self) -> int:
        return self.wall_ns

    def monotonic_ns(self) -> int:
        return self.steady_ns

    def advance_ms(self, ms: float) -> None:
        """Move both clocks forward by `ms` milliseconds."""
        self.wall_ns += int(ms * 1e6)
        self.steady_ns += int(ms * 1e6)
