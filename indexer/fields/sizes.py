"""The ledger of bytes: what each column takes in a segment, from the segment's footer."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from common.errors import DamagedObject


def column_bytes(file: Path) -> Mapping[str, int]:
    """Compressed bytes of each column of a segment, by physical name. Raises DamagedObject."""
    try:
        metadata = pq.read_metadata(file)
        sizes: dict[str, int] = {}
        for group in range(metadata.num_row_groups):
            columns = metadata.row_group(group)
            for at in range(metadata.num_columns):
                column = columns.column(at)
                name = column.path_in_schema
                sizes[name] = sizes.get(name, 0) + column.total_compressed_size
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DamagedObject(f"segment {file.name} cannot be read: {error}") from error
    return sizes
