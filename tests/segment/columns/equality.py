"""Blocks compared to the last bit: types, order, absent values, signs of zero."""

from segment.columns import ColumnBlock


def assert_same_block(found: ColumnBlock, wanted: ColumnBlock) -> None:
    """Fail unless both blocks have the same rows and columns, bit for bit."""
    for name in ("time_ns", "rate", "offset", "index_in_record", "late_or_early"):
        left, right = getattr(found, name), getattr(wanted, name)
        assert left.dtype == right.dtype, name
        assert left.tolist() == right.tolist(), name
    assert list(found.columns) == list(wanted.columns)
    for key, column in wanted.columns.items():
        other = found.columns[key]
        assert other.rows.dtype == column.rows.dtype
        assert other.rows.tolist() == column.rows.tolist(), key
        assert other.values.type == column.values.type == key.type.arrow, key
        assert other.values.null_count == 0
        assert list(map(repr, other.values.to_pylist())) == list(
            map(repr, column.values.to_pylist())
        ), key
