"""Rebuilds a record from an indexer's rows when the log's copy of it is damaged (I2).

The lines are not the client's bytes, but equivalent: shredded again they give the same columns,
values and order. Nested objects stay unpacked, as they are in the columns.
"""

import math
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import orjson

from common import limits
from common.model.record import Record
from common.model.record_value import encode_event_line, events_record
from segment.columns import ColumnBlock, FieldType

VIA: Final = "mend"


def rebuild_record(
    blocks: Iterable[ColumnBlock], offset: int, *, owner: tuple[str, str, str], batch: bytes
) -> Record | None:
    """The events record whose rows of this offset the blocks hold. owner: (team, env, dataset).

    None if rows of it are missing, or if its values cannot be written as lines of a record.
    """
    rows = sorted(row for block in blocks for row in _rows(block, offset))
    if not rows or [index for index, _ in rows] != list(range(len(rows))):
        return None
    lines = [line for _, line in rows]
    if sum(map(len, lines)) > limits.RECORD_DECODED_BYTES_MAX or not all(lines):
        return None
    team, env, dataset = owner
    return events_record(
        team=team, env=env, dataset=dataset, batch=batch, depth=0, via=VIA, lines=lines
    )


def _rows(block: ColumnBlock, offset: int) -> Iterator[tuple[int, bytes]]:
    """(index in the record, line) of each row; the line is empty if it cannot be written."""
    first, end = (int(np.searchsorted(block.offset, offset, side)) for side in ("left", "right"))
    found: list[dict[str, object]] = [{} for _ in range(end - first)]
    for key, column in block.columns.items() if first < end else ():
        low, high = (int(np.searchsorted(column.rows, row)) for row in (first, end))
        values = column.values.slice(low, high - low).to_pylist()
        for row, value in zip(column.rows[low:high], values, strict=True):
            found[int(row) - first][key.field] = (
                orjson.Fragment(value) if key.type is FieldType.JSON else value
            )
    for row, fields in enumerate(found, first):
        line = b""
        if not any(isinstance(v, float) and not math.isfinite(v) for v in fields.values()):
            data = orjson.dumps(fields)
            line = encode_event_line(int(block.time_ns[row]), int(block.rate[row]), data)
        yield int(block.index_in_record[row]), line
