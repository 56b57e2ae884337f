"""An engine that skips by bounds, nulls and bloom filters finds the rows that it finds without."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings

from segment.parquet.encoders import Encoders
from segment.parquet.values import Column
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
