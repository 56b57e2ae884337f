"""How the values of one column are written, by their type: dictionary, deltas, lengths or plain.

| values | encoding |
|---|---|
| repeating (on average `_REPEATS` or `_TEXT_REPEATS` times each) | dictionary |
| other integers | deltas, packed: ids and sizes need as many bits as they differ by |
| other texts, all of one length | lengths, then bytes: hex ids then compress to their bits |
| everything else | plain |

Bounds (smallest and largest value) are written only where a reader can skip pages by them: not for
texts that neither repeat nor follow the order of rows, as ids do, and not for long ones. Nor for
doubles with a NaN among them: bounds leave NaN out, and engines that sort it last would skip its
rows.
"""

import math
from abc import ABC, abstractmethod

import numpy as np
import pyarrow as pa

from segment.parquet.column_chunk.values import (
    Bits,
    Column,
    Doubles,
    Ints,
    Packing,
    SmallInts,
    Values,
)
from segment.parquet.encoders import Bytes, Encoders, Indices, Int64s, Part, Texts, texts_of
from segment.parquet.format.numbers import Encoding

_REPEATS = 6
_TEXT_REPEATS = 16  # ids that repeat nearby, as traces' do, compress better as they are
_DICTIONARY_BYTES_MAX = 1 << 20  # readers keep a dictionary in memory as a whole
_LONG_BYTES = 128  # texts that are longer on average
_ORDER_SAMPLE = 2_048
_ORDERED = 0.25  # distance from a half: unsorted values grow in every second step
_BLOOM_FALSE_POSITIVES = 0.01
_BLOOM_BYTES_MIN = 32  # one block
_BLOOM_BYTES_MAX = 1 << 20  # a full segment of distinct ids takes a sixth of it
Bounds = tuple[bytes | None, bytes | None]


