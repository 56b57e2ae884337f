"""Rows' texts of the rest column, of all cells at once (`common.columns.rest` says what they are).

Values become JSON type by type; one sort brings them into the order of rows. A dict for each row
took half of all that sealing a segment of 10,000 columns costs, and ten times as much as this.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from common.columns.block import SparseColumn
from common.columns.key import ColumnKey, FieldType
from common.parquet.encoders import Encoders, Texts, texts_of

_ESCAPED = np.isin(np.arange(256), [*range(0x20), *b'"\\'])  # bytes that no JSON string holds
_COMMA, _END = b",}"


def rest_texts(
    columns: Iterable[tuple[ColumnKey, SparseColumn]], encoders: Encoders
) -> SparseColumn:
    """One object for each row that has a value in any of these columns."""
    named = sorted((key.physical, key.type, column) for key, column in columns)
    ranks: list[npt.NDArray[np.int64]] = []  # places of the values' columns in `named`
    rows: list[npt.NDArray[np.uint32]] = []
    values: list[pa.Array] = []
    for wanted in FieldType:
        chosen = [at for at, (_, found, _) in enumerate(named) if found is wanted]
        some = [named[at][2] for at in chosen]
        if any(len(column.rows) for column in some):
            ranks.append(np.repeat(chosen, [len(column.rows) for column in some]))
            rows += [column.rows for column in some]
            values.append(_as_json(pa.concat_arrays([column.values for column in some])))
    if not values:
        return SparseColumn(np.empty(0, np.uint32), pa.array([], pa.large_string()))
    rank, row = np.concatenate(ranks), np.concatenate(rows)
    order = np.argsort(row.astype(np.int64) * len(named) + rank)
    names = pa.array([f'"{name}":' for name, _, _ in named], pa.large_string())  # nothing to escape
    members = encoders.pairs(
        texts_of(names),
        rank[order].astype(np.uint32),
        texts_of(pa.concat_arrays(values)),
        order.astype(np.uint32),
    )
    return _objects(members, row[order])


def _objects(members: Texts, rows: npt.NDArray[np.uint32]) -> SparseColumn:
    """Members, those of a row side by side, as objects."""
    offsets, data = members
    firsts = np.flatnonzero(np.diff(rows.astype(np.int64), prepend=-1))
    ends = offsets[np.append(firsts[1:], len(rows))]
    data[ends - 1] = _END  # instead of the last comma
    texts = _texts(np.concatenate((offsets[:1], ends)), data)
    return SparseColumn(rows[firsts], pc.binary_join_element_wise(_text("{"), texts, _text("")))


def _as_json(values: pa.Array) -> pa.Array:
    """At least one value, each with a comma behind it."""
    if pa.types.is_boolean(values.type):
        return pc.if_else(values, _text("true,"), _text("false,"))
    if pa.types.is_large_string(values.type):
        return pc.binary_join_element_wise(_text('"'), _escaped(values), _text('",'), _text(""))
    listed = orjson.dumps(values.to_numpy(), option=orjson.OPT_SERIALIZE_NUMPY)
    data = np.frombuffer(listed, np.uint8).copy()
    data[-1] = _COMMA
    behind = np.flatnonzero(data == _COMMA) + 1
    return _texts(np.concatenate(([1], behind)), data)  # without the bracket


def _escaped(texts: pa.Array) -> pa.Array:
    """What stands between the quotes of a JSON string. Few texts are other than they were."""
    offsets, data = texts_of(texts)
    begin = int(offsets[0])
    found = np.flatnonzero(_ESCAPED[data[begin : int(offsets[-1])]]) + begin
    if not len(found):
        return texts
    is_changed = np.zeros(len(texts), np.bool_)
    is_changed[np.searchsorted(offsets, found, "right") - 1] = True
    mask = pa.array(is_changed)
    changed = [orjson.dumps(text)[1:-1] for text in texts.filter(mask).to_pylist()]
    return pc.replace_with_mask(texts, mask, pa.array(changed, pa.large_string()))


def _text(text: str) -> pa.Scalar:
    return pa.scalar(text, pa.large_string())


def _texts(offsets: npt.NDArray[np.int64], data: npt.NDArray[np.uint8]) -> pa.Array:
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.large_string(), len(offsets) - 1, buffers)
