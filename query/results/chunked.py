"""Work over many rows that lets other threads run in between (I14).

A call into C code holds the interpreter until it returns: turning a million rows into Python
objects, or sorting them, kept the event loop and the merges of others waiting for a second. In
pieces of some thousand rows each call takes milliseconds, and the results are the same. The cyclic
garbage collector walks all those objects in one call, too; they hold no cycles, so it pauses.
"""

import gc
import heapq
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, Protocol, TypeVar

import pyarrow as pa

_PIECE_ROWS = 4_096
_T = TypeVar("_T")


class _Comparable(Protocol):
    def __lt__(self, other: Any, /) -> bool: ...


def python_list(column: pa.ChunkedArray) -> list[Any]:
    """The values of a column, as `to_pylist` gives them."""
    values: list[Any] = []
    for start in range(0, len(column), _PIECE_ROWS):
        values += column.slice(start, _PIECE_ROWS).to_pylist()
    return values


def sort_stably(
    items: list[_T], key: Callable[[_T], _Comparable], *, reverse: bool = False
) -> None:
    """As `items.sort(key=key, reverse=reverse)`."""
    bounds = [*range(0, len(items), _PIECE_ROWS), len(items)]
    pieces = [items[start:end] for start, end in pairwise(bounds)]
    for piece in pieces:
        piece.sort(key=key, reverse=reverse)
    if len(pieces) == 1:
        items[:] = pieces[0]
    elif pieces:
        items[:] = list(_each(heapq.merge(*pieces, key=key, reverse=reverse)))


def _each(items: Iterator[_T]) -> Iterator[_T]:
    yield from items  # in Python, so that other threads may run between two of them


class _CollectorPause:
    """Counts who wants the cyclic garbage collector to pause; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted = 0
        self._was_enabled = False

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self._lock:
            if not self._wanted:
                self._was_enabled = gc.isenabled()
                gc.disable()
            self._wanted += 1
        try:
            yield
        finally:
            with self._lock:
                self._wanted -= 1
                if not self._wanted and self._was_enabled:
                    gc.enable()


collector_paused = _CollectorPause()
