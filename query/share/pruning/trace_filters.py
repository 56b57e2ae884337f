"""Bloom filters of the ids of traces in memory, by which a lookup leaves segments out unopened.

A trace may be in any segment of any time. To read one block of the filter in each file takes 20 us
and to open each file ten times as long; in memory, 5,000 segments take 2 ms in all. A filter is
read when a lookup opens its segment for the first time; a segment never changes, so that nothing
held becomes wrong. An answer never depends on it: filters never miss a text that is there.
"""

import threading
from collections.abc import Collection, Iterable, Sequence
from itertools import repeat
from pathlib import Path
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from segment.columns import ColumnKey, FieldType
from segment.parquet.bloom import TextHash, blocks_of, find_filter, hash_text

# The filters of some 30 million ids: a byte and a half to three bytes of each.
HELD_BYTES_MAX: Final = 64 * 2**20
_BLOCK_BYTES: Final = 32
_BLOCKS_FIRST: Final = 1_024
_FORGOTTEN_AFTER: Final = 100  # lookups, until a full room is emptied: segments have gone meanwhile
_NOT_KNOWN: Final = -1  # in place of the index of a segment's filter
_NOT_THERE: Final = -2  # no row has any of the fields


class TextLookup(NamedTuple):
    """Texts of which an event must have one in one of some fields, for a row to match."""

    fields: tuple[str, ...]
    texts: tuple[TextHash, ...]

    @classmethod
    def of(cls, fields: Iterable[str], texts: Iterable[str]) -> Self:
        """The lookup of these texts."""
        hashes = (hash_text(text.encode("utf-8", "surrogatepass")) for text in texts)
        return cls(tuple(fields), tuple(hashes))


class TraceFilters:
    """The filters held, of at most `bytes_max`. Safe to use from several threads."""

    def __init__(self, bytes_max: int = HELD_BYTES_MAX) -> None:
        self._blocks_max = bytes_max // _BLOCK_BYTES
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        self._words = np.zeros((min(_BLOCKS_FIRST, self._blocks_max), 8), np.uint32)
        self._used = 0  # blocks
        self._first, self._blocks = list[int](), list[int]()  # of each filter
        # by fields, of each segment the index of its filter
        self._known: dict[tuple[str, ...], dict[str, int]] = {}
        self._lookups = 0

    @property
    def bytes_held(self) -> int:
        """Bytes of the filters."""
        return self._used * _BLOCK_BYTES

    def ruled_out(self, object_hashes: Sequence[str], wanted: TextLookup) -> list[bool]:
        """For each segment, whether it is known that no row of it can match."""
        with self._lock:
            self._lookups += 1
            known = self._known.get(wanted.fields)
            if known is None or not object_hashes:
                return [False] * len(object_hashes)
            found = map(known.get, object_hashes, repeat(_NOT_KNOWN))
            at = np.fromiter(found, np.int64, len(object_hashes))
            first = np.array([*self._first, 0], np.uint64)
            blocks = np.array([*self._blocks, 1], np.uint64)
            words = self._words  # rows that were written are never written again
        may = at == _NOT_KNOWN
        has_filter = at >= 0
        chosen = np.where(has_filter, at, len(first) - 1)
        for text in wanted.texts:
            held = words[blocks_of(text, first[chosen], blocks[chosen])]
            may |= has_filter & ((held & text.bits) == text.bits).all(axis=1)
        return [bool(one) for one in ~may]

    def learn(
        self,
        object_hash: str,
        path: Path,
        columns: Collection[ColumnKey],
        overflow: Collection[ColumnKey],
        wanted: TextLookup,
    ) -> None:
        """Read a segment's filter, unless it is held. columns, overflow: those of its fields.

        A segment with texts in two of the fields, or with values that have no filter, is never
        ruled out.
        """
        if object_hash in self._known.get(wanted.fields, ()):
            return
        named = set(wanted.fields)
        own = [key for key in columns if key.field in named]
        if any(key.field in named for key in overflow) or len(own) > 1:
            return
        if not own:
            with self._lock:
                self._known.setdefault(wanted.fields, {})[object_hash] = _NOT_THERE
            return
        words = _read(path, own[0]) if own[0].type is FieldType.STRING else None
        if words is not None:
            with self._lock:
                self._keep(object_hash, wanted.fields, words)

    def _keep(
        self, object_hash: str, fields: tuple[str, ...], words: npt.NDArray[np.uint32]
    ) -> None:
        end = self._used + len(words)
        if end > self._blocks_max:
            if self._lookups < _FORGOTTEN_AFTER or len(words) > self._blocks_max:
                return
            self._clear()
            end = len(words)
        if end > len(self._words):
            larger = np.zeros((min(max(2 * len(self._words), end), self._blocks_max), 8), np.uint32)
            larger[: self._used] = self._words[: self._used]
            self._words = larger
        self._words[self._used : end] = words
        self._known.setdefault(fields, {})[object_hash] = len(self._first)
        self._first.append(self._used)
        self._blocks.append(len(words))
        self._used = end


def _read(path: Path, key: ColumnKey) -> npt.NDArray[np.uint32] | None:
    """The filter of a column that has one for all of its values."""
    try:
        metadata = pq.read_metadata(path)
        if metadata.num_row_groups != 1 or key.physical not in metadata.schema.names:
            return None
        chunk = metadata.row_group(0).column(metadata.schema.names.index(key.physical))
        if chunk.bloom_filter_offset is None or chunk.bloom_filter_length is None:
            return None
        placed = find_filter(str(path), chunk.bloom_filter_offset, chunk.bloom_filter_length)
        return None if placed is None else placed.words()
    except (pa.ArrowException, OSError, ValueError):
        return None  # whoever reads the segment reports it
