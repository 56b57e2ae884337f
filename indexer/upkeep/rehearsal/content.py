"""The content of a partition up to one position, as digests that indexers can compare (I3).

Segments before `first`, where a manifest ends, are compared by the digests in their manifests. Rows
of records from `first` up to `end` are hashed anew, wherever they are: an indexer may hold them as
live rows while another has sealed them. Both are positions of the log, so it does not matter how
far an indexer has read beyond.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from common import limits
from common.errors import BadRequest
from common.process.versions import VersionedRequest
from indexer.state.view import PartitionView
from segment.columns import ColumnBlock, select
from segment.columns.digest import block_digest
from segment.columns.gather import joined
from segment.columns.segment_read import SegmentReader
from snapshot.cache import SegmentCache
from snapshot.documents.manifest import SegmentEntry
from snapshot.objects_of import Hiding

PATH = "/internal/content"
_DIFFERENCES_MAX = 20  # that one comparison names


class ContentRequest(VersionedRequest, frozen=True, kw_only=True):
    """A request for the content of a partition.

    log: id of the log. epoch_number, first, end: positions, see above.
    wait_ms: how long to wait until the partition has reached `end`.
    """

    partition: int
    log: str
    epoch_number: int
    first: int
    end: int
    wait_ms: int


class Counted(msgspec.Struct, frozen=True):
    """A number of rows and the digest of their content."""

    rows: int
    digest: str


class PartitionContent(msgspec.Struct, frozen=True, kw_only=True):
    """The content of a partition.

    end_offset: up to which the indexer has read: at least the position that was asked for.
    retention: number of the newest retention document that it has applied.
    deleted: deleted datasets, and the position before which their rows are hidden.
    published: by dataset, its segments before `first`.
    recent: by dataset and whether its rows are late or early (`<dataset> late`), rows from `first`
    up to `end`.
    """

    end_offset: int
    retention: int
    deleted: dict[str, tuple[int, int]]
    published: dict[str, Counted]
    recent: dict[str, Counted]
    version: int = 1


class _Range(NamedTuple):
    first: int
    end: int


def content_of(
    view: PartitionView, request: ContentRequest, retention: int, cache: SegmentCache
) -> PartitionContent:
    """The content of a view that has reached `request.end`. Blocks.

    Raises BadRequest if there are too many recent rows, DamagedObject, ObjectMissing,
    ObjectsUnavailable, OSError.
    """
    start = (request.epoch_number, request.first)
    hiding = view.hiding
    published: dict[str, Counted] = {}
    recent: dict[str, list[ColumnBlock]] = {}
    read = _RecentRows(cache, hiding, _Range(request.first, request.end))
    for dataset, entries in view.segments.items():
        shown = [one for one in entries if not hiding.hides(one)]
        before = [one for one in shown if (one.epoch_number, one.end_offset) <= start]
        if before:
            published[dataset] = _published(before, hiding)
        for one in shown:
            if (one.epoch_number, one.end_offset) > start:
                recent.setdefault(_name(dataset, late=one.far), []).append(read.of_segment(one))
    for dataset in view.live.datasets:
        for block in view.live.blocks(dataset):
            for late in (False, True):
                rows = read.of_block(block, late=late)
                recent.setdefault(_name(dataset, late=late), []).append(rows)
    return PartitionContent(
        end_offset=view.live.end_offset,
        retention=retention,
        deleted={
            name: (one.epoch_number, one.offset) for name, one in view.dataset_tombstones.items()
        },
        published=published,
        recent={
            name: Counted(sum(block.rows for block in blocks), block_digest(joined(blocks)))
            for name, blocks in ((n, [b for b in some if b.rows]) for n, some in recent.items())
            if blocks
        },
    )


def _name(dataset: str, *, late: bool) -> str:
    return f"{dataset} late" if late else dataset


def _published(entries: Sequence[SegmentEntry], hiding: Hiding) -> Counted:
    """By what the manifests say: two indexers may hold segments of different writers' bytes."""
    hasher = hashlib.sha256()
    for one in sorted(entries, key=lambda e: (e.epoch_number, e.end_offset, e.far, e.digest)):
        place = (one.epoch_number, one.first_offset, one.end_offset, one.rows, one.far)
        hasher.update(f"{place} {one.digest} {hiding.visible(one)}\n".encode())
    return Counted(sum(one.rows for one in entries), hasher.hexdigest())


class _RecentRows:
    """Reads rows within a range of offsets; at most REHEARSED_ROWS_MAX in all."""

    def __init__(self, cache: SegmentCache, hiding: Hiding, offsets: _Range) -> None:
        self._cache = cache
        self._hiding = hiding
        self._offsets = offsets
        self._left = limits.REHEARSED_ROWS_MAX

    def of_segment(self, entry: SegmentEntry) -> ColumnBlock:
        """The shown rows of a segment within the range."""
        self._take(entry.rows)
        self._cache.lease([entry.object])
        try:
            with SegmentReader(self._cache.ensure(entry.location)) as reader:
                block = reader.block()
        finally:
            self._cache.release([entry.object])
        shown = np.zeros(block.rows, np.bool_)
        for first, end in self._hiding.visible(entry) or ((entry.first_offset, entry.end_offset),):
            shown |= (block.offset >= first) & (block.offset < end)
        return select(block, shown & self._inside(block))

    def of_block(self, block: ColumnBlock, *, late: bool) -> ColumnBlock:
        """The rows of live rows within the range that are late or early, or those that are not."""
        if not late:
            self._take(block.rows)
        is_wanted = block.late_or_early if late else ~block.late_or_early
        return select(block, is_wanted & self._inside(block))

    def _inside(self, block: ColumnBlock) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        first, end = self._offsets
        return (block.offset >= first) & (block.offset < end)

    def _take(self, rows: int) -> None:
        self._left -= rows
        if self._left < 0:
            raise BadRequest(
                f"more than {limits.REHEARSED_ROWS_MAX:,} rows are in no manifest that the "
                "rehearsal began with: too many to compare"
            )


def differences(ours: PartitionContent, theirs: PartitionContent) -> Iterator[str]:
    """What differs, in words; at most a few.

    Datasets that only one of them knows as deleted, or up to another position, are left out: one
    has read further.
    """
    skipped = {name for name, at in {*ours.deleted.items()} ^ {*theirs.deleted.items()}}
    found = 0
    for kind, one, other in (
        ("published segments", ours.published, theirs.published),
        ("rows that no manifest covered", ours.recent, theirs.recent),
    ):
        for name in sorted({*one, *other}):
            if name.partition(" ")[0] in skipped or one.get(name) == other.get(name):
                continue
            found += 1
            if found > _DIFFERENCES_MAX:
                yield "and more"
                return
            yield f"{kind} of dataset {name}: {_text(one.get(name))}, not {_text(other.get(name))}"


def _text(counted: Counted | None) -> str:
    return "none" if counted is None else f"{counted.rows:,} rows, digest {counted.digest[:14]}"
