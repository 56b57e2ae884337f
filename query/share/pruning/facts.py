"""What is known about the rows of a source that were not read, from footers or from summaries."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from segment.columns import ColumnKey

Bound = int | float | bool | bytes


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What is known about the values of one typed column in a source.

    values: number of rows with a value; None: not known.
    low, high: no value is smaller, none is larger; they need not be values themselves. None: not
        known. Texts and JSON: bytes of UTF-8, in the order of bytes. Doubles: None, unless no value
        is NaN.
    distinct: every value there is; None: not known.
    prefixes: the first `prefix_bytes` bytes of every text; None: not known. Of texts alone.
    may_hold: whether a text may be among the values (it may be wrong in saying that it is); None:
        not known.
    """

    values: int | None = None
    low: Bound | None = None
    high: Bound | None = None
    may_hold: Callable[[str], bool] | None = None
    distinct: tuple[Bound, ...] | None = None
    prefixes: frozenset[bytes] | None = None
    prefix_bytes: int = 0


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What is known about a source of rows, of which any may be hidden.

    rows: their number. columns: every typed column that it has of the fields of the filters.
    may_hold: whether any text of a row may hold this one, whatever the case; None: not known.
    """

    rows: int
    columns: Mapping[ColumnKey, ColumnFacts] = field(default_factory=dict)
    may_hold: Callable[[str], bool] | None = None
