"""Compacts the partitions of this indexer beside their indexing, one output at a time (I2, I4).

A step of a partition chooses what to put together, makes the outputs, and publishes one document
that names them. Every output is durable and was read back before; whatever fails before the
document leaves everything as it was. The view is then replaced in one step.
"""

import asyncio
import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from common import limits
from common.errors import BellwetherError, DamagedObject, ObjectMissing, ObjectsUnavailable
from common.logs import log_event
from common.metrics import (
    compacted_rows_total,
    compaction_failures_total,
    compaction_seconds_total,
    compaction_waiting,
    compactions_total,
)
from common.process.versions import DOCUMENTS_COMPACTIONS
from common.tasks import run_every
from indexer.partition.partition import Partition
from indexer.partition.shared import Shared
from indexer.seal.partition_reader import last_manifest
from indexer.seal.pipeline import published_only
from indexer.state.view import PartitionView
from indexer.upkeep.compaction.base_writer import BaseWriter
from indexer.upkeep.compaction.budget import RequestBudget
from indexer.upkeep.compaction.quiet_thread import QuietThread
from indexer.upkeep.compaction.turns import Turns
from snapshot.compaction.choose import SIZES, Choice, Sizes, choose, span_ns
from snapshot.compaction.compacted import Compacted
from snapshot.compaction.documents import Compaction
from snapshot.compaction.merge import OutputTooLarge
from snapshot.compaction.output import Merged, OutputMaker, look_again
from snapshot.documents.manifest import Manifest, SegmentEntry
from snapshot.threads import to_store_thread

_ROUND_S = 5.0
_AGAIN_NS = 60 * 10**9  # pause after a failure
_REFUSED_NS = 3_600 * 10**9  # pause of one output whose inputs are damaged or missing
_S_NS = 10**9
# put, read back, and read back again before its inputs are deleted; a summary put beside it
_REQUESTS_OF_OUTPUT = 4
_REQUESTS_OF_DOCUMENT = 2  # put, and read by the other indexer
logger = logging.getLogger(__name__)


class _Seen(NamedTuple):
    """What was chosen from."""

    manifest: str
    compacted: Compacted
    expired: frozenset[str]

    def is_same(self, other: "_Seen") -> bool:
        """Whether nothing has changed: the values are replaced, never altered."""
        return (
            self.manifest == other.manifest
            and self.compacted is other.compacted
            and self.expired is other.expired
        )


class NotProved(BellwetherError):
    """An output does not hold its inputs as their manifests name them; it is not published."""


@dataclass(slots=True)
class _Progress:
    """What is known about one partition.

    seen: what `choices` were chosen from.
    due_since_ns: monotonic time since when something has been due; None: nothing is.
    prefetched: number of the newest document whose outputs are being fetched.
    refused: by the inputs of an output that could not be made, the monotonic time (ns) from which
        it may be tried again.
    """

    seen: _Seen | None = None
    choices: list[Choice] = field(default_factory=list)
    due_since_ns: int | None = None
    prefetched: int | None = None
    again_ns: int = 0
    outputs: int = 0
    rows: int = 0
    waits_for: str = ""
    refused: dict[tuple[str, ...], float] = field(default_factory=dict)


