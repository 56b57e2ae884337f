"""The keys of many columns as two arrays: a dataset with ever-new names has millions of them.

A key as an object, its text and its entry in a dict take 250 bytes and more, ten times what the
event's text took. Here a key takes its name's bytes and nine more, and becomes an object only on
request (I11).
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from segment.columns.escapes import escape, unescape
from segment.columns.key import ColumnKey, FieldType
from segment.parquet.encoders import Texts, texts_of

TYPES = tuple(sorted(FieldType))  # as keys compare; a type's number is its index here
_NUMBERS = {field_type: number for number, field_type in enumerate(TYPES)}
_LETTERS = np.frombuffer("".join(TYPES).encode(), np.uint8)
_AT_ONCE = 4_096  # names that are objects at the same time during an iteration
Ints = npt.NDArray[np.int64]


class PackedKeys:
    """Keys of columns, sorted unless a method states otherwise. Immutable.

    names: Arrow large_string without nulls.
    types: uint8, indexes into TYPES.
    """

    __slots__ = ("_data", "_offsets", "names", "types")

    def __init__(self, names: pa.Array, types: npt.NDArray[np.uint8]) -> None:
        self.names = names
        self.types = types
        self._offsets, data = texts_of(names)
        self._data = data

    @classmethod
    def of(cls, keys: Iterable[ColumnKey]) -> "PackedKeys":
        """Pack these keys, in their order."""
        some = list(keys)
        types = np.fromiter((_NUMBERS[key.type] for key in some), np.uint8, len(some))
        return cls(pa.array([key.field for key in some], pa.large_string()), types)

    def __len__(self) -> int:
        return len(self.types)

    def __iter__(self) -> Iterator[ColumnKey]:
        for begin in range(0, len(self), _AT_ONCE):
            names = self.names[begin : begin + _AT_ONCE].to_pylist()
            types = self.types[begin : begin + _AT_ONCE].tolist()
            for name, number in zip(names, types, strict=True):
                yield ColumnKey(name, TYPES[number])

    def at(self, index: int) -> ColumnKey:
        """The key at an index."""
        return ColumnKey(self.raw(index).decode(), TYPES[self.types[index]])

    def raw(self, index: int) -> bytes:
        """The name of the key at an index, UTF-8."""
        return self._data[int(self._offsets[index]) : int(self._offsets[index + 1])].tobytes()

    def first_from(self, name: bytes) -> int:
        """Index of the first key whose name is this one or sorts after it. Keys must be sorted."""
        return bisect_left(range(len(self)), name, key=self.raw)

    def find(self, key: ColumnKey) -> int:
        """Index of a key, or -1. Keys must be sorted."""
        name, number = key.field.encode(), _NUMBERS[key.type]
        for index in range(self.first_from(name), len(self)):
            if self.raw(index) != name:
                break
            if self.types[index] == number:
                return index
        return -1

    def take(self, indexes: Ints) -> "PackedKeys":
        """The keys at these indexes, in that order."""
        return PackedKeys(self.names.take(pa.array(indexes)), self.types[indexes])

    def digest(self) -> bytes:
        """16 bytes, the same for the same keys in the same order."""
        hasher = hashlib.blake2b(self.types.tobytes(), digest_size=16)
        hasher.update(np.diff(self._offsets).tobytes())
        hasher.update(self._data[int(self._offsets[0]) : int(self._offsets[-1])].tobytes())
        return hasher.digest()

    def same_as(self, other: "PackedKeys") -> bool:
        """Whether the other keys are the same in the same order."""
        if self is other:
            return True
        return np.array_equal(self.types, other.types) and bool(self.names.equals(other.names))

    @property
    def texts(self) -> Texts:
        """The names, UTF-8."""
        return Texts(self._offsets, self._data)

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return int(self._offsets[-1] - self._offsets[0]) + 9 * len(self)

    def physical(self) -> pa.Array:
        """The physical names, large_string."""
        return escape(self.names, _LETTERS[self.types])


def union(all_keys: Sequence[PackedKeys]) -> tuple[PackedKeys, list[Ints]]:
    """(all keys once, sorted; for each sequence the indexes of its keys among these).

    There is at least one sequence, and each is sorted.
    """
    first = all_keys[0]
    if all(keys.same_as(first) for keys in all_keys):
        return first, [np.arange(len(first)) for _ in all_keys]
    encoded = pa.concat_arrays([keys.names for keys in all_keys]).dictionary_encode()
    in_order = pc.sort_indices(encoded.dictionary).to_numpy()  # by bytes, as Python orders text
    rank = np.empty(len(in_order), np.int64)
    rank[in_order] = np.arange(len(in_order))
    types = np.concatenate([keys.types for keys in all_keys])
    numbers = rank[encoded.indices.to_numpy()] * len(TYPES) + types
    found, where = np.unique(numbers, return_inverse=True)
    names = encoded.dictionary.take(pa.array(in_order[found // len(TYPES)]))
    keys = PackedKeys(names, (found % len(TYPES)).astype(np.uint8))
    ends = np.cumsum([len(one) for one in all_keys])
    return keys, np.split(where.astype(np.int64, copy=False), ends[:-1])


def parse_all(physical: pa.Array) -> PackedKeys:
    """The keys of physical names of fields (large_string), sorted. Raises ValueError."""
    names, letters = unescape(physical)
    if not np.isin(letters, _LETTERS).all():
        raise ValueError("a column is of a type that is not known")
    keys = PackedKeys(names, np.searchsorted(_LETTERS, letters).astype(np.uint8))
    return keys if _in_order(keys) else union([keys, PackedKeys.of(())])[0]


def _in_order(keys: PackedKeys) -> bool:
    if len(keys) < 2:
        return True
    left, right = keys.names[:-1], keys.names[1:]
    same_name = pc.equal(left, right).to_numpy(zero_copy_only=False)
    less = pc.less(left, right).to_numpy(zero_copy_only=False)
    return bool((less | (same_name & (keys.types[:-1] < keys.types[1:]))).all())
