"""The columns of the datasets in this indexer's partitions, page by page, and their summaries.

Names are scanned in place, in live blocks and footers, and only names of a page become objects:
work grows with the segments and the page, memory only with the page (I11).
"""

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence

import xxhash

from common import limits
from common.errors import DamagedObject, ObjectMissing, ObjectsUnavailable
from common.logs import log_event
from common.model.names import column_id
from indexer.seal.partition_reader import PartitionReader
from indexer.serve.footers import Footers
from query.cancellation import check_cancelled
from query.wire.columns import ColumnPage, ColumnsRequest, IndexedColumn, IndexedDataset
from query.wire.name_pattern import NamePattern
from segment.columns import ColumnBlock
from segment.columns.names import TYPES, PackedKeys
from segment.columns.packed import PackedColumns
from snapshot.cache import SegmentCache
from snapshot.documents.manifest import SegmentEntry

_THOROUGH = 32  # a single dataset may read this many times the footers of one in a list
logger = logging.getLogger(__name__)
Source = tuple[PackedKeys, int, int]  # keys in order; first and last append time


class ColumnListing:
    """Reads the partitions of this indexer. Every method blocks."""

    def __init__(
        self, partitions: Mapping[int, PartitionReader], footers: Footers, cache: SegmentCache
    ) -> None:
        self._partitions = partitions
        self._footers = footers
        self._cache = cache

    def page(self, asked: ColumnsRequest) -> ColumnPage:
        """The page; empty if no column matches."""
        name = asked.name
        if asked.id is not None or asked.sha256 is not None:
            name = self._find(asked)
            if name is None:
                return ColumnPage([])
        size = max(1, min(asked.size, limits.COLUMNS_PAGE_MAX))
        page = _Page(asked.after, size, name, NamePattern(asked.pattern))
        for source in self._sources(asked.dataset):
            page.add(*source)
        return page.build()

    def datasets(self, wanted: Sequence[str], thorough: bool = False) -> dict[str, IndexedDataset]:
        """A summary of each of these datasets, except those without data here."""
        names_left = limits.COLUMNS_COUNTED_MAX
        footers_left = limits.FOOTERS_COUNTED_MAX * (_THOROUGH if thorough else 1)
        found: dict[str, IndexedDataset] = {}
        for dataset in wanted:
            check_cancelled()
            last_ns = self._last_ns(dataset)
            if not last_ns:
                continue
            unread = sum(1 for entry in self._entries(dataset) if not self._is_known(entry))
            names: set[int] | None = None
            if unread <= footers_left:
                footers_left -= unread
                names = self._hashes(dataset, names_left)
            names_left -= 0 if names is None else len(names)
            found[dataset] = IndexedDataset(last_ns, None if names is None else sorted(names))
        return found

    def _hashes(self, dataset: str, at_most: int) -> set[int] | None:
        found: set[int] = set()
        for keys, _, _ in self._sources(dataset):
            if len(keys) > at_most * len(TYPES):
                return None
            found.update(xxhash.xxh3_64_intdigest(keys.raw(at)) for at in range(len(keys)))
            if len(found) > at_most:
                return None
        return found

    def _find(self, asked: ColumnsRequest) -> str | None:
        begin = (asked.after or "").encode()
        for keys, _, _ in self._sources(asked.dataset):
            for index in range(keys.first_from(begin), len(keys)):
                name = keys.raw(index)
                if asked.sha256 is not None:
                    if not name.startswith(begin):
                        break
                    if hashlib.sha256(name).hexdigest() == asked.sha256:
                        return name.decode()
                elif column_id(asked.dataset, name.decode()) == asked.id:
                    return name.decode()
        return None

    def _last_ns(self, dataset: str) -> int:
        last_ns = 0
        for partition in list(self._partitions.values()):
            view = partition.view
            if view is not None:
                for entry, _ in view.served_of(dataset):
                    last_ns = max(last_ns, entry.append_max_ns)
                for rows in view.live.of(dataset):
                    last_ns = max(last_ns, rows.append_max_ns)
        return last_ns

    def _entries(self, dataset: str) -> Iterator[SegmentEntry]:
        for partition in list(self._partitions.values()):
            if partition.view is not None:
                yield from (one.entry for one in partition.view.served_of(dataset))

    def _is_known(self, entry: SegmentEntry) -> bool:
        return self._footers.known(entry.object) is not None

    def _sources(self, dataset: str) -> Iterator[Source]:
        """Keys of live rows, then of segments: live rows may become a segment meanwhile."""
        for partition in list(self._partitions.values()):
            view = partition.view
            if view is None:
                continue
            for rows in view.live.of(dataset):
                for block in rows.blocks:
                    yield _keys_of(block), rows.append_min_ns, rows.append_max_ns
            for entry, _ in view.served_of(dataset):
                check_cancelled()
                for keys in self._keys_in(entry):
                    yield keys, entry.append_min_ns, entry.append_max_ns

    def _keys_in(self, entry: SegmentEntry) -> tuple[PackedKeys, ...]:
        self._cache.lease((entry.object,))
        try:
            footer = self._footers.read(entry.location, self._cache)
        except (DamagedObject, ObjectMissing, ObjectsUnavailable, OSError) as error:
            text = "columns of a segment are unknown"
            log_event(logger, logging.WARNING, text, object=entry.object, why=str(error))
            return ()
        finally:
            self._cache.release((entry.object,))
        return footer.own, footer.overflow


