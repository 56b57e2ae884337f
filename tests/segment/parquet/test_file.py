"""Files that other engines read as they were meant, whoever encoded them."""

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings

from segment.parquet.column_chunk.values import Column, Doubles, Ints
from segment.parquet.encoders import Encoders
from segment.parquet.reference import ReferenceEncoders
from tests.segment.parquet.columns import same_values, sparse_columns, values_of, written

SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@SLOW
@given(drawn=sparse_columns())
def test_a_reader_finds_every_value_in_its_row(
    drawn: tuple[Column, pa.Array, int], encoders: Encoders
) -> None:
    column, values, rows = drawn
    if not rows:
        return
    data = written(encoders, [column], rows)
    file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
    found = file.read().column(0).combine_chunks()
    assert len(found) == rows
    present = np.flatnonzero(found.is_valid().to_numpy(zero_copy_only=False))
    everywhere = np.arange(rows) if column.rows is None else column.rows
    assert present.tolist() == everywhere.tolist()
    assert same_values(found.drop_null(), values)


@SLOW
@given(drawn=sparse_columns())
def test_compiled_or_not_a_file_has_the_same_bytes(
    drawn: tuple[Column, pa.Array, int], kernel: Encoders
) -> None:
    column, _, rows = drawn
    if rows:
        assert written(kernel, [column], rows) == written(ReferenceEncoders(), [column], rows)


def test_another_engine_reads_it_and_finds_its_bounds(encoders: Encoders, tmp_path: Path) -> None:
    rows = 100_000
    numbers = np.arange(rows, dtype=np.int64)
    where = numbers[numbers % 7 == 3]
    towns = [("Köln", "Oslo", "Rome")[row % 3] for row in where.tolist()]
    columns = [
        Column("n", None, Ints(numbers)),
        Column("town", where.astype(np.uint32), values_of(pa.array(towns, pa.large_string()))),
    ]
    path = tmp_path / "towns.parquet"
    path.write_bytes(written(encoders, columns, rows))
    number, town = (pq.ParquetFile(path).metadata.row_group(0).column(at) for at in (0, 1))
    assert (number.statistics.min, number.statistics.max) == (0, rows - 1)
    assert (town.statistics.min, town.statistics.max) == ("Köln", "Rome")
    assert town.statistics.null_count == rows - len(where)
    query = f"SELECT count(*), sum(n) FROM '{path}' WHERE town = 'Oslo' AND n >= 70000"
    oslo = [
        row
        for row, name in zip(where.tolist(), towns, strict=True)
        if name == "Oslo" and row >= 70_000
    ]
    assert duckdb.sql(query).fetchall() == [(len(oslo), sum(oslo))]


def test_no_row_is_skipped_by_an_engine_that_sorts_nan_last(
    encoders: Encoders, tmp_path: Path
) -> None:
    numbers = np.arange(100_000.0)
    numbers[70_000] = np.nan
    path = tmp_path / "doubles.parquet"
    path.write_bytes(written(encoders, [Column("d", None, Doubles(numbers))], len(numbers)))
    for condition, rows in (("d = 'nan'", 1), ("d > 99999", 1), ("d <= 99999", 99_999)):
        query = f"SELECT count(*) FROM '{path}' WHERE {condition}"
        assert duckdb.sql(query).fetchall() == [(rows,)]


def test_a_damaged_page_is_found_by_its_checksum(encoders: Encoders) -> None:
    numbers = np.random.default_rng(1).integers(0, 2**62, 1_000)
    data = bytearray(written(encoders, [Column("n", None, Ints(numbers))], len(numbers)))
    data[500] ^= 1
    file = pq.ParquetFile(pa.BufferReader(bytes(data)), page_checksum_verification=True)
    with pytest.raises(OSError, match="CRC"):
        file.read()


def test_a_text_of_every_size_and_a_page_of_long_ones(encoders: Encoders) -> None:
    texts = pa.array(["é" * size for size in range(200)] + ["z" * 700_000] * 25, pa.large_string())
    data = written(encoders, [Column("t", None, values_of(texts))], len(texts))
    found = pq.ParquetFile(pa.BufferReader(data)).read().column(0)
    assert found.to_pylist() == texts.to_pylist()
