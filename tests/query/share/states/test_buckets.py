"""Buckets are the same in SQL and in Arrow, and their middles are as near as is promised."""

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from common import limits
from query.share.states.buckets import bucket_middles, bucket_numbers, bucket_sql

SMALLEST = 5e-324  # doubles near it are that far apart


def doubles(seed: int, count: int = 50_000) -> np.ndarray:
    """Of every size and sign, some of them the same, with the ends of the range."""
    draw = np.random.default_rng(seed)
    some = draw.integers(0, 2**64, count, np.uint64, endpoint=False).view(np.float64)
    ends = [0.0, -0.0, 1.0, -1.0, SMALLEST, -SMALLEST, np.finfo(np.float64).max, 2.0**53]
    return np.concatenate([some[np.isfinite(some)], draw.lognormal(3, 2, count), ends, -some[:0]])


@pytest.mark.parametrize("seed", [1, 2])
def test_sql_and_arrow_agree_about_every_bucket(seed: int) -> None:
    values = doubles(seed)
    with duckdb.connect() as connection:
        connection.register("doubles", pa.table({"v": pa.array(values)}))
        found = connection.sql(f"SELECT {bucket_sql('v')} AS e FROM doubles").to_arrow_table()
    assert found.column("e").to_numpy().tolist() == bucket_numbers(values).tolist()


def test_middles_are_within_the_promised_error_and_in_the_order_of_values() -> None:
    values = np.sort(doubles(3))
    numbers = bucket_numbers(values)
    middles = bucket_middles(numbers)
    error = np.abs(values) * limits.QUANTILE_RELATIVE_ERROR * (1 + 1e-9) + SMALLEST
    assert np.isfinite(middles).all()
    assert (np.abs(middles - values) <= error).all()
    assert (np.diff(numbers) >= 0).all()
    assert (bucket_numbers(middles[np.abs(middles) > 1e-300])
            == numbers[np.abs(middles) > 1e-300]).all()  # fmt: skip


def test_a_missing_number_has_no_bucket() -> None:
    with duckdb.connect() as connection:
        found = connection.sql(f"SELECT {bucket_sql('v')} FROM (SELECT NULL::DOUBLE AS v)")
        assert found.fetchall() == [(None,)]
