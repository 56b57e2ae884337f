"""What the family measures: an engine that answers questions over the rows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from benchmarks.queries.asking.asked import Asked

Rows = list[tuple[Any, ...]]  # keys (a series: the step's second first), then values


class NoAnswer(Exception):
    """An engine failed; the text states why."""


class Engine(Protocol):
    """One engine over the rows."""

    @property
    def name(self) -> str:
        """As the report shows it."""

    def pids(self) -> Sequence[int]:
        """The processes whose CPU and memory count, with all that they started."""

    def files(self) -> Sequence[Path]:
        """Files that it may read, to be dropped from the page cache for a cold question."""

    def ask(self, asked: Asked, sketch: bool) -> tuple[Rows, int]:
        """The answer, and the nanoseconds of the clock until all of it was there.

        sketch: the engine may estimate. Raises NoAnswer.
        """

    def ask_at_once(self, some: Sequence[Asked], askers: int, sketch: bool) -> list[int]:
        """Ask all of them, so many at once; nanoseconds of the clock of each. Raises NoAnswer."""

    def close(self) -> None:
        """End its processes."""