class Compactor:
    """Compacts partitions until it is cancelled. Used from one event loop."""

    def __init__(
        self, partitions: Mapping[int, Partition], shared: Shared, sizes: Sizes = SIZES
    ) -> None:
        context, config = shared.context, shared.config
        self._partitions = partitions
        self._shared = shared
        self._sizes = sizes
        self._folder = context.folder / "compaction"
        self._clock = context.clock
        self._thread = QuietThread(max(1, config.compaction_percent) / 100)
        self._budget = RequestBudget(config.compaction_requests_per_day, context.clock)
        self._turns = Turns(context.backends.locks, context.instance)
        self._bases = BaseWriter(
            shared.document_gate,
            context.clock,
            self._turns,
            self._thread,
            self._budget,
            config.compaction_delay_s,
        )
        self._progress: dict[int, _Progress] = {}

    async def run(self) -> None:
        """Run rounds over all partitions until cancelled."""
        if not self._shared.config.compaction_percent:
            return
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)  # of a crash
        try:
            await run_every(_ROUND_S, self.run_round)
        finally:
            self._thread.close()

    async def run_round(self) -> None:
        """One step of each partition that has something to put together."""
        for number in list(self._partitions):
            try:
                await self.step(number)
            except (BellwetherError, OSError) as error:
                self._failed(number, error)
        for number in self._progress.keys() - self._partitions.keys():
            del self._progress[number]
            compaction_waiting.labels(str(number)).set(0)

    def describe(self, number: int) -> dict[str, object]:
        """The progress of one partition, for the status."""
        progress = self._progress.get(number, _Progress())
        partition = self._partitions.get(number)
        unproved = {} if partition is None else partition.unproved
        return {
            "on": bool(self._shared.config.compaction_percent),
            "outputs_made": progress.outputs,
            "rows_written": progress.rows,
            "due": len(progress.choices),
            "waits_for": progress.waits_for,
            "refused": len(progress.refused),
            "unproved": dict(unproved),
            "documents": 0 if partition is None else partition.compactions.number,
            "base": 0 if partition is None else partition.compactions.base_number,
            "requests": self._budget.used,
            "processor_s": round(self._thread.used_s, 3),
        }

    def _failed(self, number: int, error: Exception) -> None:
        """Try again later; the documents are as they were."""
        progress = self._progress.setdefault(number, _Progress())
        progress.again_ns = self._clock.monotonic_ns() + _AGAIN_NS
        progress.waits_for = str(error)
        compaction_failures_total.labels(str(number)).inc()
        level = logging.INFO if isinstance(error, ObjectsUnavailable) else logging.WARNING
        kind = type(error).__name__
        log_event(logger, level, "not compacted now", partition=number, kind=kind, why=str(error))

    def _refuse(
        self,
        partition: Partition,
        progress: _Progress,
        choice: Choice,
        error: BellwetherError,
    ) -> None:
        """Leave this output out: what is damaged may be repaired, what is too large stays so, and
        after a failed proof nothing of the dataset is tried until this process restarts.
        """
        self._failed(partition.number, error)
        progress.again_ns = 0  # only this one is left out
        for_ns = float("inf") if isinstance(error, OutputTooLarge) else _REFUSED_NS
        progress.refused[_names(choice)] = self._clock.monotonic_ns() + for_ns
        if isinstance(error, NotProved):
            partition.unproved[choice.parts[0].entry.dataset] = str(error)

    # --- one step ---------------------------------------------------------------------------------
    async def step(self, number: int) -> int:
        """Publish at most one document of one partition; returns the number of its outputs.

        Raises ObjectsUnavailable and others, after which nothing has changed.
        """
        progress = self._progress.setdefault(number, _Progress())
        partition = self._partitions[number]
        if self._clock.monotonic_ns() < progress.again_ns:
            return 0
        await self._bases.write_due(partition)
        await self._choose(partition, progress)
        compaction_waiting.labels(str(number)).set(len(progress.choices))
        progress.waits_for = await self._waits_for(partition, progress)
        if progress.waits_for or not progress.choices:
            return 0
        made = await self._make(partition, progress)
        if not made or self._partitions.get(number) is not partition:
            return 0
        return await self._publish(partition, progress, made)

    async def _choose(self, partition: Partition, progress: _Progress) -> None:
        """Choose again if what is published has changed."""
        view, newest, pipeline = partition.view, last_manifest(partition), partition.pipeline
        kept = await self._shared.retentions.current()
        if view is None or newest is None or pipeline is None or kept is None:
            progress.choices, progress.seen = [], None
            return
        seen = _Seen(newest.key, view.compacted, view.expired_objects)
        if progress.seen is not None and progress.seen.is_same(seen):
            return
        self._prefetch(view.compacted, progress)
        waiting = pipeline.waiting_objects

        def spans(dataset: str) -> int:
            return span_ns(kept.own_days.get(dataset, kept.default_days))

        def chosen() -> list[Choice]:
            """In a thread: there may be a million segments."""
            return choose(
                _published(view, newest, waiting),
                view.compacted,
                view.rerouted.open.values(),
                newest.watermark_ns,
                spans,
                self._sizes,
            )

        choices = await asyncio.to_thread(chosen)
        now_ns = self._clock.monotonic_ns()
        progress.refused = {o: at_ns for o, at_ns in progress.refused.items() if at_ns > now_ns}
        progress.choices = [
            one
            for one in choices
            if _names(one) not in progress.refused
            and one.parts[0].entry.dataset not in partition.unproved
        ]
        progress.seen = seen
        if not progress.choices:
            progress.due_since_ns = None
        elif progress.due_since_ns is None:
            progress.due_since_ns = self._clock.monotonic_ns()

    def _prefetch(self, compacted: Compacted, progress: _Progress) -> None:
        """Fetch the outputs that the partition's other indexer has published since the last look;
        those before are fetched when the partition is resumed.
        """
        if progress.prefetched is not None and progress.prefetched < compacted.newest:
            new = (one for one in compacted.all() if one.document > (progress.prefetched or 0))
            self._shared.prefetcher.add(one.entry for one in new)
        progress.prefetched = compacted.newest

    async def _waits_for(self, partition: Partition, progress: _Progress) -> str:
        """Why nothing is compacted now; empty: it may be."""
        config = self._shared.config
        if not progress.choices or progress.due_since_ns is None:
            return ""
        if not self._shared.document_gate.allows(DOCUMENTS_COMPACTIONS):
            return "all indexers and query roles must have announced that they know compactions"
        if partition.stopped_reason is not None:
            return "indexing is stopped"
        if partition.compactions.unreadable:
            return f"{partition.compactions.unreadable} cannot be read"
        if not self._budget.has_room:
            return "the requests to the object store of this day are used up"
        rank = await self._turns.rank(partition.number)
        waited_ns = self._clock.monotonic_ns() - progress.due_since_ns
        if waited_ns < rank * config.compaction_delay_s * _S_NS:
            return "the partition's other indexer, which does it first"
        return ""

    async def _make(self, partition: Partition, progress: _Progress) -> list[Compaction]:
        """Outputs that are durable and proved, as many as one document may name."""
        shared, book = self._shared, partition.compactions
        folder = self._folder / f"{partition.number:05d}"
        maker = OutputMaker(
            shared.context.backends.objects,
            shared.cache,
            book,
            folder,
            summarizes=bool(shared.config.summary_percent),
        )
        before_s = self._thread.used_s
        try:
            merged = await self._merge(partition, progress, maker)
            if not merged:
                progress.seen = None  # what was refused is not chosen again
                return []
            stored = await self._thread.run(partial(maker.store, merged))
        finally:
            compaction_seconds_total.inc(self._thread.used_s - before_s)
        for one, why in stored.unproved:
            self._refuse(partition, progress, one.choice, NotProved(why))
        objects = len({one.output.location.key for one in stored.made})
        self._budget.use(_REQUESTS_OF_DOCUMENT + _REQUESTS_OF_OUTPUT * objects)
        if not stored.made:
            progress.seen = None
        return stored.made

    async def _merge(
        self, partition: Partition, progress: _Progress, maker: OutputMaker
    ) -> list[Merged]:
        """Outputs that are in memory only, within the bounds of one document."""
        cache, begun_ns = self._shared.cache, self._clock.monotonic_ns()
        gone, encoders = partition.retention.book.deleted_objects, self._shared.encoders.now
        merged: list[Merged] = []
        inputs = held_bytes = 0
        for choice in progress.choices[: limits.COMPACTIONS_AT_ONCE]:
            absent = sum(not cache.holds(part.entry.location) for part in choice.parts)
            superseded = len({part.entry.location.key for part in choice.parts})
            try:
                one = await self._thread.run(partial(maker.merge, choice, gone, encoders))
            except (DamagedObject, ObjectMissing, OutputTooLarge) as error:
                self._refuse(partition, progress, choice, error)
                continue
            finally:
                self._budget.use(absent + superseded)
            merged.append(one)
            inputs += len(one.compaction.inputs)
            held_bytes += len(one.data)
            full = inputs >= limits.COMPACTED_INPUTS_AT_ONCE
            full = full or held_bytes >= limits.COMPACTED_HELD_BYTES_MAX
            late = self._clock.monotonic_ns() - begun_ns > limits.COMPACTION_STEP_S * _S_NS
            if full or late or not self._budget.has_room:
                break
        return merged

    async def _publish(
        self, partition: Partition, progress: _Progress, made: list[Compaction]
    ) -> int:
        context, chosen_from = self._shared.context, progress.seen
        progress.seen = None
        if chosen_from is None or not self._shared.document_gate.allows(DOCUMENTS_COMPACTIONS):
            return 0
        compacted = await to_store_thread(
            partition.compactions.publish,
            made,
            chosen_from.compacted.newest,
            self._shared.clocks.now_ns,
            context.instance,
        )
        if compacted is None:  # the partition's other indexer has published meanwhile
            return 0
        objects, cache = context.backends.objects, self._shared.cache
        await to_store_thread(look_again, objects, cache, made)
        partition.retention.compact(compacted)
        label, rows = str(partition.number), sum(one.output.rows for one in made)
        progress.outputs += len(made)
        progress.rows += rows
        compactions_total.labels(label).inc(len(made))
        compacted_rows_total.labels(label).inc(rows)
        context.telemetry.emit(
            "compaction",
            partition=partition.number,
            document=compacted.newest,
            outputs=len(made),
            segments=sum(len(one.inputs) for one in made),
            rows=rows,
            bytes=sum(one.output.size_bytes for one in made),
        )
        return len(made)


def _published(
    view: PartitionView, newest: Manifest, waiting: frozenset[str]
) -> list[SegmentEntry]:
    """The segments that manifests name. Of the newest cut the view may for a moment still have this
    indexer's own version.
    """
    named = {entry.object for entry in newest.segments}
    begins = (newest.epoch_number, newest.first_offset)
    return [
        entry
        for entry in published_only(view.all_segments(), waiting)
        if (entry.epoch_number, entry.end_offset) <= begins or entry.object in named
    ]


def _names(choice: Choice) -> tuple[str, ...]:
    return tuple(part.entry.object for part in choice.parts)
