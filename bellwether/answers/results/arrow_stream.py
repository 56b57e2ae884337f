"""An answer as an Arrow IPC stream, for programs: typed columns, times as timestamps.

A column of whole numbers is int64, one of other numbers double, one of booleans or texts that, one
of heatmaps lists of bins; a column that mixes them, or holds anything else, has the JSON of each
value as text.
"""

from collections.abc import Sequence
from typing import Any, BinaryIO

import orjson
import pyarrow as pa
import pyarrow.ipc

from bellwether.answers.results.formats import table
from common.model.times.api import parse_time

_INT64_MAX = 2**63 - 1
_BINS = pa.list_(pa.struct([("low", pa.float64()), ("high", pa.float64()), ("count", pa.int64())]))


def write_arrow(
    document: dict[str, Any], breakdowns: list[str], out: BinaryIO, *, series: bool
) -> None:
    """Write the rows of the answer, in one stream. series: every step, not the totals."""
    names, rows = table(document, breakdowns, series=series)
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in names]
    arrays = (
        [_times(columns[0]), *map(_column, columns[1:])] if series else list(map(_column, columns))
    )
    made = pa.Table.from_arrays(arrays, names=names)
    with pa.ipc.new_stream(out, made.schema) as stream:
        stream.write_table(made)


def _times(texts: Sequence[str]) -> pa.Array:
    return pa.array([parse_time(text) for text in texts], pa.timestamp("ns", tz="UTC"))


def _column(values: Sequence[object]) -> pa.Array:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int} and all(abs(v) <= _INT64_MAX for v in values if isinstance(v, int)):
        return pa.array(values, pa.int64())
    if kinds and kinds <= {int, float}:
        return pa.array([None if v is None else float(v) for v in values], pa.float64())  # type: ignore[arg-type] # are numbers
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds == {list}:
        return pa.array(values, _BINS)
    if kinds == {str}:
        return pa.array(values, pa.string())
    texts = [None if value is None else orjson.dumps(value).decode() for value in values]
    return pa.array(texts, pa.string())
