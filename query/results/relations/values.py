"""Values of fields of roots and parents, out of those of all shares: one span for each key.

Of several roots of a trace, or spans with one id, it is the first one: by time, then by id.
"""

from collections.abc import Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from query.cancellation import check_cancelled
from query.plan.parts.spans import KeyJoin, Kin, SpanValues
from query.plan.relations import About

_PREFIX: Final = {Kin.TRACE: About.ROOT.value, Kin.PARENT: About.PARENT.value}


def joined_values(wanted: SpanValues, tables: Sequence[pa.Table]) -> tuple[KeyJoin, pa.Table]:
    """The join, and its table."""
    keys = ["trace_id"] if wanted.kin is Kin.TRACE else ["trace_id", "id"]
    order = ["trace_id", "t", "span_id"] if wanted.kin is Kin.TRACE else ["trace_id", "id", "t"]
    own = {name: pa.int64() if name == "t" else pa.string() for name in order}
    none = pa.schema(own).empty_table()
    rows = pa.concat_tables([none, *tables], promote_options="default")
    check_cancelled()
    rows = rows.sort_by([(name, "ascending") for name in order])
    if rows.num_rows > 1:
        rows = rows.filter(_begins_key(rows, keys))
    check_cancelled()
    values = [name for name in rows.column_names if name not in own]
    prefix = _PREFIX[wanted.kin]
    join = KeyJoin(wanted.kin, fields=tuple(f"{prefix}{name}" for name in wanted.fields))
    return join, rows.select([*keys, *values]).combine_chunks()


def _begins_key(rows: pa.Table, keys: Sequence[str]) -> pa.ChunkedArray:
    """Whether a row has another key than the one before it."""
    begins: pa.ChunkedArray | None = None
    for name in keys:
        column = rows.column(name).combine_chunks()
        differs = pc.not_equal(column.slice(1), column.slice(0, len(column) - 1))
        begins = differs if begins is None else pc.or_(begins, differs)
    first = pa.array([True])
    return pa.chunked_array([first, begins])
