"""The ledger of bytes: what each column takes in a segment, from the segment's footer; and what it
tells of columns that no summary has.
"""

from collections.abc import Mapping, Set
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from common.errors import DamagedObject
from indexer.fields.of_source import Times
from query.wire.field_facts import FieldFacts, TypeFacts
from segment.columns import ColumnKey
from segment.columns.key import parse_physical
from segment.columns.segment_read import SegmentReader


class StoredColumn(NamedTuple):
    """size_bytes: compressed. rows: that have a value."""

    size_bytes: int
    rows: int


def stored_columns(file: Path) -> Mapping[str, StoredColumn]:
    """The columns of a segment by physical name. Raises DamagedObject."""
    try:
        metadata = pq.read_metadata(file)
        found: dict[str, StoredColumn] = {}
        for group in range(metadata.num_row_groups):
            columns = metadata.row_group(group)
            for at in range(metadata.num_columns):
                column = columns.column(at)
                name, rows = column.path_in_schema, column.num_values
                if column.is_stats_set and column.statistics.has_null_count:
                    rows -= column.statistics.null_count
                known = found.get(name, _NOTHING)
                size = known.size_bytes + column.total_compressed_size
                found[name] = StoredColumn(size, known.rows + rows)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DamagedObject(f"segment {file.name} cannot be read: {error}") from error
    return found


def facts_without_values(
    file: Path, columns: Mapping[str, StoredColumn], summarized: Set[ColumnKey], times: Times
) -> list[FieldFacts]:
    """Facts of the columns that the segment's summary lacks: of so many fields that it has no room,
    and of the rarest, which share one column, so that their names alone are known.

    Raises DamagedObject.
    """
    found: list[FieldFacts] = []
    for name, column in columns.items():
        key = parse_physical(name)
        if key is not None and key not in summarized:
            one = FieldFacts(key.field, {key.type.value: TypeFacts(column.rows)})
            one.unread, one.stored_bytes = column.rows, column.size_bytes
            found.append(one)
    with SegmentReader(file) as reader:
        for key in reader.overflow_keys:
            found.append(FieldFacts(key.field, {key.type.value: TypeFacts()}))
    for one in found:
        one.others, one.few = True, False
        one.first_ns, one.last_ns = times
    return found


_NOTHING = StoredColumn(0, 0)
