"""Searches over the sources of rows: SQL for files, arrays for live rows.

Only columns of texts and JSON are read, those that a source has. A row of the overflow column is
looked at as one text first, in which the searched one must be as JSON writes it; its fields are
only taken apart where it is.
"""

from collections.abc import Collection, Sequence

import numpy as np
import orjson
import pyarrow as pa

from query.cancellation import check_cancelled
from query.share.search.fold import fold, holding
from query.share.search.plan import TEXT_TYPES, found_column
from segment.columns import ColumnBlock, ColumnKey
from segment.columns.key import OVERFLOW


def text_columns(columns: Collection[ColumnKey]) -> frozenset[ColumnKey]:
    """Those of these columns that hold texts."""
    return frozenset(key for key in columns if key.type in TEXT_TYPES)


def search_columns(
    texts: Sequence[str], own: Collection[ColumnKey], *, with_overflow: bool
) -> list[str]:
    """SQL of a column for each text: whether a row holds it, never NULL.

    own: the text columns of a file. with_overflow: whether there are some in its overflow column.
    """
    made = []
    for text in texts:
        sought = _literal(fold(text))
        held = [f'contains(lower("{key.physical}"), {sought})' for key in sorted(own)]
        if with_overflow:
            held.append(_in_overflow(text, sought))
        either = f"coalesce({' OR '.join(held)}, FALSE)" if held else "FALSE"
        made.append(f"{either} AS {found_column(text)}")
    return made


def search_blocks(texts: Sequence[str], blocks: Sequence[ColumnBlock]) -> dict[str, pa.Array]:
    """The same columns of live rows, by name."""
    found: dict[str, list[np.ndarray]] = {found_column(text): [] for text in texts}
    for block in blocks:
        keys = text_columns(block.columns)
        for text in texts:
            folded, hits = fold(text), np.zeros(block.rows, np.bool_)
            for key in keys:
                check_cancelled()
                column = block.columns[key]
                held = holding(column.values, folded).to_numpy(zero_copy_only=False)
                hits[column.rows[held]] = True
            found[found_column(text)].append(hits)
    return {
        name: pa.chunked_array([pa.array(one) for one in hits], pa.bool_())
        for name, hits in found.items()
    }


def _in_overflow(text: str, sought: str) -> str:
    as_json = _literal(fold(orjson.dumps(text).decode()[1:-1]))
    types = " OR ".join(f"ends_with(e.key, ':{one.value}')" for one in TEXT_TYPES)
    fields = f'map_entries(from_json("{OVERFLOW}", \'"MAP(VARCHAR,VARCHAR)"\'))'
    holds = f"list_filter({fields}, lambda e: ({types}) AND contains(lower(e.value), {sought}))"
    return f'CASE WHEN contains(lower("{OVERFLOW}"), {as_json}) THEN len({holds}) > 0 END'


def _literal(text: str) -> str:
    """SQL VARCHAR. Of the text only hexadecimal digits get into the statement."""
    return f"decode(from_hex('{text.encode().hex()}'))"
