"""Housekeeping of one partition: expiry, deletion, restored segments, freeing the log (I5, I13).

All destructive steps are here. They follow from documents, from uptime, and from a clock only as
much as `Clocks` and `CutoffSteps` allow. They do not affect how the log is interpreted (I3).
"""

import asyncio
import logging
from typing import Protocol

from common.errors import DamagedObject, ObjectMissing, ObjectsUnavailable
from common.logs import log_event
from common.metrics import retention_early_rows, retention_waiting_rows
from common.process.role import RoleContext
from indexer.config import IndexerConfig
from indexer.expiry.clocks import Clocks, days
from indexer.expiry.cutoff_steps import CutoffSteps
from indexer.expiry.expiry_plan import ExpiryPlan, ExpiryTimes, WaitingEvents, plan_expiry
from indexer.expiry.partition_retention import PartitionRetention
from indexer.expiry.retention_settings import RetentionSettings
from indexer.expiry.trusted_time import Evidence
from indexer.expiry.uptime import Uptime
from indexer.seal.partition_reader import PartitionReader, last_manifest
from indexer.seal.pipeline import published_only
from indexer.state.log_end import LogEnd
from snapshot.cache import SegmentCache
from snapshot.documents.manifest import BASES_FORMAT, COMPACTED_FORMAT, SegmentEntry
from snapshot.mending import all_whole
from snapshot.retention.cutoffs import HOUR_NS, Cutoffs
from snapshot.retention.retention import ToExpire
from snapshot.threads import to_store_thread, to_upkeep_thread

_S_NS = 10**9
logger = logging.getLogger(__name__)


class ExpiringPartition(PartitionReader, Protocol):
    """A partition and its expired rows, as the housekeeper uses it."""

    @property
    def retention(self) -> PartitionRetention:
        """Its retention documents and what they have expired."""

    @property
    def log_end(self) -> LogEnd:
        """The bounds of its log."""

    def request_resync(self, reason: str) -> None:
        """Resume the partition from its newest manifest."""


