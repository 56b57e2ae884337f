"""Makes the summaries that segments lack, and loads the others, in a thread of low priority.

Segments in packs and those of few rows that are not large have none: a question reads them from
memory, and compaction puts them together. A summary is asked of the store once; if it is missing,
the first of the partition's indexers makes it, the other after a delay. A store that is down delays
this and no more.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple, TypeVar

from common.errors import BellwetherError, ObjectsUnavailable
from common.logs import log_event
from common.metrics import (
    summaries_made_total,
    summaries_missing,
    summary_failures_total,
    summary_seconds_total,
)
from common.tasks import run_every
from indexer.partition.partition import Partition
from indexer.partition.shared import Shared
from indexer.state.view import PartitionView
from indexer.upkeep.compaction.budget import RequestBudget
from indexer.upkeep.compaction.quiet_thread import QuietThread
from indexer.upkeep.compaction.turns import Turns
from indexer.upkeep.summaries.held import HeldSummaries
from segment.summary.summary import SegmentSummary
from snapshot.documents.manifest import SegmentEntry
from snapshot.summaries import (
    SUMMARY_ROWS_MIN,
    load_summary,
    make_summary,
    may_have_summary,
)

_ROUND_S: Final = 5.0
_AGAIN_NS: Final = 60 * 10**9  # pause after a failure
_S_NS: Final = 10**9
_WIDE_COLUMNS: Final = 200  # what is known of fewer is put together while somebody waits
# Why no summary of a segment is held here: it is loaded or made soon; it could not be made; there
# is no room for rows as old; or the store has none and the segment is not on this disk.
_REASONS: Final = ("waiting", "failed", "no_room", "not_here")
T = TypeVar("T")
Learn = Callable[[int, str], None]
logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Missing:
    """A segment whose summary is not held.

    seen_ns: monotonic time since when it is known.
    asked: whether the store was asked for it; replaceable: as in `snapshot.summaries.Stored`.
    not_here: the store has none, and the segment is not on this disk.
    """

    entry: SegmentEntry
    partition: int
    seen_ns: int
    asked: bool = False
    replaceable: bool = False
    not_here: bool = False
    failed: bool = False


class _Published(NamedTuple):
    """A partition's view, and the segments of it that no manifest names yet."""

    number: int
    view: PartitionView
    waiting: frozenset[str]

    def shows_the_same(self, other: "_Published") -> bool:
        """Whether the same segments are read: the values are replaced, never altered."""
        one, two = self.view, other.view
        return (
            self.number == other.number
            and self.waiting == other.waiting
            and one.segments is two.segments
            and one.compacted.outputs is two.compacted.outputs
            and one.expired_objects is two.expired_objects
            and one.dataset_tombstones is two.dataset_tombstones
        )


