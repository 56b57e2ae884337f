"""The vendor's query specification, typed. Reading and checking it is `query.plan.read_spec`."""

from dataclasses import dataclass
from enum import StrEnum

from query.plan.operations import PERCENTILES
from query.plan.plan import Filter, Need, State


@dataclass(frozen=True, slots=True)
class Calculation:
    """A calculation. column: None only for COUNT. name: key of its values in the results."""

    op: str
    column: str | None = None
    name: str | None = None

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
            return Need(State.COUNT, self.column)
        if self.op == "COUNT_DISTINCT":
            return Need(State.DISTINCT, self.column)
        if self.op in PERCENTILES:
            return Need(State.QUANTILE, self.column)
        return Need(State.NUMBER, self.column)


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
    """A condition on the value of a calculation, which is an index into the calculations."""

    calculation: int
    op: HavingOp
    value: int | float


@dataclass(frozen=True, slots=True)
class Order:
    """A sort order: by a calculation (its index) or by a breakdown (its name)."""

    by: int | str
    descending: bool


@dataclass(frozen=True, slots=True)
class QuerySpec:
    """A valid specification. Times are unix seconds, None where not given."""

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
