"""The rest column's texts are those that a JSON writer makes of each row's dict."""

import numpy as np
import orjson
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segment.columns.block import SparseColumn
from segment.columns.key import ColumnKey, FieldType
from segment.columns.overflow.overflow import decode_overflow, encode_overflow
from segment.parquet.encoders import Encoders
from segment.parquet.reference import ReferenceEncoders

ROWS = 6
TEXTS = st.text() | st.sampled_from(['","', "\\", '\\"', "\x00\x1f\x7f", "é\u2028\U0001f600", ""])
VALUES = {
    FieldType.INT: st.integers(-(2**63), 2**63 - 1),
    FieldType.FLOAT: st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([-0.0, 1e22, 1e16, 5e-324, 0.1, 1.7976931348623157e308]),
    FieldType.BOOL: st.booleans(),
    FieldType.STRING: TEXTS,
    FieldType.JSON: TEXTS,
}
KEYS = st.builds(
    ColumnKey, st.text(max_size=3) | st.sampled_from("abcZ"), st.sampled_from(FieldType)
)


def column(key: ColumnKey, values: dict[int, object], skipped: int) -> SparseColumn:
    """A column of these values by row, as a slice that begins after `skipped` others."""
    rows = sorted(values)
    found = [values[row] for row in rows]
    whole = pa.array(found[:1] * skipped + found, key.type.arrow)
    return SparseColumn(np.array(rows, np.uint32), whole[len(whole) - len(rows) :])


@st.composite
def columns(draw: st.DrawFn) -> dict[ColumnKey, SparseColumn]:
    """Columns of any types, with values in one, some or all rows."""
    keys = draw(st.lists(KEYS, min_size=1, max_size=12, unique=True))
    by_row = {key: st.dictionaries(st.integers(0, ROWS - 1), VALUES[key.type]) for key in keys}
    return {key: column(key, draw(by_row[key]), draw(st.integers(0, 9))) for key in keys}


def row_by_row(columns: dict[ColumnKey, SparseColumn]) -> dict[int, str]:
    """The text of each row that has any of these columns."""
    by_row: dict[int, dict[str, object]] = {}
    for key in sorted(columns, key=lambda key: key.physical):
        found = columns[key]
        for row, value in zip(found.rows.tolist(), found.values.to_pylist(), strict=True):
            by_row.setdefault(row, {})[key.physical] = value
    return {row: orjson.dumps(by_row[row]).decode() for row in sorted(by_row)}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_columns=columns())
def test_the_rest_column_has_the_text_of_each_rows_dict(
    encoders: Encoders, given_columns: dict[ColumnKey, SparseColumn]
) -> None:
    rest = encode_overflow(given_columns, ROWS, encoders)
    assert rest.rows.dtype == np.uint32
    assert rest.values.type == pa.large_string()
    rest.values.validate(full=True)
    found = dict(zip(rest.rows.tolist(), rest.values.to_pylist(), strict=True))
    assert found == row_by_row(given_columns)


@given(columns())
def test_the_rest_column_reads_back_the_same(given_columns: dict[ColumnKey, SparseColumn]) -> None:
    found = decode_overflow(encode_overflow(given_columns, ROWS, ReferenceEncoders()))
    assert set(found) == {key for key, one in given_columns.items() if len(one.rows)}
    for key, one in found.items():
        assert one.rows.tolist() == given_columns[key].rows.tolist()
        assert one.values.type == key.type.arrow
        assert repr(one.values.to_pylist()) == repr(given_columns[key].values.to_pylist())
