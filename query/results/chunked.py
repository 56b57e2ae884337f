"""Work over many rows in chunks, between which other threads get the interpreter's lock (I14).

A call into C code holds that lock until it returns: converting a million rows to Python objects,
or sorting them, stopped the event loop and other merges for a second. In chunks of some thousand
rows each call takes milliseconds, and the results are the same. The cyclic garbage collector also
walks all these objects in one call; they have no cycles, so it is paused.
"""

import gc
import heapq
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, Protocol, TypeVar

import pyarrow as pa

_CHUNK_ROWS = 4_096
_T = TypeVar("_T")


class _Comparable(Protocol):
    def __lt__(self, other: Any, /) -> bool: ...


def python_list(column: pa.ChunkedArray) -> list[Any]:
    """As `column.to_pylist()`."""
    values: list[Any] = []
    for start in range(0, len(column), _CHUNK_ROWS):
        values += column.slice(start, _CHUNK_ROWS).to_pylist()
    return values


def sort_stably(
    items: list[_T], key: Callable[[_T], _Comparable], *, reverse: bool = False
) -> None:
    """As `items.sort(key=key, reverse=reverse)`."""
    bounds = [*range(0, len(items), _CHUNK_ROWS), len(items)]
    chunks = [items[start:end] for start, end in pairwise(bounds)]
    for chunk in chunks:
        chunk.sort(key=key, reverse=reverse)
    if len(chunks) == 1:
        items[:] = chunks[0]
    elif chunks:
        items[:] = list(_each(heapq.merge(*chunks, key=key, reverse=reverse)))


def _each(items: Iterator[_T]) -> Iterator[_T]:
    yield from items  # in Python, so that other threads may run between two of them


class _CollectorPause:
    """Pauses the cyclic garbage collector while any thread is inside; counts the threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._was_enabled = False

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self._lock:
            if not self._inside:
                self._was_enabled = gc.isenabled()
                gc.disable()
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if not self._inside and self._was_enabled:
                    gc.enable()


collector_paused = _CollectorPause()
