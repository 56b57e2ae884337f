"""An engine that skips by bounds, nulls and bloom filters finds the rows that it finds without."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings

from segment.parquet.bloom import find_filter
from segment.parquet.column_chunk.values import Column
from segment.parquet.encoders import Encoders, texts_of
from tests.segment.parquet.columns import sparse_columns, written

SLOW = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
OPERATORS = ("=", "<>", "<", "<=", ">", ">=")
SOME = 5  # values of a column that it is compared with


@SLOW
@given(drawn=sparse_columns())
def test_no_filter_loses_or_adds_a_row(
    drawn: tuple[Column, pa.Array, int], kernel: Encoders, tmp_path: Path
) -> None:
    column, values, rows = drawn
    if not rows:
        return
    path = tmp_path / "file.parquet"
    path.write_bytes(written(kernel, [column], rows))
    with duckdb.connect() as connection:
        connection.register("truth", pq.read_table(path))
        known = values.slice(0, SOME).to_pylist()
        if pa.types.is_large_string(values.type):
            known += ["", "nosuch"]
        elif pa.types.is_floating(values.type):
            known += [0.0, -0.0, float("nan"), float("inf")]
        conditions = [(f"c {operator} ?", [one]) for one in known for operator in OPERATORS]
        for condition, bound in [("c IS NULL", []), ("c IS NOT NULL", []), *conditions]:
            found, right = (
                connection.execute(
                    f"SELECT count(*) FROM {source} WHERE {condition}", bound
                ).fetchall()
                for source in (f"'{path}'", "truth")
            )
            assert found == right, (condition, bound)


@SLOW
@given(drawn=sparse_columns())
def test_a_text_that_is_there_may_be_held(
    drawn: tuple[Column, pa.Array, int], kernel: Encoders, tmp_path: Path
) -> None:
    column, values, rows = drawn
    path = tmp_path / "file.parquet"
    path.write_bytes(written(kernel, [column], rows))
    chunk = pq.read_metadata(path).row_group(0).column(0) if rows else None
    if chunk is None or chunk.bloom_filter_offset is None:
        return
    placed = find_filter(str(path), chunk.bloom_filter_offset, chunk.bloom_filter_length)
    assert placed is not None
    assert all(placed.may_hold(text.encode()) for text in values.drop_null().to_pylist())
    # the header of another filter is not read as one of ours
    assert find_filter(str(path), chunk.bloom_filter_offset, chunk.bloom_filter_length + 1) is None
    assert find_filter(str(path), 0, chunk.bloom_filter_length) is None


def test_few_texts_that_are_not_there_may_be_held(kernel: Encoders, tmp_path: Path) -> None:
    texts = pa.array([f"trace {at}" for at in range(1_000)], pa.large_string())
    column = Column("c", None, texts_of(texts), bloom=True)
    path = tmp_path / "file.parquet"
    path.write_bytes(written(kernel, [column], len(texts)))
    chunk = pq.read_metadata(path).row_group(0).column(0)
    placed = find_filter(str(path), chunk.bloom_filter_offset, chunk.bloom_filter_length)
    assert placed is not None
    assert all(placed.may_hold(text.encode()) for text in texts.to_pylist())
    wrong = sum(placed.may_hold(f"other {at}".encode()) for at in range(10_000))
    assert wrong < 200
    path.write_bytes(path.read_bytes()[: placed.at + 10])
    with pytest.raises(OSError, match="ends too early"):
        assert not any(placed.may_hold(f"{at}".encode()) for at in range(1_000))