class ColumnWriter(ABC):
    """How the values of one column are written; plain, unless a subclass overrides it."""

    encoding = Encoding.PLAIN
    has_bounds = True
    bloom: Bytes | None = None
    packing = Packing.TEXTS

    def __init__(self, encoders: Encoders) -> None:
        self.encoders = encoders
        self.dictionary: tuple[Bytes, int] | None = None
        self.indices: Indices | None = None
        self._width = 0

    def encoded(self, first: int, end: int) -> list[Part]:
        """The values first..end-1."""
        if self.indices is None:
            return self.without_dictionary(first, end)
        packed = self.encoders.hybrid(self.indices[first:end], self._width)
        return [bytes([self._width]), packed]

    @abstractmethod
    def without_dictionary(self, first: int, end: int) -> list[Part]:
        """The values first..end-1 themselves."""

    @abstractmethod
    def bounds(self, first: int, end: int) -> Bounds:
        """Smallest and largest of at least one value."""

    def number(self, bound: bytes) -> int | float | bytes:
        """The key by which bounds are compared."""
        return bound

    def use_dictionary(self, indices: Indices, entries: Bytes, size: int) -> None:
        """Write indices instead of values. entries: the dictionary, PLAIN. size: its entries."""
        self.encoding = Encoding.RLE_DICTIONARY
        self.dictionary = entries, size
        self.indices = indices
        self._width = (size - 1).bit_length()

    def use_distinct_words(self, words: Int64s) -> None:
        """Use a dictionary if the values repeat."""
        found = self.encoders.distinct_words(words, len(words) // _REPEATS)
        if found is not None:
            self.use_dictionary(
                found.indices, words[found.firsts].view(np.uint8), len(found.firsts)
            )


class _Whole(ColumnWriter):
    """Integers of either size."""

    def number(self, bound: bytes) -> int:
        return int.from_bytes(bound, "little", signed=True)


class _Ints(_Whole):
    def __init__(self, encoders: Encoders, ints: Ints) -> None:
        super().__init__(encoders)
        self._values = ints.values
        if not ints.nearly_sorted:
            self.use_distinct_words(ints.values)
        if self.dictionary is None:
            self.encoding = Encoding.DELTA_BINARY_PACKED

    def without_dictionary(self, first: int, end: int) -> list[Part]:
        return [self.encoders.deltas(self._values[first:end])]

    def bounds(self, first: int, end: int) -> Bounds:
        low, high = self.encoders.range_of_ints(self._values[first:end])
        return low.to_bytes(8, "little", signed=True), high.to_bytes(8, "little", signed=True)


class _SmallInts(_Whole):
    encoding = Encoding.DELTA_BINARY_PACKED

    def __init__(self, encoders: Encoders, ints: SmallInts) -> None:
        super().__init__(encoders)
        self._values = ints.values

    def without_dictionary(self, first: int, end: int) -> list[Part]:
        return [self.encoders.deltas_int32(self._values[first:end])]

    def bounds(self, first: int, end: int) -> Bounds:
        part = self._values[first:end]
        return part.min().tobytes(), part.max().tobytes()


class _Doubles(ColumnWriter):
    packing = Packing.NUMBERS

    def __init__(self, encoders: Encoders, doubles: Doubles) -> None:
        super().__init__(encoders)
        self._values = doubles.values
        self.use_distinct_words(doubles.values.view(np.int64))

    def without_dictionary(self, first: int, end: int) -> list[Part]:
        return [self._values[first:end].view(np.uint8)]

    def bounds(self, first: int, end: int) -> Bounds:
        found = self.encoders.range_of_doubles(self._values[first:end])
        if found is None:
            return None, None
        return np.float64(found[0]).tobytes(), np.float64(found[1]).tobytes()

    def number(self, bound: bytes) -> float:
        return float(np.frombuffer(bound, "<f8")[0])


class _Bools(ColumnWriter):
    def __init__(self, encoders: Encoders, bits: Bits) -> None:
        super().__init__(encoders)
        self._bits = bits

    def without_dictionary(self, first: int, end: int) -> list[Part]:
        return [self.encoders.bits(self._bits.bitmap, self._bits.first + first, end - first)]

    def bounds(self, first: int, end: int) -> Bounds:
        (packed,) = self.without_dictionary(first, end)
        set_bits = int(np.unpackbits(np.frombuffer(packed, np.uint8)).sum())  # the rest is 0
        return bytes([set_bits == end - first]), bytes([set_bits > 0])


class _Texts(ColumnWriter):
    def __init__(self, encoders: Encoders, texts: Texts, wants_bloom: bool) -> None:
        super().__init__(encoders)
        self._texts = texts
        self._entries: Texts | None = None
        size = len(texts.offsets) - 1
        found = encoders.distinct_texts(texts, size if wants_bloom else size // _TEXT_REPEATS)
        distinct = texts if found is None else _taken(texts, found.firsts)
        count = len(distinct.offsets) - 1
        if (
            found is not None
            and count <= size // _TEXT_REPEATS
            and distinct.size <= _DICTIONARY_BYTES_MAX
        ):
            self._entries = distinct
            self.use_dictionary(found.indices, encoders.plain_texts(distinct), count)
        if self.dictionary is None:
            if _of_one_length(texts):
                self.encoding = Encoding.DELTA_LENGTH_BYTE_ARRAY
            self.has_bounds = _in_order(encoders, texts)
        if texts.size >= _LONG_BYTES * size:
            self.packing = Packing.LONG_TEXTS
        if wants_bloom:
            self.bloom = encoders.bloom(distinct, bloom_bytes(count))

    def without_dictionary(self, first: int, end: int) -> list[Part]:
        part = self._texts.part(first, end)
        if self.encoding is Encoding.PLAIN:
            return [self.encoders.plain_texts(part)]
        data = part.data[int(part.offsets[0]) : int(part.offsets[-1])]
        return [self.encoders.lengths(part), data]

    def bounds(self, first: int, end: int) -> Bounds:
        part = self._used_entries(first, end) or self._texts.part(first, end)
        low, high = self.encoders.range_of_texts(part)
        return part.text(low), part.text(high)

    def _used_entries(self, first: int, end: int) -> Texts | None:
        """The dictionary's texts among these values: only they need to be compared for bounds."""
        if self._entries is None or self.indices is None:
            return None
        if end - first == len(self.indices):
            return self._entries
        is_used = np.zeros(len(self._entries.offsets) - 1, np.bool_)
        is_used[self.indices[first:end]] = True
        if is_used.all():
            return self._entries
        return _taken(self._entries, np.flatnonzero(is_used))


def column_writer(encoders: Encoders, column: Column) -> ColumnWriter:
    """The writer for the type of the column's values."""
    match column.values:
        case Ints():
            return _Ints(encoders, column.values)
        case SmallInts():
            return _SmallInts(encoders, column.values)
        case Doubles():
            return _Doubles(encoders, column.values)
        case Bits():
            return _Bools(encoders, column.values)
        case Texts():
            return _Texts(encoders, column.values, column.bloom)


class _Plain(ColumnWriter):
    """Values as they are, with the bounds that another writer finds."""

    def __init__(self, encoders: Encoders, bounded: ColumnWriter, values: Values) -> None:
        super().__init__(encoders)
        self._bounded = bounded
        self._values = values

    def without_dictionary(self, first: int, end: int) -> list[Part]:
        values = self._values
        if isinstance(values, Texts):
            return [self.encoders.plain_texts(values.part(first, end))]
        if isinstance(values, Bits):
            return self._bounded.without_dictionary(first, end)
        return [np.ascontiguousarray(values.values[first:end]).view(np.uint8)]

    def bounds(self, first: int, end: int) -> Bounds:
        return self._bounded.bounds(first, end)

    def number(self, bound: bytes) -> int | float | bytes:
        return self._bounded.number(bound)


def plain_writer(encoders: Encoders, column: Column) -> ColumnWriter:
    """One that writes the values as they are, without a filter."""
    without_filter = Column(column.name, column.rows, column.values)
    return _Plain(encoders, column_writer(encoders, without_filter), column.values)


def _taken(texts: Texts, at: Indices | Int64s) -> Texts:
    """The texts at these indexes, one after the other."""
    size = len(texts.offsets) - 1
    buffers = [None, pa.py_buffer(texts.offsets), pa.py_buffer(texts.data)]
    taken = pa.Array.from_buffers(pa.large_binary(), size, buffers).take(pa.array(at))
    return texts_of(taken)


def _of_one_length(texts: Texts) -> bool:
    size = len(texts.offsets) - 1
    if not size or texts.size != size * int(texts.offsets[1] - texts.offsets[0]):
        return False  # decides most columns, without reading every offset
    lengths = np.diff(texts.offsets)
    return bool((lengths == lengths[0]).all())


def _in_order(encoders: Encoders, texts: Texts) -> bool:
    """Whether texts mostly grow or mostly fall from row to row, like times written as text. True
    also for columns with too few texts to decide.
    """
    size = len(texts.offsets) - 1
    if size < _ORDER_SAMPLE:
        return True
    sample = np.linspace(0, size - 1, _ORDER_SAMPLE).astype(np.int64)
    grown = encoders.grown_steps(texts, sample)
    return abs(grown / (_ORDER_SAMPLE - 1) - 0.5) > _ORDERED


def bloom_bytes(distinct: int) -> int:
    """Bytes of a filter for this many texts: a power of two that keeps false positives within
    `_BLOOM_FALSE_POSITIVES` (the format's formula for split blocks).
    """
    bits = -8 * distinct / math.log(1 - _BLOOM_FALSE_POSITIVES ** (1 / 8))
    size = 1 << (math.ceil(bits / 8) - 1).bit_length() if distinct else 0
    return min(max(size, _BLOOM_BYTES_MIN), _BLOOM_BYTES_MAX)
