"""The digest: one hash of a segment's content, however it is stored (docs/formats.md, I3).

The two indexers of a partition (twins), bootstraps and new writer versions agree in the digest
exactly when they agree in every row. It does not depend on block boundaries, on encodings, or on
whether a column is a Parquet column or part of the overflow column. Values are hashed as whole
Arrow buffers, never one by one.

Columns are hashed with XXH3, which is not a cryptographic hash: a digest detects changes by faults.
The SHA-256 of the object, which is its name, protects against intended changes of stored bytes.

A digest begins with its version: `2:` and 64 hex digits. Those of version 1, 64 hex digits alone,
hashed columns with SHA-256; segments that have one are still verified and compared with a twin's.
"""

import hashlib
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xxhash

from segment.columns.block import ColumnBlock, SparseColumn
from segment.columns.key import INDEX_IN_RECORD, OFFSET, RATE, TIME, ColumnKey, FieldType
from segment.columns.names import PackedKeys
from segment.columns.packed import Gathered
from segment.parquet.encoders import Bytes, texts_of

DIGEST_VERSION = 2
_SEGMENT = b"bellwether segment digest %d\n"
_COLUMN = b"bellwether column digest %d\n"
_HEAD, _TAIL = struct.Struct("<BI"), struct.Struct("<cQB")  # around a column's name
_SYSTEM, _FIELD = 0, 1
_NAME_BYTES = 16
_LETTERS = [one.encode() for one in FieldType]
Int64s = npt.NDArray[np.int64]
_NUMBER_BYTES = 8  # little-endian, as on every machine that Bellwether runs on


class _Hasher(Protocol):
    def update(self, data: bytes | memoryview, /) -> None: ...

    def digest(self) -> bytes: ...

    @property
    def digest_size(self) -> int: ...


_HASHERS: dict[int, Callable[[bytes], _Hasher]] = {1: hashlib.sha256, 2: xxhash.xxh3_128}
_ONE_SHOT: dict[int, Callable[[bytes], bytes]] = {
    1: lambda data: hashlib.sha256(data).digest(),
    2: xxhash.xxh3_128_digest,
}


def digest_version(digest: str) -> int:
    """The version of a digest. Raises ValueError for one that this program does not know."""
    version, colon, _ = digest.rpartition(":")
    if not colon:
        return 1
    if not version.isdecimal() or int(version) not in _HASHERS:
        raise ValueError(f"digest of version {version[:20]} is unknown: use a newer Bellwether")
    return int(version)


