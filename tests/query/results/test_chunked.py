"""Rows in pieces: the same values in the same order, and other threads run in between."""

import gc
import sys
import threading

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from query.results import chunked
from query.results.chunked import collector_paused, python_list, sort_stably


@given(st.lists(st.tuples(st.integers(0, 5), st.integers())), st.booleans(), st.integers(1, 7))
def test_sorting_in_chunks_is_stable_and_the_same(
    items: list[tuple[int, int]], reverse: bool, rows: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunked, "_CHUNK_ROWS", rows)
        found = list(items)
        sort_stably(found, lambda item: item[0], reverse=reverse)
    assert found == sorted(items, key=lambda item: item[0], reverse=reverse)


@pytest.mark.parametrize("count", [0, 1, 4_096, 10_000])
def test_a_column_in_chunks_has_the_same_values(count: int) -> None:
    values = [None if n % 5 == 0 else f"v{n}" for n in range(count)]
    column = pa.chunked_array(
        [pa.array(values[:3], pa.string()), pa.array(values[3:], pa.string())]
    )
    assert python_list(column) == values


def test_another_thread_runs_many_times_while_a_large_column_is_read() -> None:
    column = pa.chunked_array([pa.array(range(400_000))])
    turns, over = 0, threading.Event()

    def count() -> None:
        nonlocal turns
        while not over.wait(0):
            turns += 1

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    other = threading.Thread(target=count)
    other.start()
    try:
        before = turns
        python_list(column)
        during = turns - before
    finally:
        over.set()
        other.join()
        sys.setswitchinterval(interval)
    assert during >= 10


def test_the_collector_pauses_until_the_last_one_has_ended() -> None:
    assert gc.isenabled()
    with collector_paused():
        with collector_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
