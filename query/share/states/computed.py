"""The states of a plan: which statements are run, and numbers that are too many put in buckets.

One scan gives the main columns and the lists of the first need that has lists; each other need that
has lists takes a scan of its own.
"""

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from common import limits
from query.plan.plan import Need, Plan, State
from query.share.states.buckets import bucket_numbers
from query.share.states.distinct import DistinctValues
from query.share.states.lists import flat, lists_of, merged_weights
from query.share.states.statements import Statements

_LONG_AT_ONCE: Final = 2_048  # rows with keys of groups, which may be long
_SHORT_AT_ONCE: Final = 32_768  # rows of values, which are short (`Statements.distinct`)
Ask = Callable[[str], pa.Table]


class Asking(NamedTuple):
    """How a statement is run.

    table: all of its rows; called with `bytes_kept` and the statement. batches: its rows as they
    are made, in batches of so many.
    rows_max: most cells.
    bytes_max: of all states together.
    bytes_kept: of the states that there are already.
    """

    table: Callable[[int, str], pa.Table]
    batches: Callable[[str, int], pa.RecordBatchReader]
    rows_max: int
    bytes_max: int
    bytes_kept: int = 0


def compute_states(
    plan: Plan, statements: Statements, rows_most: int, asking: Asking
) -> dict[str, pa.Table]:
    """The states by name: `main`, and `a<i>` for the other needs with lists.

    rows_most: number of rows of the sources, of which some may be outside of the time range.
    """
    states: dict[str, pa.Table] = {}
    for index, need in enumerate(plan.needs):
        if not _has_lists(statements, need):
            continue
        with_main = not states
        name = "main" if with_main else f"a{index}"
        if need.state is State.DISTINCT:
            sql = statements.distinct(need, with_main=with_main)
            made = _distinct(statements, f"a{index}_h", sql, asking)
        else:
            ask = partial(asking.table, asking.bytes_kept)
            made = _numbers(statements, (index, need), rows_most, ask, with_main=with_main)
        states[name] = made
        asking = asking._replace(bytes_kept=asking.bytes_kept + made.nbytes)
    return states or {"main": asking.table(0, statements.main())}


def _distinct(statements: Statements, name: str, sql: str, asking: Asking) -> pa.Table:
    cells = statements.cell_names
    with asking.batches(sql, _LONG_AT_ONCE if cells else _SHORT_AT_ONCE) as batches:
        values = DistinctValues(batches.schema, cells, asking)
        for batch in batches:
            values.add(batch)
    return values.table(name)


def _has_lists(statements: Statements, need: Need) -> bool:
    """Whether a row may have a value that is listed."""
    if need.state is State.DISTINCT:
        return bool(statements.field_sql(need).types)
    return need.state is State.QUANTILE and statements.field_sql(need).is_numeric


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