class Digester:
    """Collects the columns of one segment, in any order, and computes the digest at the end."""

    def __init__(self, rows: int, version: int = DIGEST_VERSION) -> None:
        self._rows = rows
        self._version = version
        self._hasher = _HASHERS[version]
        self._begin = _COLUMN % version
        # Hashes of 16 or 32 bytes, one per column, in one buffer: there may be millions of columns.
        # names: hashes of keys; no key may be added twice.
        self._columns, self._names = bytearray(), bytearray()

    def add_system(self, name: str, values: npt.NDArray[np.int64] | npt.NDArray[np.int32]) -> None:
        """Add a system column, which has a value in every row."""
        if len(values) != self._rows:
            raise ValueError(f"{name} has {len(values)} values for {self._rows} rows")
        little = np.ascontiguousarray(values, "<i8")
        self._add(_SYSTEM, name.encode(), FieldType.INT, None, len(little), (little.data,))

    def add_field(self, key: ColumnKey, column: SparseColumn) -> None:
        """Add a column of a field; one without any value counts as absent."""
        if not len(column.values):
            return
        if column.values.null_count or len(column.rows) != len(column.values):
            raise ValueError("a sparse column has one value, not null, for each of its rows")
        everywhere = len(column.rows) == self._rows
        rows = None if everywhere else np.ascontiguousarray(column.rows, "<u4").data
        parts = _canonical_values(key.type, column.values)
        self._add(_FIELD, key.field.encode(), key.type, rows, len(column.values), parts)

    def add_many(self, keys: PackedKeys, gathered: Gathered) -> None:
        """As `add_field` for each of these columns, in a third of the time.

        keys: keys of all columns; `Gathered.indexes` are indexes into them.
        """
        if gathered.values.null_count or len(gathered.rows) != len(gathered.values):
            raise ValueError("a sparse column has one value, not null, for each of its rows")
        if not len(gathered.values):
            return
        rows = _as_bytes(np.ascontiguousarray(gathered.rows, "<u4").data)
        values = list(map(_as_bytes, _canonical_values(gathered.type, gathered.values)))
        bounds = [at.tolist() for at in _canonical_bounds(gathered)]
        starts = gathered.starts.tolist()
        for number, index in enumerate(gathered.indexes.tolist()):
            first, end = starts[number], starts[number + 1]
            if first == end:
                continue
            parts = [
                part[at[number] : at[number + 1]]
                for part, at in zip(values, bounds, strict=False)  # texts may have no bytes at all
            ]
            some = None if end - first == self._rows else rows[4 * first : 4 * end]
            self._add(_FIELD, keys.raw(index), gathered.type, some, end - first, parts)

    def _add(
        self,
        kind: int,
        raw: bytes,
        field_type: FieldType,
        rows: memoryview | None,
        present: int,
        parts: Iterable[bytes | memoryview],
    ) -> None:
        letter = field_type.encode()
        tail = _TAIL.pack(letter, present, rows is None)
        hasher = self._hasher(b"".join((self._begin, _HEAD.pack(kind, len(raw)), raw, tail)))
        if rows is not None:
            hasher.update(rows)
        for part in parts:
            hasher.update(part)
        self._columns += hasher.digest()
        self._names += xxhash.xxh3_128_digest(b"%c%b\x00%b" % (kind, raw, letter))

    def text(self) -> str:
        """The digest with its version. Raises ValueError if a column was added twice."""
        if len(_ordered(self._names, _NAME_BYTES, unique=True)) < len(self._names):
            raise ValueError("a column was added twice")
        size = self._hasher(b"").digest_size
        head = struct.pack("<QQ", self._rows, len(self._columns) // size)
        hasher = hashlib.sha256(_SEGMENT % self._version + head)
        hasher.update(_ordered(self._columns, size))
        version = "" if self._version == 1 else f"{self._version}:"
        return version + hasher.hexdigest()


def digest_head() -> Bytes:
    """What the bytes of each column's part begin with."""
    return np.frombuffer(_COLUMN % DIGEST_VERSION, np.uint8)


def digest_of_parts(rows: int, parts: Iterable[bytes]) -> str:
    """The digest of a segment whose columns' parts are these bytes, each of another column."""
    return _text_of(rows, map(xxhash.xxh3_128_digest, parts), DIGEST_VERSION)


def _text_of(rows: int, hashes: Iterable[bytes], version: int) -> str:
    """The digest of a segment with columns of these hashes."""
    in_order = sorted(hashes)
    head = struct.pack("<QQ", rows, len(in_order))
    whole = b"".join((_SEGMENT % version, head, *in_order))
    named = "" if version == 1 else f"{version}:"
    return named + hashlib.sha256(whole).hexdigest()


def digests_of_pieces(
    block: ColumnBlock, firsts: Int64s, ends: Int64s, version: int = DIGEST_VERSION
) -> list[str]:
    """For each i the digest of a segment that holds exactly rows firsts[i]..ends[i]-1.

    No column becomes an object for each piece, which costs ten times as much for small pieces.
    """
    hash_of = _ONE_SHOT[version]
    begin = _COLUMN % version
    sizes = (ends - firsts).tolist()
    found: list[list[bytes]] = []  # the pieces' hashes of each column; b"" without a value
    tails = {letter: [_TAIL.pack(letter, size, True) for size in sizes] for letter in _LETTERS}
    lows, highs = (firsts * _NUMBER_BYTES).tolist(), (ends * _NUMBER_BYTES).tolist()
    for name, values in (
        (TIME, block.time_ns),
        (RATE, block.rate),
        (OFFSET, block.offset),
        (INDEX_IN_RECORD, block.index_in_record),
    ):
        raw = name.encode()
        head = b"".join((begin, _HEAD.pack(_SYSTEM, len(raw)), raw))
        data = np.ascontiguousarray(values, "<i8").data.cast("B")
        pieces = _joined(head, tails[FieldType.INT.encode()], [(data, lows, highs)])
        found.append(list(map(hash_of, pieces)))
    for key, column in block.columns.items():
        raw, letter = key.field.encode(), key.type.encode()
        head = b"".join((begin, _HEAD.pack(_FIELD, len(raw)), raw))
        if len(column.rows) == block.rows:
            parts = _pieces_of(key.type, column.values, firsts, ends)
            found.append(list(map(hash_of, _joined(head, tails[letter], parts))))
            continue
        low, high = _values_in(column.rows, firsts, ends)
        sparse = _sparse_tails(letter, column.rows, firsts, sizes, (low, high))
        pieces = _joined(head, sparse, _pieces_of(key.type, column.values, low, high))
        present = (high > low).tolist()
        found.append(
            [hash_of(one) if some else b"" for one, some in zip(pieces, present, strict=True)]
        )
    return [
        _text_of(size, filter(None, hashes), version)
        for size, hashes in zip(sizes, zip(*found, strict=True), strict=True)
    ]


def _joined(
    head: bytes, tails: Iterable[bytes], parts: Sequence[tuple[memoryview, list[int], list[int]]]
) -> Iterator[bytes]:
    """What each piece of a column is the hash of. parts: as `_pieces_of` returns them."""
    data, at, to = parts[0]
    if len(parts) == 1:
        for tail, i, j in zip(tails, at, to, strict=True):
            yield b"".join((head, tail, data[i:j]))
        return
    more, begins, ends = parts[1]
    for tail, i, j, k, n in zip(tails, at, to, begins, ends, strict=True):
        yield b"".join((head, tail, data[i:j], more[k:n]))


def _sparse_tails(
    letter: bytes,
    rows: npt.NDArray[np.uint32],
    firsts: Int64s,
    sizes: Sequence[int],
    bounds: tuple[Int64s, Int64s],
) -> Iterator[bytes]:
    """What follows a column's name in each piece: the number of its values, and their rows.

    sizes: rows of each piece. bounds: where its values begin and end in the column.
    """
    lows, highs = (at.tolist() for at in bounds)
    for first, size, low, high in zip(firsts.tolist(), sizes, lows, highs, strict=True):
        if high - low == size:
            yield _TAIL.pack(letter, size, True)
        else:
            some = (rows[low:high] - np.uint32(first)).tobytes()
            yield _TAIL.pack(letter, high - low, False) + some


def _values_in(rows: npt.NDArray[np.uint32], firsts: Int64s, ends: Int64s) -> tuple[Int64s, Int64s]:
    """For each piece, where its values begin and end in a column."""
    at = np.concatenate((firsts, ends)).astype(np.uint32)  # of the same type: no copy of the rows
    lows, highs = np.split(np.searchsorted(rows, at), 2)
    return lows, highs


def _pieces_of(
    field_type: FieldType, values: pa.Array, lows: Int64s, highs: Int64s
) -> list[tuple[memoryview, list[int], list[int]]]:
    """Each part of `_canonical_values`, with where each piece begins and ends in it."""
    parts = list(map(_as_bytes, _canonical_values(field_type, values)))
    if field_type not in (FieldType.STRING, FieldType.JSON):
        size = 1 if field_type is FieldType.BOOL else _NUMBER_BYTES
        return [(parts[0], (lows * size).tolist(), (highs * size).tolist())]
    found = [(parts[0], (lows * 4).tolist(), (highs * 4).tolist())]
    if len(parts) > 1:  # texts may have no bytes at all
        offsets = texts_of(values).offsets
        begins, ends = offsets[lows] - offsets[0], offsets[highs] - offsets[0]
        found.append((parts[1], begins.tolist(), ends.tolist()))
    return found


def _ordered(data: bytearray, size: int, *, unique: bool = False) -> bytes:
    """Pieces of `size` bytes, a multiple of 8, in ascending order."""
    if not data:
        return b""
    words = np.frombuffer(data, ">u8").astype(np.uint64).reshape(-1, size // 8)
    words = words[np.lexsort(words.T[::-1])]
    if unique:
        words = words[np.append(True, (words[1:] != words[:-1]).any(axis=1))]
    return words.astype(">u8").tobytes()


def _canonical_values(field_type: FieldType, values: pa.Array) -> Iterable[bytes | memoryview]:
    """The values' canonical bytes in one or more parts."""
    if field_type in (FieldType.STRING, FieldType.JSON):
        _, offsets_buffer, data = values.buffers()
        offsets = np.frombuffer(offsets_buffer, "<i8")[values.offset :][: len(values) + 1]
        yield np.diff(offsets.astype("<u4")).data  # exact, as no text has 4 GiB
        if data is not None:
            yield memoryview(data)[int(offsets[0]) : int(offsets[-1])]
    elif field_type is FieldType.BOOL:
        yield values.to_numpy(zero_copy_only=False).astype(np.uint8).data
    else:
        begin = values.offset * _NUMBER_BYTES
        yield memoryview(values.buffers()[1])[begin : begin + len(values) * _NUMBER_BYTES]


def _canonical_bounds(gathered: Gathered) -> tuple[npt.NDArray[np.int64], ...]:
    """Start of each column in each part of `_canonical_values`, and the end of the last one."""
    if gathered.type not in (FieldType.STRING, FieldType.JSON):
        size = 1 if gathered.type is FieldType.BOOL else _NUMBER_BYTES
        return (gathered.starts * size,)
    begins = texts_of(gathered.values).offsets[gathered.starts]
    return gathered.starts * 4, begins - begins[0]


def _as_bytes(part: bytes | memoryview) -> memoryview:
    whole = memoryview(part)
    return whole.cast("B") if whole.nbytes else memoryview(b"")


def block_digest(block: ColumnBlock) -> str:
    """The digest of a segment that holds exactly this block's rows."""
    return digest_of(block, block.columns, PackedKeys.of(()), ())


def digest_of(
    block: ColumnBlock,
    own: Mapping[ColumnKey, SparseColumn],
    keys: PackedKeys,
    gathered: Iterable[Gathered],
) -> str:
    """As `block_digest`, for a block with these columns. keys: keys of the gathered columns."""
    digester = Digester(block.rows)
    digester.add_system(TIME, block.time_ns)
    digester.add_system(RATE, block.rate)
    digester.add_system(OFFSET, block.offset)
    digester.add_system(INDEX_IN_RECORD, block.index_in_record)
    for key, column in own.items():
        digester.add_field(key, column)
    for one in gathered:
        digester.add_many(keys, one)
    return digester.text()
