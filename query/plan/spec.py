"""The vendor's query specification, typed. Reading and checking it is `query.plan.read.spec`."""

from dataclasses import dataclass
from enum import StrEnum

from query.plan.operations import PERCENTILES
from query.plan.parts.conditions import Filter
from query.plan.plan import CalculatedField, Need, State


@dataclass(frozen=True, slots=True)
class Calculation:
    """A calculation.

    column: None only for COUNT and CONCURRENCY. name: key of its values in the results.
    filters, any_filter: only events that match these too.
    hidden: whether rows leave it out: it is there for formulas, orders or havings alone.
    """

    op: str
    column: str | None = None
    name: str | None = None
    filters: tuple[Filter, ...] = ()
    any_filter: bool = False
    hidden: bool = False

    @property
    def label(self) -> str:
        """The key of its values in results: its name, `COUNT`, or `P99(duration_ms)`."""
        if self.name:
            return self.name
        return self.op if self.column is None else f"{self.op}({self.column})"

    @property
    def need(self) -> Need:
        """The state that it is computed from."""
        if self.op == "COUNT":
            return Need(State.COUNT, self.column, self.filters, self.any_filter)
        if self.op == "COUNT_DISTINCT":
            return Need(State.DISTINCT, self.column, self.filters, self.any_filter)
        if self.op == "CONCURRENCY":
            return Need(State.CONCURRENCY, None, self.filters, self.any_filter)
        if self.op == "HEATMAP":
            return Need(State.HEATMAP, self.column, self.filters, self.any_filter)
        if self.op in PERCENTILES:
            return Need(State.QUANTILE, self.column, self.filters, self.any_filter)
        return Need(State.NUMBER, self.column, self.filters, self.any_filter)


class HavingOp(StrEnum):
    """Comparison operators of a having."""

    EQ = "="
    NE = "!="
    GT = ">"
    GE = ">="
    LT = "<"
    LE = "<="


@dataclass(frozen=True, slots=True)
class Having:
    """A condition on a value. measure: an index into `QuerySpec.measures`."""

    measure: int
    op: HavingOp
    value: int | float


@dataclass(frozen=True, slots=True)
class Order:
    """A sort order: by a value (its index in `QuerySpec.measures`) or by a breakdown (its name)."""

    by: int | str
    descending: bool


@dataclass(frozen=True, slots=True)
class Formula:
    """A value that is computed of a row's named calculations. expression: its source."""

    name: str
    expression: str


class TimeAxis(StrEnum):
    """By which time of an event the range and the steps run."""

    START = "start"
    END = "end"  # start and duration, by the dataset's definition
    OVERLAP = "overlap"  # of events alone: those that lie in the range for some time


@dataclass(frozen=True, slots=True)
class QuerySpec:
    """A valid specification. Times are unix seconds, None where not given.

    calculated: fields that are computed of others; stored ones of these names give way.
    unweighted: whether each event counts once, whatever its sample rate.
    compare_s: how much earlier the compared range begins.
    per: the field whose values are instances: rows are made of each before anything is calculated.
    per_filters: conditions that these rows must all match.
    """

    calculations: tuple[Calculation, ...]
    filters: tuple[Filter, ...] = ()
    any_filter: bool = False
    breakdowns: tuple[str, ...] = ()
    orders: tuple[Order, ...] = ()
    havings: tuple[Having, ...] = ()
    limit: int | None = None
    start_s: int | None = None
    end_s: int | None = None
    range_s: int | None = None
    granularity_s: int | None = None
    formulas: tuple[Formula, ...] = ()
    calculated: tuple[CalculatedField, ...] = ()
    unweighted: bool = False
    compare_s: int | None = None
    time_axis: TimeAxis = TimeAxis.START
    per: str | None = None
    per_filters: tuple[Filter, ...] = ()

    @property
    def measures(self) -> tuple[Calculation | Formula, ...]:
        """What rows have values of: the calculations, hidden ones too, then the formulas."""
        return *self.calculations, *self.formulas

    @property
    def first_shown(self) -> int:
        """Of the measures, the first that rows show: they are ordered by it."""
        shown = (i for i, c in enumerate(self.calculations) if not c.hidden)
        return next(shown, len(self.calculations))
