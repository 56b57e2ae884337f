"""A question as a value: what Bellwether is asked, and the same in each engine's language."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import log2
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from benchmarks.queries.rows.shape import Shape

TABLE = "events"  # every engine's name of the rows; `t` is unix ns, `r` the sample rate
SECOND_NS = 10**9
BINS_PER_OCTAVE = 2  # of a heatmap of durations: between a microsecond and minutes there are 40
ZERO_BIN = -1_000_000


def bin_number(low: float) -> int:
    """The number of a bin by its lower bound."""
    return round(log2(low) * BINS_PER_OCTAVE) if low else ZERO_BIN


class Form(StrEnum):
    """What of Bellwether's reply is the answer."""

    TOTALS = "totals"
    SERIES = "series"
    BINS = "bins"  # of the heatmaps of a series, a row each
    ROWS = "rows"
    FIELDS = "fields"


class Sql(NamedTuple):
    """A statement; and the same where the engine estimates, if there is one."""

    exact: str
    sketch: str = ""


@dataclass(frozen=True, slots=True)
class Range:
    """Whole seconds of unix time; the end is not part of it."""

    start_s: int
    end_s: int

    @property
    def sql(self) -> str:
        """As a condition of every engine's SQL."""
        return f"t >= {self.start_s * SECOND_NS:d} AND t < {self.end_s * SECOND_NS:d}"


@dataclass(frozen=True, slots=True)
class Asked:
    """One question.

    body: the query's specification, or the body of the request for rows or fields.
    keys, values: names in Bellwether's rows, in the order of the engines' columns. Before the keys
    of a series the engines have the unix second of the step.
    duckdb, clickhouse, polars: SQL, of the later two only where it differs; logsql: VictoriaLogs'.
    limit: rows of the answer, in descending order of the first value; 0: all rows, in any order.
    error: by how much two values may differ, relatively, when both are estimates.
    unpivot: the engines' answer is one row with as many values for each of these names; each name
    becomes a row.
    """

    body: dict[str, Any]
    keys: tuple[str, ...]
    values: tuple[str, ...]
    duckdb: Sql
    clickhouse: Sql | None = None
    polars: Sql | None = None
    logsql: str = ""
    form: Form = Form.TOTALS
    limit: int = 0
    error: float = 0.0
    unpivot: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A kind of question: each call of `ask` makes another one.

    kind: of the rows it is for. bound: of its time against DuckDB's over the same files, where it
    has one of its own; 0: as `judge` has it for all.
    """

    name: str
    ask: Callable[[random.Random, Shape], Asked]
    kind: str = "spans"
    bound: float = 0.0


def nearly_all(dice: random.Random, shape: Shape) -> Range:
    """Nearly all rows; another range each time."""
    start_s, end_s = shape.start_ns // SECOND_NS, shape.end_ns // SECOND_NS + 1
    margin = max((end_s - start_s) // 100, 1)
    return Range(start_s + dice.randrange(margin), end_s - dice.randrange(margin))


def spec(within: Range, calculations: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Bellwether's specification."""
    return {
        "calculations": calculations,
        "start_time": within.start_s,
        "end_time": within.end_s,
        **more,
    }
