"""Rows of series as JSON, put together out of columns of texts: no Python object per row."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from query.plan.parts.conditions import Scalar

_TEXT = pa.large_string()


class JsonRows(NamedTuple):
    """Rows with commas between them, UTF-8. rows: number of them."""

    json: bytes
    rows: int


def json_texts(values: Sequence[Scalar | None]) -> pa.Array:
    """Each value as JSON, a column of texts."""
    return pa.array([msgspec.json.encode(value).decode() for value in values], _TEXT)


def json_numbers(values: Sequence[Scalar | None]) -> pa.Array:
    """As `json_texts`, of numbers and missing values alone: their JSON has no commas."""
    together = msgspec.json.encode(values)[1:-1].decode()
    return pc.list_flatten(pc.split_pattern(pa.array([together], _TEXT), ","))


def json_texts_of(encoded: Sequence[bytes]) -> pa.Array:
    """Values that are JSON already, a column of texts."""
    return pa.array([one.decode() for one in encoded], _TEXT)


def json_times(seconds: Sequence[int]) -> pa.Array:
    """As `json_texts`, of unix seconds in RFC 3339 (`common.model.times.written.rfc3339_s`)."""
    texts = np.datetime_as_string(np.array(seconds, "M8[s]"), unit="s").tolist()
    return pc.binary_join_element_wise(
        _fixed('"'), pa.array(texts, _TEXT), _fixed('Z"'), _fixed("")
    )


def json_rows(times: pa.Array, columns: Mapping[str, pa.Array]) -> JsonRows:
    """Rows `{"time": ..., "data": {...}}`. times, columns: JSON by row, in the rows' order."""
    parts: list[pa.Array | pa.Scalar] = [_fixed('{"time":'), times]
    before = ',"data":{'
    for name, texts in columns.items():
        parts += [_fixed(f"{before}{msgspec.json.encode(name).decode()}:"), texts]
        before = ","
    rows = pc.binary_join_element_wise(*parts, _fixed("}}"), _fixed(""))
    bounds = pa.array([0, len(rows)], pa.int64())
    together = pc.binary_join(pa.LargeListArray.from_arrays(bounds, rows), _fixed(","))
    return JsonRows(together.buffers()[-1].to_pybytes(), len(rows))


def _fixed(text: str) -> pa.Scalar:
    return pa.scalar(text, _TEXT)
