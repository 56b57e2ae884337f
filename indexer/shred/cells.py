"""Gathers the cells of many events into the columns of one block."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from common import limits
from indexer.shred.event import Fields, FieldValue, JsonText
from segment.columns import ColumnBlock, ColumnKey, FieldType, SparseColumn

FIELD_TYPES: dict[type, FieldType] = {
    int: FieldType.INT,
    float: FieldType.FLOAT,
    bool: FieldType.BOOL,
    str: FieldType.STRING,
    JsonText: FieldType.JSON,
}


class Cells:
    """A block under construction: add rows in log order, then call `block` once."""

    def __init__(self) -> None:
        self._time_ns: list[int] = []
        self._rate: list[int] = []
        self._records: list[tuple[int, int, int]] = []  # offset, append time, number of events
        self._columns: dict[type, dict[str, tuple[list[int], list[FieldValue]]]] = {
            value_type: {} for value_type in FIELD_TYPES
        }

    def add_record(
        self, offset: int, append_ns: int, events: list[tuple[int, int, Fields]]
    ) -> None:
        """Add a record's events: (time in unix ns, sample rate, fields) each."""
        by_type = self._columns
        row = len(self._time_ns)
        for time_ns, rate, fields in events:
            self._time_ns.append(time_ns)
            self._rate.append(rate)
            for name, value in fields.items():
                columns = by_type[type(value)]
                column = columns.get(name)
                if column is None:
                    column = columns[name] = ([], [])
                column[0].append(row)
                column[1].append(value)
            row += 1
        self._records.append((offset, append_ns, len(events)))

    def block(self) -> ColumnBlock:
        """The rows added so far as one block, its columns in the order of their keys."""
        records = np.array(self._records, np.int64).reshape(-1, 3)
        events = records[:, 2]
        time_ns = np.array(self._time_ns, np.int64)
        append_ns = np.repeat(records[:, 1], events)
        starts = np.repeat(np.cumsum(events) - events, events)
        return ColumnBlock(
            time_ns=time_ns,
            rate=np.array(self._rate, np.int64),
            offset=np.repeat(records[:, 0], events),
            index_in_record=(np.arange(len(time_ns)) - starts).astype(np.int32),
            late_or_early=(time_ns < append_ns - limits.TIME_PAST_BOUND_NS_V1)
            | (time_ns > append_ns + limits.TIME_FUTURE_BOUND_NS_V1),
            columns=self._sparse_columns(),
        )

    def _sparse_columns(self) -> Mapping[ColumnKey, SparseColumn]:
        found = {
            ColumnKey(name, field_type): SparseColumn(
                np.array(rows, np.uint32), pa.array(values, field_type.arrow)
            )
            for value_type, field_type in FIELD_TYPES.items()
            for name, (rows, values) in self._columns[value_type].items()
        }
        return {key: found[key] for key in sorted(found)}
