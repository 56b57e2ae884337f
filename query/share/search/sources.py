"""Searches over the sources of rows: SQL for files, arrays for live rows.

Only columns of texts and JSON are read, those that a source has. A row of the overflow column is
looked at as one text first, in which the searched one must be as JSON writes it; its fields are
only taken apart where it is.
"""

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from query.cancellation import check_cancelled
from query.share.search.pattern import holding, json_pattern_of, overflow_pattern_of, pattern_of
from query.share.search.plan import TEXT_TYPES, found_column
from segment.columns import ColumnBlock, ColumnKey, FieldType
from segment.columns.key import OVERFLOW

_FEW: Final = 32  # columns, that are looked at each by itself
_TOGETHER: Final = 64
_PRIVATE: Final = range(0xE000, 0xF8FF)  # characters of private use: more than a text has


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
        held = []
        for pattern, some in _by_pattern(text, own):
            held += [f"regexp_matches({sql}, {_literal(pattern)})" for sql in _texts(text, some)]
        if with_overflow:
            held.append(_in_overflow(text))
        either = f"coalesce({' OR '.join(held)}, FALSE)" if held else "FALSE"
        made.append(f"{either} AS {found_column(text)}")
    return made


def search_blocks(texts: Sequence[str], blocks: Sequence[ColumnBlock]) -> dict[str, pa.Array]:
    """The same columns of live rows, by name."""
    found: dict[str, list[np.ndarray]] = {found_column(text): [] for text in texts}
    for block in blocks:
        keys = text_columns(block.columns)
        for text in texts:
            hits = np.zeros(block.rows, np.bool_)
            for key in keys:
                check_cancelled()
                column = block.columns[key]
                held = holding(column.values, text, key.type).to_numpy(zero_copy_only=False)
                hits[column.rows[held]] = True
            found[found_column(text)].append(hits)
    return {
        name: pa.chunked_array([pa.array(one) for one in hits], pa.bool_())
        for name, hits in found.items()
    }


def _texts(text: str, own: Collection[ColumnKey]) -> list[str]:
    """SQL of the texts in which it is looked for.

    Those of many columns are put together, with a character between them that the text does not
    hold: most of a row are missing, and an expression for each costs twice as much.
    """
    columns = [f'"{key.physical}"' for key in sorted(own)]
    if len(columns) <= _FEW:
        return columns
    between = next(char for char in map(chr, _PRIVATE) if char not in text)
    return [
        f"concat_ws({_literal(between)}, {', '.join(columns[at : at + _TOGETHER])})"
        for at in range(0, len(columns), _TOGETHER)
    ]


def _by_pattern(text: str, own: Collection[ColumnKey]) -> list[tuple[str, Collection[ColumnKey]]]:
    """The columns in which each pattern is looked for: JSON has its own where it may escape."""
    plain, in_json = pattern_of(text), json_pattern_of(text)
    if plain == in_json:
        return [(plain, own)]
    json = [key for key in own if key.type is FieldType.JSON]
    return [(plain, [key for key in own if key.type is not FieldType.JSON]), (in_json, json)]


def _in_overflow(text: str) -> str:
    holds_of_type = (
        f"ends_with(e.key, ':{one.value}') AND regexp_matches(e.value, {_literal(pattern)})"
        for one, pattern in (
            (FieldType.STRING, pattern_of(text)),
            (FieldType.JSON, json_pattern_of(text)),
        )
    )
    fields = f'map_entries(from_json("{OVERFLOW}", \'"MAP(VARCHAR,VARCHAR)"\'))'
    holds = f"list_filter({fields}, lambda e: {' OR '.join(holds_of_type)})"
    as_json = _literal(overflow_pattern_of(text))
    return f'CASE WHEN regexp_matches("{OVERFLOW}", {as_json}) THEN len({holds}) > 0 END'


def _literal(text: str) -> str:
    """SQL VARCHAR. Of the text only hexadecimal digits get into the statement."""
    return f"decode(from_hex('{text.encode().hex()}'))"
