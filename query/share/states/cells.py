"""Numbers the cells of tables: rows with equal groups and steps are one cell."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Array = npt.NDArray[Any]
STEP = "b"


class CellIds(NamedTuple):
    """ids: of each table, the cell of each row, numbered in the order in which they first occur.

    first: of each cell, the index of its first row, the tables one after another.
    """

    ids: list[Array]
    first: Array


def cell_names(tables: Sequence[pa.Table]) -> list[str]:
    """Columns of groups and steps that occur in any of the tables, in the same order always."""
    names = {name for table in tables for name in table.column_names}
    return sorted(name for name in names if name == STEP or name.startswith("k"))


def cell_ids(tables: Sequence[pa.Table], names: Sequence[str]) -> CellIds:
    """Number the rows' cells by these columns; a column that a table lacks is missing there."""
    rows = [table.num_rows for table in tables]
    codes = np.zeros(sum(rows), np.int64)
    for at, name in enumerate(names):
        indices, size = _encoded(joined(tables, name))
        if not at:
            codes = indices
        else:
            codes, _ = _encoded(pa.array(codes * size + indices))  # both are below 2^31
    cells = int(codes.max()) + 1 if len(codes) else 0
    first = np.empty(cells, np.int64)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)  # the first row is written last
    return CellIds(np.split(codes, np.cumsum(rows)[:-1]), first)


def joined(tables: Sequence[pa.Table], name: str) -> pa.Array:
    """The column of all tables, one after another."""
    kind = next(table.schema.field(name).type for table in tables if name in table.column_names)
    chunks: list[pa.Array] = []
    for table in tables:
        if name in table.column_names:
            chunks += table.column(name).chunks
        else:
            chunks.append(pa.nulls(table.num_rows, kind))
    return pa.concat_arrays(chunks) if chunks else pa.array([], kind)


def _encoded(column: pa.Array) -> tuple[Array, int]:
    """(a number for each value in the order in which values first occur, how many there are)."""
    encoded = pc.dictionary_encode(column, null_encoding="encode")
    return encoded.indices.to_numpy().astype(np.int64), len(encoded.dictionary)
