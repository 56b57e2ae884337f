"""Columns for tests: made by hand or by hypothesis, with what a reader must find in them."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from hypothesis import strategies as st

from segment.parquet.column_chunk.values import Bits, Column, Doubles, Ints, SmallInts, Values
from segment.parquet.encoders import Encoders, texts_of
from segment.parquet.file import write_file

INT64 = st.integers(-(2**63), 2**63 - 1)


def values_of(array: pa.Array) -> Values:
    """An Arrow array as the writer takes it, wherever it begins in its buffers."""
    if pa.types.is_large_string(array.type):
        return texts_of(array)
    data = array.buffers()[1] or b""
    here = slice(array.offset, array.offset + len(array))
    if pa.types.is_boolean(array.type):
        return Bits(np.frombuffer(data, np.uint8), array.offset, len(array))
    if pa.types.is_int32(array.type):
        return SmallInts(np.frombuffer(data, np.int32)[here])
    if pa.types.is_int64(array.type):
        return Ints(np.frombuffer(data, np.int64)[here])
    return Doubles(np.frombuffer(data, np.float64)[here])


def arrays() -> st.SearchStrategy[pa.Array]:
    """Arrays of every kind: few or many distinct values, sliced out of larger ones."""
    texts = st.one_of(
        st.sampled_from(("", "a", "north", "süd")), st.text(max_size=70), st.just("x" * 300)
    )
    kinds = (
        (st.one_of(INT64, st.integers(0, 3)), pa.int64()),
        (st.integers(-(2**31), 2**31 - 1), pa.int32()),
        (st.one_of(st.floats(), st.sampled_from((0.0, -0.0, 1.5, math.nan))), pa.float64()),
        (st.booleans(), pa.bool_()),
        (texts, pa.large_string()),
    )
    return st.sampled_from(kinds).flatmap(
        lambda kind: st.tuples(
            st.lists(kind[0], max_size=300), st.integers(1, 12), st.integers(0, 9)
        ).map(lambda drawn: pa.array(drawn[0] * drawn[1], kind[1]).slice(drawn[2]))
    )


@st.composite
def sparse_columns(draw: st.DrawFn) -> tuple[Column, pa.Array, int]:
    """A column, its values, and how many rows there are."""
    array = draw(arrays())
    gaps = draw(st.lists(st.sampled_from((1, 1, 1, 2, 70, 5_000)), min_size=1, max_size=40))
    steps = np.resize(np.array(gaps), len(array) + 1)
    places = np.cumsum(steps)
    rows = places[:-1].astype(np.uint32) - np.uint32(1)
    everywhere = draw(st.booleans()) and len(array) > 0
    bloom = pa.types.is_large_string(array.type) and draw(st.booleans())
    if everywhere:
        return Column("c", None, values_of(array), bloom), array, len(array)
    return Column("c", rows, values_of(array), bloom), array, int(places[-1])


def written(encoders: Encoders, columns: Sequence[Column], rows: int) -> bytes:
    """The file of these columns."""
    return write_file(encoders, columns, rows, metadata={}, sorting=(), created_by="test")


def same_values(found: pa.Array, right: pa.Array) -> bool:
    """Equal to the bit: NaN is NaN, and 0.0 is not -0.0."""
    if pa.types.is_floating(right.type):
        bits: npt.NDArray[np.int64] = found.to_numpy(zero_copy_only=False).view(np.int64)
        return bits.tolist() == right.to_numpy(zero_copy_only=False).view(np.int64).tolist()
    return bool(found.cast(right.type).to_pylist() == right.to_pylist())
