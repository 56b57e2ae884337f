"""The states of a plan: which statements are run, and numbers that are too many put in buckets.

One scan gives the main columns and the lists of the first need that has lists; each other need that
has lists takes a scan of its own. So do the distinct values of all rows, which are not grouped.
"""

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from common import limits
from query.plan.plan import Need, Plan, State
from query.share.states.buckets import bucket_numbers
from query.share.states.distinct import ROWS, DistinctHashes, DistinctValues
from query.share.states.heatmap import width_of
from query.share.states.lists import flat, lists_of, merged_weights
from query.share.states.statements import Statements
from query.share.states.value_hashes import HashTexts

_LONG_AT_ONCE: Final = 2_048  # rows with keys of groups, which may be long
_SHORT_AT_ONCE: Final = 32_768  # rows of values, which are short (`Statements.values`)
# After so many rows, distinct values that are few of them are grouped instead, from the beginning.
_TRIED_ROWS: Final = 65_536
_PROBED_BINS: Final = 32_768  # rows whose bins tell how wide those of all may be
_FEW: Final = 16  # rows for each value
Ask = Callable[[str], pa.Table]


class Asking(NamedTuple):
    """How a statement is run.

    table: all of its rows; called with `bytes_kept` and the statement. batches: its rows as they
    are made, in batches of so many.
    rows_max: most cells.
    bytes_max: of all states together.
    hash_texts: of distinct values.
    bytes_kept: of the states that there are already.
    """

    table: Callable[[int, str], pa.Table]
    batches: Callable[[str, int], pa.RecordBatchReader]
    rows_max: int
    bytes_max: int
    hash_texts: HashTexts
    bytes_kept: int = 0


def compute_states(
    plan: Plan, statements: Statements, rows_most: int, asking: Asking
) -> dict[str, pa.Table]:
    """The states by name: `main`, and `a<i>` for the other needs with lists.

    rows_most: number of rows of the sources, of which some may be outside of the time range.
    """
    states: dict[str, pa.Table] = {}
    rows = None
    for index, need in enumerate(plan.needs):
        if not _has_lists(statements, need):
            continue
        if need.state is State.DISTINCT and not statements.cell_names:
            values = _values(statements, need, asking)
            made, name, rows = values.table(f"a{index}_h"), f"a{index}", values.rows
        else:
            with_main = "main" not in states
            name = "main" if with_main else f"a{index}"
            made = _lists(statements, (index, need), rows_most, asking, with_main=with_main)
        states[name] = made
        asking = asking._replace(bytes_kept=asking.bytes_kept + made.nbytes)
    if "main" not in states:
        if rows is not None and all(need.state is State.DISTINCT for need in plan.needs):
            # totals of everything are one cell, groups have rows
            counts = [rows] if rows or not plan.breakdowns else []
            states["main"] = pa.table({ROWS: pa.array(counts, pa.int64())})
        else:
            states["main"] = asking.table(asking.bytes_kept, statements.main())
    return states


def _lists(
    statements: Statements,
    of: tuple[int, Need],
    rows_most: int,
    asking: Asking,
    *,
    with_main: bool,
) -> pa.Table:
    """The state of a need with lists. of: its index and itself."""
    index, need = of
    if need.state is State.QUANTILE:
        ask = partial(asking.table, asking.bytes_kept)
        return _numbers(statements, of, rows_most, ask, with_main=with_main)
    if need.state is State.HEATMAP:
        ask = partial(asking.table, asking.bytes_kept)
        width = _bin_width(statements, need, ask) if rows_most > _PROBED_BINS else 1
        return ask(statements.heatmap(index, need, width, with_main=with_main))
    sql = statements.distinct(need, with_main=with_main)
    with asking.batches(sql, _LONG_AT_ONCE) as batches:
        values = DistinctValues(batches.schema, statements.cell_names, asking, asking.hash_texts)
        for batch in batches:
            values.add(batch)
    return values.table(f"a{index}_h")


def _values(statements: Statements, need: Need, asking: Asking) -> DistinctHashes:
    """The distinct values of all rows."""
    grouped = statements.hashes_once
    while True:
        values = DistinctHashes(asking.hash_texts)
        with asking.batches(statements.values(need, grouped=grouped), _SHORT_AT_ONCE) as batches:
            for batch in batches:
                values.add(batch)
                if not grouped and values.rows >= _TRIED_ROWS and _are_few(values):
                    break
            else:
                return values
        grouped = True


def _are_few(values: DistinctHashes) -> bool:
    return len(values.smallest()) * _FEW < _TRIED_ROWS


def _has_lists(statements: Statements, need: Need) -> bool:
    """Whether a row may have a value that is listed."""
    if need.state is State.DISTINCT:
        return bool(statements.field_sql(need).types)
    if need.state not in (State.QUANTILE, State.HEATMAP):
        return False
    return statements.field_sql(need).is_numeric


def _numbers(
    statements: Statements,
    of: tuple[int, Need],
    rows_most: int,
    ask: Ask,
    *,
    with_main: bool,
) -> pa.Table:
    """The state of the numbers of a need; in buckets if its pairs are more than may be kept."""
    index, need = of
    most = limits.QUANTILE_EXACT_PAIRS_MAX
    if rows_most <= statements.probed_rows:
        sql = statements.numbers(index, need, in_buckets=False, with_main=with_main)
        return in_buckets_if_many(ask(sql), index)
    if not _surely_many(statements, need, ask):
        # more than that are more pairs than may be kept, or more cells than a share may have
        bound = limits.SHARE_ROWS_MAX + most + 1
        table = ask(
            statements.numbers(index, need, in_buckets=False, with_main=with_main, pairs_most=bound)
        )
        if len(flat(table.column(f"a{index}_v"))[1]) <= most:
            return table
    return ask(statements.numbers(index, need, in_buckets=True, with_main=with_main))


def _bin_width(statements: Statements, need: Need, ask: Ask) -> int:
    """A width of bins that is surely finer than that of the answer, by some of the rows: rows are
    grouped by few bins instead of hundreds, and the answer is the same (`width_of`).
    """
    bins = ask(statements.some_bins(need, _PROBED_BINS)).column("b").to_numpy()
    return max(1, width_of(bins.astype(np.int64)) // 2)


def _surely_many(statements: Statements, need: Need, ask: Ask) -> bool:
    """Whether some of the rows alone have more pairs than are kept; many rows without repeats do.

    Grouping all rows by their numbers would cost more than all else.
    """
    pairs = ask(statements.probe(need)).column("pairs")[0].as_py()
    return int(pairs) > limits.QUANTILE_EXACT_PAIRS_MAX


def in_buckets_if_many(table: pa.Table, index: int) -> pa.Table:
    """The state; its numbers are in buckets if it has more pairs of a cell and a number than may be
    kept exactly. Pairs of shares together are at least as many, so the split does not matter.
    """
    values, name = table.column(f"a{index}_v"), f"a{index}_v"
    rows, numbers = flat(values)
    if len(numbers) <= limits.QUANTILE_EXACT_PAIRS_MAX:
        return table
    _, weights = flat(table.column(f"a{index}_vw"))
    buckets = bucket_numbers(numbers).astype(np.int64)
    rows, buckets, weights = merged_weights(rows, buckets, weights)
    places = [table.column_names.index(f"{name}{end}") for end in ("", "w")]
    lists = (buckets.astype(np.int32), weights)
    for place, end, held in zip(places, ("", "w"), lists, strict=True):
        made = lists_of(rows, held, table.num_rows)
        table = table.set_column(place, f"a{index}_e{end}", made)
    return table
