"""Files written from and into arrays that end, or begin, where memory does: `python -m` this.

Before and behind every array of the compiled encoders lies a page that nobody may read or write, so
any access beyond an array's end kills the process. 0 if every file is the reference's, and if such
an access is indeed deadly.
"""

import ctypes
import mmap
import os
import signal
import sys
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from segment.parquet.column_chunk.values import Bits, Column, Doubles, Ints, SmallInts, Values
from segment.parquet.encoders import Encoders, Texts
from segment.parquet.load_compiled import load
from segment.parquet.reference import ReferenceEncoders
from tests.kernel_cache import KERNEL_CACHE
from tests.segment.parquet.columns import sparse_columns, written

_EXAMPLES = 150
_PAGE = mmap.PAGESIZE
_PROT_NONE = 0
_C = ctypes.CDLL(None)
Array = npt.NDArray[Any]


class Guarded:
    """Stands for numpy in the compiled encoders' module: what it makes is guarded."""

    def __init__(self) -> None:
        self.at_front = False
        self._maps: list[mmap.mmap] = []

    def __getattr__(self, name: str) -> object:
        return getattr(np, name)

    def empty(self, size: int, dtype: npt.DTypeLike) -> Array:
        """An array of this size with a guard directly behind it, or directly before it."""
        kind = np.dtype(dtype)
        wanted = size * kind.itemsize
        pages = -(-wanted // _PAGE)
        area = mmap.mmap(-1, (pages + 2) * _PAGE)
        self._maps.append(area)
        base = ctypes.addressof(ctypes.c_char.from_buffer(area))
        for guard in (base, base + (pages + 1) * _PAGE):
            assert _C.mprotect(ctypes.c_void_p(guard), _PAGE, _PROT_NONE) == 0
        first = _PAGE if self.at_front else (pages + 1) * _PAGE - wanted
        return np.frombuffer(area, kind, size, first) if size else np.empty(0, kind)

    zeros = empty  # fresh pages are

    def copied(self, array: Array) -> Any:
        """A copy that nobody may write to."""
        copy = self.empty(len(array), array.dtype)
        copy[:] = array
        copy.flags.writeable = False
        return copy

    def values(self, values: Values) -> Values:
        """The values with nothing behind what they need."""
        match values:
            case Texts():
                data = values.data[: int(values.offsets[-1])]
                return Texts(self.copied(values.offsets), self.copied(data))
            case Ints():
                return Ints(self.copied(values.values), values.nearly_sorted)
            case SmallInts():
                return SmallInts(self.copied(values.values))
            case Doubles():
                return Doubles(self.copied(values.values))
            case Bits():
                used = values.bitmap[: (values.first + values.size + 7) // 8]
                return Bits(self.copied(used), values.first, values.size)


def _assert_same_files(guarded: Guarded) -> None:
    from segment.parquet.compiled import encoders as compiled

    cast(Any, compiled).np = guarded
    reference = ReferenceEncoders()

    @settings(max_examples=_EXAMPLES, deadline=None, database=None)
    @given(sparse_columns(), st.booleans())
    def assert_same_bytes(drawn: tuple[Column, pa.Array, int], at_front: bool) -> None:
        column, _, rows = drawn
        if not rows:
            return
        guarded.at_front = at_front
        kernel: Encoders = compiled.KernelEncoders()  # whose room is made anew
        where = None if column.rows is None else guarded.copied(column.rows)
        same = Column(column.name, where, guarded.values(column.values), column.bloom)
        assert written(kernel, [same], rows) == written(reference, [column], rows)

    assert_same_bytes()


def _is_deadly(guarded: Guarded) -> bool:
    from segment.parquet.kernel.number_min_max import range_of_ints

    guarded.at_front = False
    numbers = guarded.copied(np.arange(10))
    child = os.fork()
    if child == 0:
        range_of_ints(numbers, 0, 11)
        os._exit(0)
    return os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGSEGV


def main() -> int:
    """Write them all."""
    load(KERNEL_CACHE)
    guarded = Guarded()
    _assert_same_files(guarded)
    return 0 if _is_deadly(guarded) else 1


if __name__ == "__main__":
    sys.exit(main())
