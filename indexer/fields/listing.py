"""The facts of a dataset's fields in this indexer's partitions: a page, or one field's values.

Summaries in memory, live rows, and segments without a summary that are small and on this disk: the
values of so many of those as one question may look at; what is not known yet is counted.
"""

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from common import limits
from common.errors import DamagedObject
from common.logs import log_event
from indexer.fields.known import Known, KnownFacts, groups
from indexer.fields.of_source import (
    Times,
    counts_of_block,
    facts_of_block,
    facts_of_columns,
    facts_of_small,
    facts_of_summary,
)
from indexer.fields.prefix import values_of_block, with_prefix
from indexer.fields.sizes import facts_without_values, stored_columns
from indexer.seal.partition_reader import PartitionReader
from indexer.state.view import PartitionView
from indexer.upkeep.summaries.held import HeldSummaries
from query.cancellation import check_cancelled
from query.wire.field_facts import (
    FieldFacts,
    FieldFactsPage,
    FieldFactsRequest,
    SourceCoverage,
    merge_facts,
    page_of,
)
from segment.columns import ColumnBlock, ColumnKey, FieldType
from segment.parquet.selected import SelectedEncoders
from segment.summary.summary import NoSummary, SegmentSummary
from snapshot.cache import SegmentCache
from snapshot.documents.manifest import SegmentEntry

_VALUE_BYTES: Final = 4  # of a small segment's bytes, for each value that it may have
logger = logging.getLogger(__name__)


class _Room:
    """How many values one question may still look at for the first time."""

    def __init__(self) -> None:
        self._left = limits.FIELD_FACTS_VALUES_READ

    def take(self, values: int) -> bool:
        """Whether so many may be looked at; the first source always may."""
        if values > self._left < limits.FIELD_FACTS_VALUES_READ:
            return False
        self._left -= values
        return True


