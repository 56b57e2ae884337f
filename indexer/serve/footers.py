"""The columns of segments, from their footers: cached in memory within a bound (I11)."""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple
from weakref import WeakValueDictionary

import numpy as np

from common import limits
from common.metrics import footer_cache_bytes
from segment.columns import ColumnKey, FieldType
from segment.columns.names import TYPES, PackedKeys
from segment.columns.segment_read import SegmentReader
from snapshot.cache import SegmentCache
from snapshot.documents.locations import SegmentLocation

_TEXTS = [TYPES.index(one) for one in (FieldType.STRING, FieldType.JSON)]
_ENTRY_BYTES = 1_000  # for a segment without columns: hash, cache entry, objects


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Footer:
    """The column keys of a segment, sorted.

    own: keys of columns that are Parquet columns.
    overflow: keys of columns inside the overflow column.
    """

    own: PackedKeys
    overflow: PackedKeys

    @property
    def content(self) -> bytes:
        """32 bytes, the same for footers with the same keys."""
        return self.own.digest() + self.overflow.digest()

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return self.own.nbytes + self.overflow.nbytes + _ENTRY_BYTES

    def columns_of(self, fields: Iterable[str], *, texts: bool = False) -> "ColumnsOf":
        """The keys of these fields. texts: see `ViewRequest`."""
        found = ColumnsOf(_of(self.own, fields), _of(self.overflow, fields))
        if not texts:
            return found
        return ColumnsOf(
            found.own.union(map(self.own.at, _texts(self.own))),
            found.overflow.union(map(self.overflow.at, _texts(self.overflow)[:1])),
        )


class ColumnsOf(NamedTuple):
    """Column keys of some fields: those that are Parquet columns, those in the overflow column."""

    own: frozenset[ColumnKey]
    overflow: frozenset[ColumnKey]


def _texts(keys: PackedKeys) -> list[int]:
    """Indexes of the keys of texts."""
    found: list[int] = np.flatnonzero(np.isin(keys.types, _TEXTS)).tolist()
    return found


def _of(keys: PackedKeys, fields: Iterable[str]) -> frozenset[ColumnKey]:
    if not len(keys):
        return frozenset()
    wanted = (ColumnKey(field, field_type) for field in fields for field_type in FieldType)
    return frozenset(key for key in wanted if keys.find(key) >= 0)


class Footers:
    """Footers of segments, the most recently used ones in memory. Safe to use from threads."""

    def __init__(self, bytes_max: int = limits.FOOTERS_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._known: OrderedDict[str, Footer] = OrderedDict()
        # Segments of a dataset mostly have the same columns: one object for all of them.
        self._alike: WeakValueDictionary[bytes, Footer] = WeakValueDictionary()
        self._lock = threading.Lock()
        self.bytes_held = 0

    def known(self, object_hash: str) -> Footer | None:
        """A segment's footer, if it is in memory."""
        with self._lock:
            found = self._known.get(object_hash)
            if found is not None:
                self._known.move_to_end(object_hash)
            return found

    def read(self, location: SegmentLocation, cache: SegmentCache) -> Footer:
        """A segment's footer. Blocks. Raises as `SegmentCache.ensure` does."""
        object_hash = location.object_hash
        found = self.known(object_hash)
        if found is not None:
            return found
        with SegmentReader(cache.ensure(location)) as reader:
            footer = Footer(PackedKeys.of(sorted(reader.columns)), reader.overflow_keys)
        with self._lock:
            footer = self._alike.setdefault(footer.content, footer)
            if object_hash not in self._known and footer.nbytes <= self._bytes_max:
                self._known[object_hash] = footer
                self.bytes_held += footer.nbytes
            while self.bytes_held > self._bytes_max:
                _, evicted = self._known.popitem(last=False)
                self.bytes_held -= evicted.nbytes
            footer_cache_bytes.set(self.bytes_held)
        return footer
