"""Puts the spans or traces of all shares together, in the order of time."""

from collections.abc import Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from query.cancellation import check_cancelled
from query.plan.parts.spans import SpanQuery, SpansPer
from query.share.compute.too_heavy import too_many_span_bytes, too_many_spans

_SPANS: Final = pa.schema(
    {
        "dataset": pa.int32(),
        "time_ns": pa.int64(),
        "trace_id": pa.string(),
        "span_id": pa.string(),
        "parent_id": pa.string(),
        "name": pa.string(),
        "service": pa.string(),
        "duration_ms": pa.float64(),
        "error": pa.bool_(),
        "annotation": pa.string(),
    }
)
_TRACES: Final = pa.schema(
    {
        "trace_id": pa.string(),
        "start_ns": pa.int64(),
        "end_ns": pa.int64(),
        "spans": pa.int64(),
        "errors": pa.int64(),
        "services": pa.list_(pa.string()),
        "root_ns": pa.int64(),
        "root_id": pa.string(),
        "root_name": pa.string(),
        "root_service": pa.string(),
        "root_ms": pa.float64(),
        "root_error": pa.bool_(),
    }
)
_AGGREGATES: Final = {"start_ns": "min", "end_ns": "max", "spans": "sum", "errors": "sum"}
_ROOT: Final = ("root_ns", "root_id", "root_name", "root_service", "root_ms", "root_error")


def united(tables: Sequence[pa.Table], query: SpanQuery) -> pa.Table:
    """The rows of all shares. Raises ShareTooHeavy."""
    rows_max, bytes_max = query.rows_max, query.bytes_max
    if sum(table.num_rows for table in tables) > rows_max:
        raise too_many_spans(rows_max)
    if sum(table.nbytes for table in tables) > bytes_max:
        raise too_many_span_bytes(bytes_max)
    check_cancelled()
    return pa.concat_tables(tables) if tables else _schema(query).empty_table()


def merged(
    rows: pa.Table, per: SpansPer, dataset_names: Sequence[str], limit: int | None
) -> pa.Table:
    """The rows in their order. dataset_names: those that the column `dataset` refers to."""
    if per is SpansPer.SPAN:
        order = ["time_ns", "trace_id", "span_id"]
        names = pa.array(dataset_names, pa.string())
        at = rows.column_names.index("dataset")
        rows = rows.set_column(at, "dataset", pc.take(names, rows.column("dataset")))
    elif per is SpansPer.SERVICE:
        order = [name for name in rows.column_names if name != "spans"]
        rows = rows.group_by(order).aggregate([("spans", "sum")])
        rows = rows.rename_columns([*order, "spans"])
    else:
        rows = _traces(rows)
        order = ["start_ns", "trace_id"]
    check_cancelled()
    rows = rows.sort_by([(name, "ascending") for name in order])
    return rows if limit is None else rows.slice(0, limit)


def _schema(query: SpanQuery) -> pa.Schema:
    """The columns of a share's rows."""
    if query.per is SpansPer.SIZES:
        names = ["trace_id", "start_ns", *(size.value for size in query.sizes)]
        return pa.schema([*(_TRACES.field(name) for name in names), *_marks(query)])
    if query.per is SpansPer.TRACE:
        return _TRACES
    fields = [(f"f{at}", pa.string()) for at, _ in enumerate(query.fields)]
    if query.per is SpansPer.SERVICE:
        return pa.schema([("service", pa.string()), *fields, ("spans", pa.int64())])
    return pa.schema([*_SPANS, *fields, *([("data", pa.binary())] if query.with_data else [])])


def _marks(query: SpanQuery) -> list[tuple[str, pa.DataType]]:
    return [(f"m{at}", pa.bool_()) for at, _ in enumerate(query.marks)]


def merged_sizes(rows: pa.Table) -> pa.Table:
    """The start, sizes and marks of each trace, out of those of each share, in any order."""
    names = rows.column_names[1:]
    ways = [(name, _AGGREGATES.get(name, "any")) for name in names]
    totals = rows.group_by("trace_id").aggregate(ways)
    return totals.rename_columns(["trace_id", *names])


def _traces(rows: pa.Table) -> pa.Table:
    """What the spans of each trace come to, out of what those of each share come to."""
    sums = list(_AGGREGATES.items())
    totals = rows.group_by("trace_id").aggregate(sums)
    ids = totals.column("trace_id").combine_chunks()
    check_cancelled()
    columns = {
        "trace_id": ids,
        "start_ns": totals.column("start_ns_min"),
        "end_ns": totals.column("end_ns_max"),
        "spans": totals.column("spans_sum").cast(pa.int64()),
        "errors": totals.column("errors_sum").cast(pa.int64()),
        "services": _services(rows, ids),
        **_roots(rows, ids),
    }
    return pa.table(columns)


def _roots(rows: pa.Table, ids: pa.Array) -> dict[str, pa.ChunkedArray]:
    """The columns of the first root of each trace."""
    roots = rows.select(["trace_id", *_ROOT]).filter(pc.is_valid(rows.column("root_ns")))
    roots = roots.sort_by([("root_ns", "ascending"), ("root_id", "ascending")])
    first = pc.index_in(ids, value_set=roots.column("trace_id").combine_chunks())
    return {name: roots.column(name).take(first) for name in _ROOT}


def _services(rows: pa.Table, ids: pa.Array) -> pa.Array:
    """The services of each trace, each once, sorted; a list is empty where there is none."""
    lists = rows.column("services").combine_chunks()
    owners = pc.index_in(rows.column("trace_id").combine_chunks(), value_set=ids)
    pairs = pa.table(
        {"at": owners.take(pc.list_parent_indices(lists)), "service": pc.list_flatten(lists)}
    )
    pairs = pairs.group_by(["at", "service"], use_threads=False).aggregate([])
    pairs = pairs.sort_by([("at", "ascending"), ("service", "ascending")])
    counts = pa.table({"at": pairs.column("at")}).group_by("at").aggregate([("at", "count")])
    sizes = pc.index_in(
        pa.array(range(len(ids)), pa.int32()), value_set=counts.column("at").combine_chunks()
    )
    number = pc.fill_null(counts.column("at_count").combine_chunks().take(sizes), 0)
    ends = pc.cumulative_sum(number).cast(pa.int32())
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    return pa.ListArray.from_arrays(offsets, pairs.column("service").combine_chunks())