class _Page:
    """A page being built: the first names after a given one that match a pattern, or a single name,
    with the types and times of each.
    """

    def __init__(
        self, after: str | None, size: int, only: str | None, pattern: NamePattern
    ) -> None:
        self._pattern = pattern
        self._from = b"" if after is None else after.encode() + b"\0"  # the next possible name
        self._only = None if only is None else only.encode()
        self._size = size
        self._seen: dict[bytes, list[int]] = {}  # types as bits, first, last append time
        self._bytes = 0
        self._end: bytes | None = None  # later names belong to the next page
        self._more = False

    def add(self, keys: PackedKeys, first_ns: int, last_ns: int) -> None:
        """Add the keys of one source."""
        begin = self._from if self._only is None else self._only
        for index in range(keys.first_from(begin), len(keys)):
            name = keys.raw(index)
            if self._only is not None and name != self._only:
                break
            if self._end is not None and name > self._end:
                self._more = True
                break
            bit = 1 << int(keys.types[index])
            seen = self._seen.get(name)
            if seen is None and not self._pattern.matches(name):
                continue
            if seen is None:
                self._seen[name] = [bit, first_ns, last_ns]
                self._bytes += len(name)
                if len(self._seen) > 2 * self._size or (
                    self._bytes > 2 * limits.COLUMNS_PAGE_BYTES_MAX
                ):
                    self._cut()
            else:
                seen[0] |= bit
                seen[1], seen[2] = min(seen[1], first_ns), max(seen[2], last_ns)

    def _cut(self) -> None:
        """Keep the names that fit into a page."""
        kept, size = 0, 0
        names = sorted(self._seen)
        for name in names[: self._size]:
            size += len(name)
            if kept and size > limits.COLUMNS_PAGE_BYTES_MAX:
                break
            kept += 1
        if kept < len(names):
            self._more = True
            self._end = names[kept - 1]
            self._seen = {name: self._seen[name] for name in names[:kept]}
            self._bytes = sum(map(len, self._seen))

    def build(self) -> ColumnPage:
        """The page."""
        self._cut()
        columns = [
            IndexedColumn(
                name.decode(),
                [one.value for number, one in enumerate(TYPES) if types >> number & 1],
                first_ns,
                last_ns,
            )
            for name, (types, first_ns, last_ns) in sorted(self._seen.items())
        ]
        return ColumnPage(columns, self._more)


def _keys_of(block: ColumnBlock) -> PackedKeys:
    columns = block.columns
    if isinstance(columns, PackedColumns):
        return columns.packed_keys
    return PackedKeys.of(sorted(columns))