class FieldFactsListing:
    """Reads the partitions of this indexer. Every method blocks."""

    def __init__(
        self,
        partitions: Mapping[int, PartitionReader],
        summaries: HeldSummaries,
        cache: SegmentCache,
        encoders: SelectedEncoders,
    ) -> None:
        self._partitions = partitions
        self._summaries = summaries
        self._cache = cache
        self._encoders = encoders
        self._known = KnownFacts()

    def page(self, wanted: FieldFactsRequest) -> FieldFactsPage:
        """A page of fields."""
        covered, sources, room = list[SourceCoverage](), list[Sequence[FieldFacts]](), _Room()
        for number in wanted.partitions:
            view = self._view(number)
            if view is None:
                continue
            sealed, unread = self._sealed(view, wanted.dataset, room)
            sources += [sealed.fields, self._live(view, number, wanted.dataset, room).fields]
            covered.append(_covered(view, number, wanted.dataset, unread))
        some = [one for one in sources if one]
        merged = some[0] if len(some) == 1 else merge_facts(some)
        fields, more = page_of(merged, wanted)
        return FieldFactsPage(covered, fields, more)

    def learn(self, partition: int, dataset: str) -> None:
        """Put together what is known of the segments of a partition, before anybody asks: of 2,000
        fields that takes 30 ms per segment.
        """
        view = self._view(partition)
        if view is not None:
            self._sealed(view, dataset, _Room())

    def values(self, wanted: FieldFactsRequest) -> FieldFactsPage:
        """The facts of one field, with the values that begin with a prefix."""
        name, room = wanted.name or "", _Room()
        covered, sources = list[SourceCoverage](), list[Sequence[FieldFacts]]()
        for number in wanted.partitions:
            view = self._view(number)
            if view is None:
                continue
            unread = 0
            for one in view.served_of(wanted.dataset):
                check_cancelled()
                found = self._of_field(one.entry, name, room)
                if found is None:
                    unread += one.entry.rows
                else:
                    sources.append(found)
            for rows in view.live.of(wanted.dataset):
                times = Times(rows.append_min_ns, rows.append_max_ns)
                for block in reversed(rows.blocks):
                    sources.append(values_of_block(block, name, wanted.prefix, times, room.take))
            covered.append(_covered(view, number, wanted.dataset, unread))
        begun = (with_prefix(some, wanted.prefix) for some in sources)
        return FieldFactsPage(covered, merge_facts(begun, limits.FIELD_VALUES_MAX))

    def _of_field(self, entry: SegmentEntry, name: str, room: _Room) -> Sequence[FieldFacts] | None:
        """The facts of one field in a segment; None: nothing is known of the segment now."""
        summary = self._summaries.known(entry.object)
        if summary is None:
            every = self._segment(entry, room)
            return every if every is None else [one for one in every if one.name == name]
        keys = [ColumnKey(name, one) for one in FieldType]
        columns = [(key, summary.column(key)) for key in keys]
        some = [(key, column) for key, column in columns if column is not None]
        return facts_of_columns(some, Times(entry.append_min_ns, entry.append_max_ns))

    def _view(self, number: int) -> PartitionView | None:
        partition = self._partitions.get(number)
        return None if partition is None else partition.view

    def _sealed(self, view: PartitionView, dataset: str, room: _Room) -> tuple[Known, int]:
        """(the facts of all segments, events of those of which nothing is known)."""
        entries = [one.entry for one in view.served_of(dataset)]
        unread = 0

        def group(some: Sequence[SegmentEntry]) -> Known:
            nonlocal unread
            found, whole = list[Sequence[FieldFacts]](), True
            for entry in some:
                check_cancelled()
                known = self._segment(entry, room)
                whole = whole and known is not None
                if known is None:
                    unread += entry.rows
                else:
                    found.append(known)
            return Known(merge_facts(found), whole)

        def every() -> Known:
            parts = [
                self._known.of(tuple(one.object for one in some), partial(group, some))
                for some in groups(entries)
            ]
            merged = merge_facts(part.fields for part in parts) if len(parts) != 1 else None
            fields = parts[0].fields if merged is None else merged
            return Known(fields, all(part.whole for part in parts))

        names = tuple(entry.object for entry in entries)
        return self._known.of((dataset, names), every), unread

    def _segment(self, entry: SegmentEntry, room: _Room) -> Sequence[FieldFacts] | None:
        """The facts of a segment; None: nothing is known here now."""
        times = Times(entry.append_min_ns, entry.append_max_ns)
        summary = self._summaries.known(entry.object)
        try:
            if summary is not None:
                return self._summarized(entry, summary, times)
            found = self._known.of(entry.object, lambda: self._small(entry, times, room))
            return found.fields if found.whole else None
        except (DamagedObject, NoSummary, OSError) as error:
            text = "facts of a segment are unknown"
            log_event(logger, logging.WARNING, text, object=entry.object, why=str(error))
            return None

    def _small(self, entry: SegmentEntry, times: Times, room: _Room) -> Known:
        data = self._bytes(entry)
        if data is None or not room.take(len(data) // _VALUE_BYTES):
            return Known((), whole=False)
        return Known(facts_of_small(data, times, self._encoders.now))

    def _bytes(self, entry: SegmentEntry) -> bytes | None:
        """The bytes of a segment that is small and on this disk; None: it is not."""
        if entry.size_bytes > limits.FIELD_FACTS_SEGMENT_BYTES:
            return None
        if not self._cache.holds(entry.location):
            return None
        if entry.pack:
            return self._cache.packed(entry.location)
        self._cache.lease((entry.object,))
        try:
            file = self._cache.local(entry.location)
            return None if file is None else file.read_bytes()
        finally:
            self._cache.release((entry.object,))

    def _summarized(
        self, entry: SegmentEntry, summary: SegmentSummary, times: Times
    ) -> Sequence[FieldFacts]:
        """Facts of a segment with a summary, with the bytes of its columns if it is on this disk;
        else those of its values count. Raises DamagedObject, NoSummary.
        """
        if not self._cache.holds(entry.location):
            return facts_of_summary(summary, times, {})
        self._cache.lease((entry.object,))
        try:
            file = self._cache.local(entry.location)
            if file is None:
                return facts_of_summary(summary, times, {})
            columns = stored_columns(file)
            sizes = {name: column.size_bytes for name, column in columns.items()}
            found = facts_of_summary(summary, times, sizes)
            if summary.complete:
                return found
            return merge_facts([found, facts_without_values(file, columns, summary.keys, times)])
        finally:
            self._cache.release((entry.object,))

    def _live(self, view: PartitionView, number: int, dataset: str, room: _Room) -> Known:
        """The facts of live rows; of those with too many values for now only their numbers."""
        found: list[Known] = []
        place = number, view.epoch.number, dataset
        for rows in view.live.of(dataset):
            times = Times(rows.append_min_ns, rows.append_max_ns)
            for block in reversed(rows.blocks):  # the newest first
                check_cancelled()
                found.append(self._block(place, block, times, room))
        fields = found[0].fields if len(found) == 1 else merge_facts(one.fields for one in found)
        return Known(fields)

    def _block(
        self, place: tuple[int, int, str], block: ColumnBlock, times: Times, room: _Room
    ) -> Known:
        first, last = int(block.offset[0]), int(block.offset[-1])
        name = *place, first, int(block.index_in_record[0]), last, block.rows
        return self._known.of(name, lambda: self._of_block(block, times, room))

    def _of_block(self, block: ColumnBlock, times: Times, room: _Room) -> Known:
        values = sum(len(column.rows) for column in block.columns.values())
        if room.take(values + limits.FIELD_FACTS_COLUMN_VALUES * len(block.columns)):
            return Known(facts_of_block(block, times, self._encoders.now))
        return Known(counts_of_block(block, times), whole=False)


def _covered(view: PartitionView, number: int, dataset: str, unread: int) -> SourceCoverage:
    entries = [one.entry for one in view.served_of(dataset)]
    live = view.live.of(dataset)
    live_rows = sum(rows.rows for rows in live)
    firsts = [e.append_min_ns for e in entries] + [rows.append_min_ns for rows in live]
    lasts = [e.append_max_ns for e in entries] + [rows.append_max_ns for rows in live]
    return SourceCoverage(
        number,
        sum(entry.rows for entry in entries) + live_rows,
        sum(entry.size_bytes for entry in entries),
        live_rows,
        unread,
        min(firsts, default=0),
        max(lasts, default=0),
    )
