"""What the family measures: an engine that answers questions over the rows."""

from collections.abc import Sequence
from typing import Any, Protocol

from benchmarks.queries.questions import Asked

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

    def ask(self, asked: Asked, sketch: bool) -> tuple[Rows, int]:
        """The answer, and the nanoseconds of the clock until all of it was there.

        sketch: the engine may estimate. Raises NoAnswer.
        """

    def close(self) -> None:
        """End its processes."""
