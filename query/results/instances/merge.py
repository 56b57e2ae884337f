"""Rows of shares about instances become one row of each instance, as a block of live rows.

The block is computed over like events: whatever a question may calculate, filter or group by works
on it as it does on events, by the same code.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from common.errors import BellwetherError
from query.cancellation import check_cancelled
from query.plan.plan import InstanceColumn, InstancesWanted, Plan
from query.share.compute.database import Databases, ran_out_of_memory
from query.share.compute.too_heavy import ShareTooHeavy, too_many_instances
from query.share.instances import columns as names
from segment.columns import ColumnBlock, ColumnKey, FieldType, SparseColumn

_NS_PER_S: Final = 1e9
_NS_PER_MS: Final = 1e6
_KEY_TYPES: Final = {
    "n": FieldType.INT,
    "f": FieldType.FLOAT,
    "b": FieldType.BOOL,
    "s": FieldType.STRING,
}
Array = npt.NDArray[Any]


def merge_instances(
    shares: Sequence[pa.Table], plan: Plan, wanted: InstancesWanted, databases: Databases
) -> pa.Table:
    """One row per instance, with the columns of the shares. plan: theirs. Raises ShareTooHeavy."""
    held = [table for table in shares if table.num_rows]
    if len(held) <= 1:
        return held[0] if held else pa.table({names.RATE: pa.array([], pa.int64())})
    import duckdb  # see `Databases.use`

    check_cancelled()
    try:
        with databases.use() as connection:
            for number, table in enumerate(held):
                connection.register(f"share{number}", table)
            sql = _merging(held, plan, wanted)
            merged: pa.Table = connection.sql(sql).to_arrow_table()
    except (duckdb.Error, pa.ArrowException) as error:
        if ran_out_of_memory(error):
            raise ShareTooHeavy(
                "the instances (PER) of the question need more memory than one question may use: "
                "shorten its time range, or filter more"
            ) from error
        raise BellwetherError("the instances of the question cannot be merged") from error
    if merged.num_rows > wanted.rows_max:
        raise too_many_instances(wanted.rows_max)
    return merged


def _merging(held: Sequence[pa.Table], plan: Plan, wanted: InstancesWanted) -> str:
    every = set().union(*(table.column_names for table in held))
    keys = sorted(name for name in every if name.startswith(names.KEY))
    firsts = {
        at: [one for one in FieldType if f"f{at}_{one.value}" in every]
        for at, _ in enumerate(wanted.fields)
    }
    made = names.aggregates(
        plan, {at: types for at, types in firsts.items() if types}, of_events=False
    )
    selected = ", ".join([*keys, *(f"{sql} AS {name}" for name, sql in made.items())])
    rows = " UNION ALL BY NAME ".join(f"SELECT * FROM share{n}" for n, _ in enumerate(held))
    bound = f"LIMIT {wanted.rows_max + 1:d}"
    return f"SELECT {selected} FROM ({rows}) GROUP BY {', '.join(keys)} {bound}"


def instance_block(
    table: pa.Table, wanted: InstancesWanted, partial: npt.NDArray[np.bool_]
) -> ColumnBlock:
    """The instances as rows. Their time is their start; they count with their smallest rate."""
    rows = table.num_rows
    start = _numbers(table, names.START)
    columns: dict[ColumnKey, SparseColumn] = {}

    def add(field: str, field_type: FieldType, values: pa.Array) -> None:
        valid = values.is_valid().to_numpy(zero_copy_only=False)
        if valid.any():
            at = np.flatnonzero(valid).astype(np.uint32)
            dense = values.drop_null().cast(field_type.arrow)
            columns[ColumnKey(field, field_type)] = SparseColumn(at, dense)

    for part, field_type in _KEY_TYPES.items():
        if names.KEY + part in table.column_names:
            add(wanted.field, field_type, _column(table, names.KEY + part))
    for at, field in enumerate(wanted.fields):
        for field_type in FieldType:
            if f"f{at}_{field_type.value}" in table.column_names:
                add(field, field_type, _column(table, f"f{at}_{field_type.value}"))
    for name in wanted.columns if rows else ():
        if name == InstanceColumn.PARTIAL:
            add(name, FieldType.BOOL, pa.array(partial))
            continue
        values, field_type = _own_column(InstanceColumn(name), table, start)
        add(name, field_type, values)
    places = np.arange(rows, dtype=np.int64)
    return ColumnBlock(
        start,
        _numbers(table, names.RATE),
        places,
        np.zeros(rows, np.int32),
        np.zeros(rows, np.bool_),
        columns,
    )


def partial_instances(merged: pa.Table, edges: Sequence[pa.Table]) -> npt.NDArray[np.bool_]:
    """For each instance whether it has events just outside of the range. edges: of the shares."""
    found = np.zeros(merged.num_rows, np.bool_)
    for name in (names.KEY + part for part in _KEY_TYPES):
        sets = [_column(table, name) for table in edges if name in table.column_names]
        if not sets or name not in merged.column_names:
            continue
        values = _column(merged, name)
        known = pa.concat_arrays(one.cast(values.type) for one in sets).drop_null()
        inside = pc.is_in(values, value_set=known, skip_nulls=True)
        found |= inside.to_numpy(zero_copy_only=False)
    return found


def _own_column(
    column: InstanceColumn, table: pa.Table, start: Array
) -> tuple[pa.Array, FieldType]:
    if column is InstanceColumn.START:
        return pa.array(start / _NS_PER_S), FieldType.FLOAT
    if column is InstanceColumn.END:
        return pa.array(_numbers(table, names.END) / _NS_PER_S), FieldType.FLOAT
    if column is InstanceColumn.EXTENT:
        return pa.array((_numbers(table, names.END) - start) / _NS_PER_MS), FieldType.FLOAT
    if column is InstanceColumn.LAST_STEP:
        return _column(table, names.STEP), FieldType.STRING
    name = names.SPANS if column is InstanceColumn.SPANS else names.ERRORS
    return _column(table, name), FieldType.INT


def _column(table: pa.Table, name: str) -> pa.Array:
    return table.column(name).combine_chunks()


def _numbers(table: pa.Table, name: str) -> npt.NDArray[np.int64]:
    if name not in table.column_names:
        return np.zeros(table.num_rows, np.int64)
    numbers: npt.NDArray[np.int64] = _column(table, name).to_numpy(zero_copy_only=False)
    return numbers
