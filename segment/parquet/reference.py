"""The inner loops in numpy and pyarrow: the oracle, and in use without compiled code."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from segment.parquet.bloom import bloom_filter
from segment.parquet.encoders import ByRow, Bytes, Distinct, Indices, Int64s, Texts, texts_of
from segment.parquet.format.thrift import varint, zigzag
from segment.parquet.rle_bit_packed import hybrid, hybrid_levels, packed
from segment.parquet.small import SmallPages, SmallTable
from segment.xxh64 import text_hashes

_BLOCK = 128  # deltas of one block
_MINIBLOCK = 32
_HEADER = b"\x80\x01\x04"  # values of a block, its miniblocks


class ReferenceEncoders:
    """`Encoders` in numpy and pyarrow. Any number of threads may use it."""

    name = "reference"

    def small(self, _table: SmallTable) -> None:
        """As `Encoders.small`."""

    def small_cells(self, _pages: SmallPages) -> None:
        """As `Encoders.small_cells`."""

    def distinct_texts(self, texts: Texts, limit: int) -> Distinct | None:
        """As `Encoders.distinct_texts`."""
        return _distinct(arrow_texts(texts), limit)

    def distinct_words(self, values: Int64s, limit: int) -> Distinct | None:
        """As `Encoders.distinct_words`."""
        return _distinct(pa.array(values), limit)

    def hybrid(self, indices: Indices, width: int) -> Bytes:
        """As `Encoders.hybrid`."""
        return hybrid(indices, width)

    def levels(self, rows: Indices, first_row: int, end_row: int) -> Bytes:
        """As `Encoders.levels`."""
        found = np.zeros(end_row - first_row, np.uint32)
        found[rows - np.uint32(first_row)] = 1
        return hybrid_levels(found)

    def plain_texts(self, texts: Texts) -> Bytes:
        """As `Encoders.plain_texts`."""
        offsets = texts.offsets.tolist()
        base = offsets[0]
        whole = texts.data[base : offsets[-1]].tobytes()
        parts: list[bytes] = []
        for begin, end in pairwise(offsets):
            parts += [(end - begin).to_bytes(4, "little"), whole[begin - base : end - base]]
        return np.frombuffer(b"".join(parts), np.uint8)

    def pairs(self, left: Texts, left_at: Indices, right: Texts, right_at: Indices) -> Texts:
        """As `Encoders.pairs`."""
        lefts = arrow_texts(left).take(pa.array(left_at))
        rights = arrow_texts(right).take(pa.array(right_at))
        joined = pc.binary_join_element_wise(lefts, rights, pa.scalar(b"", lefts.type))
        offsets, data = texts_of(joined)
        return Texts(offsets, data.copy())

    def by_row(self, rows: Indices, begins: Int64s, ends: Int64s, size: int) -> ByRow:
        """As `Encoders.by_row`."""
        spans = [np.arange(begin, end) for begin, end in zip(begins, ends, strict=True)]
        cells = np.concatenate(spans) if spans else np.empty(0, np.int64)
        columns = np.repeat(np.arange(len(begins)), ends - begins)
        order = np.argsort(rows[cells], kind="stable")
        starts = np.searchsorted(rows[cells][order], np.arange(size + 1))
        return ByRow(cells[order].astype(np.uint32), columns[order].astype(np.uint32), starts)

    def lengths(self, texts: Texts) -> Bytes:
        """As `Encoders.lengths`."""
        return self.deltas_int32(np.diff(texts.offsets).astype(np.int32))

    def deltas(self, values: Int64s) -> Bytes:
        """As `Encoders.deltas`."""
        return _deltas(values, np.diff(values))  # numpy wraps as the format does

    def deltas_int32(self, values: npt.NDArray[np.int32]) -> Bytes:
        """As `Encoders.deltas_int32`."""
        return _deltas(values.astype(np.int64), np.diff(values).astype(np.int64))

    def bits(self, bitmap: Bytes, first_bit: int, count: int) -> Bytes:
        """As `Encoders.bits`."""
        whole = np.unpackbits(bitmap[first_bit // 8 :], bitorder="little")[first_bit % 8 :]
        return np.packbits(whole[:count], bitorder="little")

    def range_of_ints(self, values: Int64s) -> tuple[int, int]:
        """As `Encoders.range_of_ints`."""
        return int(values.min()), int(values.max())

    def range_of_doubles(self, values: npt.NDArray[np.float64]) -> tuple[float, float] | None:
        """As `Encoders.range_of_doubles`."""
        if np.isnan(values).any():
            return None
        low, high = float(values.min()), float(values.max())
        return low if low else -0.0, high if high else 0.0

    def range_of_texts(self, texts: Texts) -> tuple[int, int]:
        """As `Encoders.range_of_texts`: the first of the smallest, the first of the largest."""
        raw = arrow_texts(texts)
        found = pc.min_max(raw).as_py()
        return tuple(raw.index(found[end]).as_py() for end in ("min", "max"))

    def grown_steps(self, texts: Texts, at: Int64s) -> int:
        """As `Encoders.grown_steps`."""
        sample = arrow_texts(texts).take(pa.array(at))
        return int(pc.sum(pc.less(sample[:-1], sample[1:])).as_py() or 0)

    def bloom(self, texts: Texts, size: int) -> Bytes:
        """As `Encoders.bloom`."""
        return bloom_filter(texts, size)

    def hashes(self, texts: Texts, seed: int) -> Int64s:
        """As `Encoders.hashes`."""
        return text_hashes(texts.offsets, texts.data, seed).view(np.int64)


def arrow_texts(texts: Texts) -> pa.Array:
    """The texts as an Arrow array over the same memory."""
    buffers = [None, pa.py_buffer(texts.offsets), pa.py_buffer(texts.data)]
    return pa.Array.from_buffers(pa.large_binary(), len(texts.offsets) - 1, buffers)


def _distinct(values: pa.Array, limit: int) -> Distinct | None:
    found = values.dictionary_encode()
    size = len(found.dictionary)
    if size > limit:
        return None
    indices = found.indices.to_numpy().astype(np.uint32)
    firsts = np.full(size, len(indices), np.uint32)
    np.minimum.at(firsts, indices, np.arange(len(indices), dtype=np.uint32))
    return Distinct(indices, firsts)


def _deltas(values: Int64s, steps: Int64s) -> Bytes:
    out = bytearray(_HEADER)
    out += varint(len(values))
    out += varint(zigzag(int(values[0]) if len(values) else 0))
    for at in range(0, len(steps), _BLOCK):
        block = steps[at : at + _BLOCK]
        low = int(block.min())
        above = block.view(np.uint64) - np.uint64(low & (1 << 64) - 1)
        parts = [above[i : i + _MINIBLOCK] for i in range(0, _BLOCK, _MINIBLOCK)]
        widths = [int(part.max(initial=0)).bit_length() for part in parts]
        out += varint(zigzag(low)) + bytes(widths)
        for part, width in zip(parts, widths, strict=True):
            if width:
                out += packed(part, width, _MINIBLOCK)
    return np.frombuffer(bytes(out), np.uint8)