class SummaryWorker:
    """Works until it is cancelled. Used from one event loop."""

    def __init__(
        self,
        partitions: Mapping[int, Partition],
        shared: Shared,
        held: HeldSummaries,
        rows_min: int = SUMMARY_ROWS_MIN,
        learn: Learn = lambda partition, dataset: None,
    ) -> None:
        """rows_min: segments of fewer rows get no summary. learn: called in the thread of low
        priority, with the partition and dataset of which wide segments got summaries.
        """
        context, config = shared.context, shared.config
        self._partitions = partitions
        self._shared = shared
        self._held = held
        self._rows_min = rows_min
        self._learn = learn
        self._to_learn: set[tuple[int, str]] = set()
        self._clock = context.clock
        self._thread = QuietThread(max(1, config.summary_percent) / 100)
        self._budget = RequestBudget(config.summary_requests_per_day, context.clock)
        self._turns = Turns(context.backends.locks, context.instance)
        self._missing: dict[str, _Missing] = {}
        self._why_missing: Counter[str] = Counter()
        self._looked_at: list[_Published] = []
        self._again_ns = 0
        self._made = 0
        self._waits_for = ""

    async def run(self) -> None:
        """Run rounds until cancelled."""
        if not self._shared.config.summary_percent:
            return
        try:
            await run_every(_ROUND_S, self.run_round)
        finally:
            self._thread.close()

    def describe(self) -> dict[str, object]:
        """The progress of this indexer, for the status."""
        return {
            "on": bool(self._shared.config.summary_percent),
            "held": len(self._held),
            "held_bytes": self._held.bytes_held,
            "made": self._made,
            "missing": len(self._missing),
            **{reason: self._why_missing[reason] for reason in _REASONS},
            "waits_for": self._waits_for,
            "requests": self._budget.used,
            "processor_s": round(self._thread.used_s, 3),
        }

    async def run_round(self) -> None:
        """Load or make what is missing now, the newest rows first, as far as the budgets go."""
        published = self._published()
        if not _show_the_same(published, self._looked_at):
            # there may be a million segments
            await asyncio.to_thread(self._look, published)
            self._looked_at = published
            self._count()
        if self._clock.monotonic_ns() < self._again_ns:
            return
        self._waits_for = ""
        try:
            await self._fill()
        finally:
            self._count()
        if self._to_learn:  # one of them: its pause keeps the summaries of new segments waiting
            await self._run(partial(self._learn, *self._to_learn.pop()))

    async def _fill(self) -> None:
        """Load or make what is missing, the newest rows first, as far as the budgets go."""
        ranks: dict[int, int] = {}
        newest = sorted(self._missing.values(), key=lambda one: -one.entry.append_max_ns)
        for one in newest:
            if not self._budget.has_room:
                self._waits_for = "the requests to the object store of this day are used up"
                return
            if one.failed or not self._held.wants(one.entry.append_max_ns):
                continue
            if one.partition not in ranks:
                ranks[one.partition] = await self._turns.rank(one.partition)
            try:
                await self._step(one, ranks[one.partition])
            except ObjectsUnavailable as error:
                self._again_ns = self._clock.monotonic_ns() + _AGAIN_NS
                self._failed(one, error, logging.INFO)
                return
            except (BellwetherError, OSError) as error:
                one.failed = True  # until this process restarts; repair looks after the segment
                self._failed(one, error, logging.WARNING)

    def _failed(self, one: _Missing, error: Exception, level: int) -> None:
        self._waits_for = str(error)
        summary_failures_total.inc()
        kind, name = type(error).__name__, one.entry.object
        log_event(logger, level, "no summary made now", segment=name, kind=kind, why=str(error))

    def _count(self) -> None:
        """Count what is missing, by the reason."""
        self._why_missing = Counter(map(self._reason, self._missing.values()))
        self._show_missing()

    def _reason(self, one: _Missing) -> str:
        if one.failed:
            return "failed"
        if not self._held.wants(one.entry.append_max_ns):
            return "no_room"
        return "not_here" if one.not_here else "waiting"

    def _show_missing(self) -> None:
        for reason in _REASONS:
            summaries_missing.labels(reason).set(self._why_missing[reason])

    def _published(self) -> list[_Published]:
        return [
            _Published(number, partition.view, partition.pipeline.waiting_objects)
            for number, partition in self._partitions.items()
            if partition.view is not None and partition.pipeline is not None
        ]

    def _look(self, published: Sequence[_Published]) -> None:
        """Note what is read now and has no summary here."""
        now_ns, read, missing = self._clock.monotonic_ns(), set[str](), dict[str, _Missing]()
        for one in published:
            for entry in self._entries(one):
                name = entry.object
                read.add(name)
                if self._held.known(name) is None:
                    known = self._missing.get(name)
                    missing[name] = known or _Missing(entry, one.number, now_ns)
        self._missing = missing
        self._held.retain(read)

    def _entries(self, published: _Published) -> Iterator[SegmentEntry]:
        """The published segments that may have a summary."""
        view, waiting = published.view, published.waiting
        for dataset in view.segments:
            for entry, _ in view.served_of(dataset):
                if may_have_summary(entry, self._rows_min) and entry.object not in waiting:
                    yield entry

    async def _step(self, one: _Missing, rank: int) -> None:
        """Load one summary, or make it if it is this indexer's turn. Raises ObjectsUnavailable."""
        objects, name = self._shared.context.backends.objects, one.entry.object
        waited_ns = self._clock.monotonic_ns() - one.seen_ns
        is_due = waited_ns >= rank * self._shared.config.compaction_delay_s * _S_NS
        can_make = is_due and self._shared.cache.holds(one.entry.location)
        if not one.asked or (can_make and rank):  # the other indexer may have made it meanwhile
            self._budget.use(1)
            stored = await self._run(partial(load_summary, objects, name))
            one.asked, one.replaceable = True, stored.replaceable
            if stored.summary is not None and not (can_make and stored.replaceable):
                self._hold(one, stored.summary)
                return
        one.not_here = is_due and not can_make
        if not can_make:
            return
        made = await self._run(partial(self._make, one))
        if made is not None:
            self._budget.use(1)
            self._made += 1
            summaries_made_total.inc()
            self._hold(one, made)

    def _make(self, one: _Missing) -> SegmentSummary | None:
        """Make and put the summary; None if the segment has left this disk."""
        cache, name = self._shared.cache, one.entry.object
        cache.lease([name])
        try:
            file = cache.local(one.entry.location)
            if file is None:
                return None
            objects, encoders = self._shared.context.backends.objects, self._shared.encoders.now
            return make_summary(objects, name, file, encoders, replaceable=one.replaceable)
        finally:
            cache.release([name])

    def _hold(self, one: _Missing, summary: SegmentSummary) -> None:
        reason = self._reason(one)
        self._held.add(summary, one.entry.append_max_ns)
        if self._held.known(one.entry.object) is None:
            return  # rows as old have no room
        if len(summary.keys) >= _WIDE_COLUMNS:
            self._to_learn.add((one.partition, one.entry.dataset))
        if self._missing.pop(one.entry.object, None) is not None:
            self._why_missing[reason] -= 1
            self._show_missing()

    async def _run(self, work: Callable[[], T]) -> T:
        before_s = self._thread.used_s
        try:
            return await self._thread.run(work)
        finally:
            summary_seconds_total.inc(self._thread.used_s - before_s)


def _show_the_same(some: Sequence[_Published], others: Sequence[_Published]) -> bool:
    if len(some) != len(others):
        return False
    return all(one.shows_the_same(other) for one, other in zip(some, others, strict=True))