class Housekeeper:
    """Housekeeping of one partition; `PartitionMaintenance` calls it, one round after the other."""

    def __init__(
        self,
        partition: ExpiringPartition,
        context: RoleContext,
        config: IndexerConfig,
        clocks: Clocks,
        retentions: RetentionSettings,
        cache: SegmentCache,
    ) -> None:
        self._partition = partition
        self._retention = partition.retention
        self._book = partition.retention.book
        self._context = context
        self._config = config
        self._clocks = clocks
        self._retentions = retentions
        self._cache = cache
        steady_ns = self._context.clock.monotonic_ns()
        path = self._context.folder / "expiry" / f"{partition.number:05d}.json"
        self._uptime = Uptime(path, steady_ns)
        self._steps = CutoffSteps(steady_ns)
        self._confirmations = partition.retention.confirmations
        self._restore_seen = self._book.last_restore
        self._writer = self._context.instance
        self._superseded_forgotten: frozenset[str] = frozenset()
        self.log_bytes = 0
        self.waiting = WaitingEvents()

    async def run_housekeeping(self) -> None:
        """One round."""
        partition, clocks = self._partition, self._clocks
        self._uptime.update(self._context.clock.monotonic_ns())
        self.log_bytes = await self._context.backends.log.size_bytes(partition.number)
        try:
            await to_store_thread(self._read_documents)
            confirmed_ns = self._confirmations.time_ns(self._book.last_restore)
            clocks.update(_evidence(partition), confirmed_ns)
            await self._expire_segments()
        finally:
            await asyncio.to_thread(self._save)
        await self._drop_log()

    def _read_documents(self) -> None:
        self._retention.refresh()
        self._confirmations.refresh()

    def _save(self) -> None:
        self._uptime.save()
        self._clocks.save()

    # --- segments ---------------------------------------------------------------------------------
    async def _expire_segments(self) -> None:
        partition = self._partition
        if partition.view is None or self._restore_found():
            return
        hidden: list[SegmentEntry] = []
        if partition.stopped_reason is None:
            planned = await self._plan()
            self._update_metrics(planned.waiting)
            hidden = [*self._published(self._retention.hidden), *planned.to_expire.segments]
            wanted = ToExpire(hidden, planned.to_expire.expired, planned.to_expire.cutoffs)
            if hidden:
                await to_store_thread(self._expire, wanted)
        await to_upkeep_thread(self._delete_due)
        partition.retention.apply()
        await to_upkeep_thread(self._delete_superseded)
        await to_upkeep_thread(self._delete_covered)
        expired = [entry for entry in hidden if entry.object in self._book.expired_objects]
        await asyncio.to_thread(self._forget, expired)
        self._retention.forget_hidden(expired)
        self._review_expired()

    def _restore_found(self) -> bool:
        """Whether segments were restored; the partition is then resumed with them."""
        newest = self._book.last_restore
        if newest == self._restore_seen:
            return False
        self._restore_seen = newest
        self._steps = CutoffSteps(self._context.clock.monotonic_ns())
        self._retention.forget_hidden(list(self._book.restored.values()))
        self._partition.request_resync("expired segments were restored")
        return True

    async def _plan(self) -> ExpiryPlan:
        partition, clocks = self._partition, self._clocks
        kept = await self._retentions.current()
        view = partition.view
        if kept is None or view is None:  # retention periods or view are not known yet
            return ExpiryPlan(ToExpire((), (), Cutoffs()), WaitingEvents())
        clock = self._context.clock
        times = ExpiryTimes(
            clocks.now_ns,
            clock.now_ns(),
            clock.monotonic_ns(),
            agreed=clocks.agreed,
            blocked=bool(clocks.disagreeing()),
        )
        confirmed = self._confirmations.cutoffs(self._book.last_restore)
        entries = self._published(view.all_segments())
        return await asyncio.to_thread(plan_expiry, entries, kept, times, confirmed, self._steps)

    def _published(self, entries: list[SegmentEntry]) -> list[SegmentEntry]:
        pipeline = self._partition.pipeline
        waiting = frozenset() if pipeline is None else pipeline.waiting_objects
        return published_only(entries, waiting)

    def _expire(self, wanted: ToExpire) -> None:
        now_ns = self._clocks.now_ns
        document = self._book.expire(wanted, now_ns, self._writer)
        if document is not None:
            log_event(
                logger,
                logging.INFO,
                "events have expired",
                partition=self._partition.number,
                document=document.number,
                segments=len(document.objects),
                rows=sum(one.rows for one in document.expired),
            )

    def _delete_due(self) -> None:
        book = self._book
        self._uptime.set_pending_documents(book.undeleted())
        grace_ns = self._config.retention_grace_s * _S_NS
        now_ns = self._clocks.now_ns
        superseded = self._retention.compactions.compacted.gone
        book.delete_due(now_ns, grace_ns, self._uptime.since_document_ns, self._writer, superseded)

    def _delete_superseded(self) -> None:
        """Delete objects that are read no more because an output holds their rows, and outputs of
        which nothing can be shown again.
        """
        compactions, objects = self._retention.compactions, self._context.backends.objects
        scratch = self._context.folder / "compaction"
        newest = last_manifest(self._partition)
        self._uptime.set_pending_compactions(compactions.waiting())

        def may_delete(number: int) -> bool:
            """Whether an earlier program stops at the newest manifest, instead of looking for what
            is deleted, and the outputs that are read now are whole.
            """
            if newest is None or newest.format < COMPACTED_FORMAT:
                return False
            try:
                outputs = compactions.outputs_for(number)
            except (DamagedObject, ObjectMissing) as error:
                why = str(error)
                log_event(logger, logging.ERROR, "superseded objects are not deleted", why=why)
                return False
            return all_whole(objects, (o.entry.location for o in outputs), scratch)

        compactions.delete_due(
            self._clocks.now_ns,
            self._config.retention_grace_s * _S_NS,
            self._uptime.since_compaction_ns,
            may_delete,
            self._book.deleted_objects,
            self._writer,
        )
        compactions.delete_outputs(self._book.deleted_objects)
        gone = compactions.compacted.gone
        self._cache.forget_all(gone - self._superseded_forgotten)
        self._superseded_forgotten = gone

    def _delete_covered(self) -> None:
        """Delete compaction documents that a base has replaced for the grace time."""
        compactions, newest = self._retention.compactions, last_manifest(self._partition)
        self._uptime.set_pending_base(compactions.base_number)

        def may_delete(base: int) -> bool:
            """Whether the grace time is over, and an earlier program stops at the manifest."""
            if newest is None or newest.format < BASES_FORMAT:
                return False
            return self._uptime.since_base_ns(base) >= self._config.retention_grace_s * _S_NS

        compactions.delete_covered(may_delete)

    def _forget(self, expired: list[SegmentEntry]) -> None:
        """Remove the files, now that no new query can name and fetch them."""
        view = self._partition.view
        for entry in expired:
            self._cache.forget(entry.object)
        packs = {entry.pack for entry in expired if entry.pack}
        if packs and view is not None:
            for pack in packs.difference(entry.pack for entry in view.all_segments()):
                self._cache.forget(pack)

    # --- metrics and alarms -----------------------------------------------------------------------
    def _update_metrics(self, waiting: WaitingEvents) -> None:
        label = str(self._partition.number)
        retention_waiting_rows.labels(label).set(waiting.rows)
        self.waiting = waiting

    def _review_expired(self) -> None:
        """Find events that expired too early, by the present trusted time."""
        retention = self._partition.retention
        retention.check_early()
        early = retention.expired_early
        rows = sum(one.rows for document in early for one in document.expired)
        retention_early_rows.labels(str(self._partition.number)).set(rows)

    def alarms(self) -> dict[str, str]:
        """Alarms about events that wait or expired too early, and about clocks."""
        found = dict(self._clocks.alarms())
        waiting, early = self.waiting, self._partition.retention.expired_early
        if waiting.segments:
            found["retention_waits"] = (
                f"{waiting.rows:,} events ({waiting.size_bytes / 1e6:,.1f} MB) of "
                f"{waiting.datasets} datasets would expire by this machine's clock, a step of "
                f"{days(waiting.step_ns)}: if the clock and the retention are right, "
                "`bellwether retention confirm`; else set them right"
            )
        if early:
            rows = sum(one.rows for document in early for one in document.expired)
            found["expired_too_early"] = (
                f"{rows:,} events expired before their time, in {len(early)} steps: a clock was "
                "wrong; answers over their range are incomplete: `bellwether retention restore`"
            )
        if unreadable := self._book.unreadable:
            found["retention_unreadable"] = (
                f"{unreadable} cannot be read, so nothing is deleted: restore it from a backup, "
                "or restart an indexer that has a copy"
            )
        return found

    # --- the log ----------------------------------------------------------------------------------
    async def _drop_log(self) -> None:
        """Drop records that the newest manifest covers and that repairs no longer need.

        Their age is uptime since they were covered, so a clock that leaps neither frees them early
        nor keeps them for ever; `log_keep_bytes` bounds them in any case.
        """
        partition, config, log = self._partition, self._config, self._context.backends.log
        view, newest, pipeline = partition.view, last_manifest(partition), partition.pipeline
        if view is None or pipeline is None or newest is None:
            return
        if newest.epoch_number != view.epoch.number:
            return
        start = partition.log_end.bounds.start
        covered = pipeline.covered_after(start)
        keep_ns = int(config.log_keep_hours * HOUR_NS)
        self._uptime.mark_covered(newest.epoch_number, newest.next_offset, keep_ns)
        offset = min(
            self._uptime.droppable_before(newest.epoch_number, keep_ns), newest.next_offset
        )
        try:
            if offset > start:
                start = await log.drop_before(partition.number, offset)
            for end in covered:
                if await log.size_bytes(partition.number) <= config.log_keep_bytes:
                    break
                if end > start:
                    start = await log.drop_before(partition.number, end)
        except ObjectsUnavailable as error:
            log_event(logger, logging.INFO, "the log was not freed", why=str(error))


def _evidence(partition: ExpiringPartition) -> Evidence | None:
    """The newest time that was stored when this process first saw the partition: times that its
    own clock stamped later prove nothing. None: the partition has no stored time.
    """
    stored_ns = partition.retention.stored_ns
    if stored_ns is not None:
        return Evidence(stored_ns, covered=True)
    if partition.view is None or partition.pipeline is None:
        return None
    times = [entry.append_min_ns for entry in partition.view.all_segments()]
    times += filter(None, [partition.pipeline.uncovered_since_ns])
    return Evidence(min(times), covered=False) if times else None
