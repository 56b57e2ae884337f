"""Checks one partition: its chain of manifests, its other documents, its segments (I2-I5).

Also checks that the log still holds what follows the newest manifest.
"""

import asyncio
from collections.abc import Sequence

from common.errors import DamagedObject, ObjectMissing
from common.log import Log
from common.model.reroute import EpochOffset
from common.objects import ObjectStore
from snapshot.bootstrap.bootstrap import read_epochs
from snapshot.compaction.book import CompactionBook
from snapshot.compaction.compacted import Output
from snapshot.damage.damage import covers
from snapshot.damage.divergence import REPORT, Divergence, divergence_prefix, list_divergences
from snapshot.damage.settlements import (
    SettledOffsets,
    Settlement,
    SettlementBook,
    settlement_prefix,
)
from snapshot.documents.chain import Chain
from snapshot.documents.checksummed import DocumentTooNew
from snapshot.documents.epochs import Epoch, decide_resumption, epoch_key, split_stray
from snapshot.documents.manifest import (
    Checkpoint,
    Dropped,
    Manifest,
    QuarantinedRecord,
    SegmentEntry,
    checkpoint_prefix,
    parse_manifest_key,
    unpack_batches,
)
from snapshot.objects_of import PartitionObjects, objects_of
from snapshot.retention.document import Retention, retention_prefix
from snapshot.retention.retention import RetentionBook
from snapshot.verify.compactions import check_bases, check_compactions
from snapshot.verify.documents import unreadable
from snapshot.verify.log import Covered
from snapshot.verify.report import UPGRADE, Progress, VerifyReport
from snapshot.verify.rerouted import ReroutedCheck
from snapshot.verify.rows import in_row_order
from snapshot.verify.segments import SegmentsCheck

_LOG_CHECKS_MAX = 10  # of a log whose chain grows between any two of them
_SEE_DAMAGE = "`bellwether damage` says what is missing, and settles what cannot be brought back"
_REBUILD = "restart an indexer: it repairs it from its copy or by replaying the log"


class PartitionCheck:
    """Checks one partition: `run` the object store, then `run_log` the log."""

    def __init__(
        self,
        objects: ObjectStore,
        partition: int,
        report: VerifyReport,
        progress: Progress,
        segments: SegmentsCheck,
    ) -> None:
        self._objects = objects
        self._partition = partition
        self._report = report
        self._progress = progress
        self._chain = Chain(objects, partition, None)
        self._epochs: list[Epoch] = []
        self._newest: Manifest | None = None
        self._window: dict[bytes, int] = {}
        self._hours: list[int] = []
        self._settled: tuple[SettledOffsets, ...] = ()
        self._quarantined: dict[int, set[int]] = {}  # by epoch
        self._rerouted = ReroutedCheck()
        self._segments = segments

    def _report_problem(self, what: str, remedy: str, *, warning: bool = False) -> None:
        self._report.add(self._partition, what, remedy, warning=warning)

    def covered(self, pending_from: int | None) -> Covered:
        """What the log need not hold for answers.

        pending_from: the first offset that is not covered; None: the log was not read.
        """
        newest = self._newest
        end = 0 if newest is None else newest.next_offset
        number = 0 if newest is None else newest.epoch_number
        return Covered(
            pending_from=end if pending_from is None else pending_from,
            quarantined=frozenset(self._quarantined.get(number, ())),
            window=self._window,
        )

    def run(self) -> None:
        """Check what is in the object store."""
        compactions = check_compactions(self._chain, self._report)
        compacted = compactions.compacted
        retention = self._check_retention()
        check_bases(self._chain, self._report, retention.deleted_objects)
        self._settled = self._check_settlements()
        keys = self._counting(self._chain.manifest_keys())
        segments: list[SegmentEntry] = []
        set_aside: list[tuple[int, list[QuarantinedRecord]]] = []
        predecessor: Manifest | None = None
        for key in keys:
            manifest = self._load(key)
            if manifest is None:
                predecessor = None
                continue
            self._check_link(manifest, predecessor, first=key == keys[0])
            self._check_batches(manifest)
            set_aside.append((manifest.epoch_number, manifest.set_aside))
            for problem in self._rerouted.problems(manifest, follows=predecessor is not None):
                self._report_problem(f"manifest {key}: {problem}", "report this bug")
            segments.extend(manifest.segments)
            locations = [entry.location for entry in manifest.segments]
            self._segments.check_packs(self._partition, locations)
            predecessor = self._newest = manifest
            self._report.manifests += 1
        for number, entries in set_aside:
            self._check_quarantined(number, entries)
        if self._newest is not None:
            self._report.gaps += len(self._newest.gaps)
            self._report.undecided += len(self._newest.conditionals_open)
            self._report.dropped += len(self._rerouted.dropped)
        self._check_checkpoints()
        self._check_divergences()
        dropped = [Dropped(at.epoch, at.offset) for at in self._rerouted.dropped]
        objects = objects_of(segments, dropped, self._newest, retention, compacted)
        self._report.expired += len(segments) - len(objects.retained)
        self._check_packs_of_outputs(compactions, objects.outputs())
        self._check_segments(objects, segments)

    def _check_packs_of_outputs(self, book: CompactionBook, outputs: Sequence[Output]) -> None:
        packs = {output.entry.pack: output for output in outputs if output.entry.pack}
        for output in packs.values():
            try:
                self._segments.check_packs(self._partition, book.pack_of(output))
            except (DamagedObject, ObjectMissing) as error:
                self._report_problem(f"pack of {output.entry.location}: {error}", UPGRADE)

    def _check_segments(self, objects: PartitionObjects, published: Sequence[SegmentEntry]) -> None:
        """Check what is read, and what is not read any more but not deleted yet."""
        retained = {entry.object: entry for entry in objects.retained}
        outputs = objects.outputs()
        held = {one.object for output in outputs for one in output.inputs}
        known = {entry.object: entry for entry in published} | retained
        by_name = {output.entry.object: output for output in outputs}
        read = [entry for name, entry in retained.items() if name not in held]
        read += [output.entry for output in outputs]
        self._segments.begin(read)
        for done, entry in enumerate(sorted(read, key=in_row_order)):
            self._progress(done, len(read), f"partition {self._partition}")
            if entry.object not in by_name:
                self._segments.check(self._chain, entry)
                continue
            output = by_name[entry.object]
            inputs = [known[one.object] for one in output.inputs if one.object in known]
            if len(inputs) < len(output.inputs):
                self._report_problem(
                    f"output {entry.location} has rows of segments that no manifest names",
                    "report this bug",
                )
                continue
            shown = sum(one.rows for one in inputs if one.object in retained)
            self._segments.check_output(self._chain, entry, inputs, shown)
        for entry in objects.superseded():
            self._segments.check_superseded(self._chain, entry)
        self._progress(len(read), len(read), f"partition {self._partition}")

    def _counting(self, keys: list[str]) -> list[str]:
        """Read the epochs; returns the manifests that count."""
        self._epochs, damaged = self._read_epochs()
        for key, reason in damaged:
            self._report_problem(f"epoch {key}: {reason}", "restart the indexer: it is made again")
        present = {epoch.key for epoch in self._epochs} | {key for key, _ in damaged}
        numbers = {parse_manifest_key(key)[1] for key in keys}
        for number in sorted(numbers):
            if (key := epoch_key(self._partition, number)) not in present:
                self._report_problem(
                    f"epoch {key} is missing", "restart the indexer: it is made again"
                )
        keys, stray = split_stray(keys, self._epochs)
        for key in stray:
            self._report_problem(
                f"manifest {key} lies beyond its epoch's end and is ignored",
                "an indexer went on in a log that was replaced: look for it and stop it",
            )
        return keys

    def _read_epochs(self) -> tuple[list[Epoch], list[tuple[str, str]]]:
        try:
            return read_epochs(self._chain, ())
        except DocumentTooNew as error:
            self._report_problem(f"epochs: {error}", UPGRADE)
            return [], []

    def _check_retention(self) -> RetentionBook:
        book = RetentionBook(self._chain)
        try:
            book.refresh()
        except DocumentTooNew as error:
            self._report_problem(f"retention: {error}", UPGRADE)
        for problem in unreadable(self._chain, retention_prefix(self._partition), Retention):
            remedy = (
                "restore the object from a backup, or what the indexer keeps of it; until then "
                "segments that it gave up may be looked for"
            )
            self._report_problem(f"retention {problem}", remedy)
        return book

    def _check_checkpoints(self) -> None:
        for info in self._objects.list(checkpoint_prefix(self._partition)):
            try:
                checkpoint = self._chain.load(info.key, Checkpoint)
            except (DamagedObject, ObjectMissing) as error:
                if self._objects.head(info.key) is not None:  # else it was deleted meanwhile
                    remedy = "delete it: it only saves reading"
                    self._report_problem(f"checkpoint {info.key}: {error}", remedy)
                continue
            except DocumentTooNew as error:
                self._report_problem(f"checkpoint: {error}", UPGRADE)
                continue
            for problem in self._rerouted.checkpoint_problems(checkpoint):
                self._report_problem(f"checkpoint {info.key}: {problem}", "report this bug")

    def _check_quarantined(self, number: int, entries: Sequence[QuarantinedRecord]) -> None:
        """Check records that could not be read when their cut was made.

        Answers lack their events, unless the records were appended again or an operator has counted
        them as lost.
        """
        self._report.quarantined += len(entries)
        known = self._quarantined.setdefault(number, set())
        in_force = None if self._newest is None else self._newest.damaged
        for entry in entries:
            place = EpochOffset(number, entry.offset)
            if in_force is not None and not any(covers(one, place) for one in in_force):
                continue  # the record was appended again
            known.add(entry.offset)
            settled = any(
                one.epoch_number == number and one.first <= entry.offset < one.end
                for one in self._settled
            )
            what = f"record {entry.offset} was set aside, its events are in no segment: "
            remedy = "an operator has counted it as lost" if settled else _SEE_DAMAGE
            self._report_problem(what + entry.reason, remedy, warning=settled)

    def _check_settlements(self) -> tuple[SettledOffsets, ...]:
        book = SettlementBook(self._chain)
        try:
            book.refresh()
        except DocumentTooNew as error:
            self._report_problem(f"settlements: {error}", UPGRADE)
        for problem in unreadable(self._chain, settlement_prefix(self._partition), Settlement):
            remedy = "settle the records that it named again: `bellwether damage`"
            self._report_problem(f"settlement {problem}", remedy)
        return book.settled

    def _check_divergences(self) -> None:
        remedy = "compare both versions; then remove both documents under divergence/"
        reports = list_divergences(self._chain)
        for one in reports:
            where = one.differences if one.block is None else one.block
            zones = f"zones {one.published_zone} and {one.zone}"
            self._report_problem(f"twins of {zones} disagree: {one.ours}: first in {where}", remedy)
        for problem in unreadable(
            self._chain, divergence_prefix(self._partition), Divergence, suffix=REPORT
        ):
            self._report_problem(f"divergence {problem}", "delete it: the twins report it again")
        reported = {one.ours for one in reports}
        for info in self._objects.list(divergence_prefix(self._partition)):
            if not info.key.endswith(REPORT) and info.key not in reported:
                self._report_problem(
                    f"twins disagreed: {info.key} differs from what was published", remedy
                )

    def _load(self, key: str) -> Manifest | None:
        try:
            manifest = self._chain.manifest(key)
        except (DamagedObject, ObjectMissing) as error:
            self._report_problem(
                f"manifest {key}: {error}",
                _REBUILD,
            )
            return None
        except DocumentTooNew as error:
            self._report_problem(f"manifest: {error}", UPGRADE)
            return None
        return manifest

    def _check_link(self, manifest: Manifest, before: Manifest | None, *, first: bool) -> None:
        key = manifest.key
        if before is None:
            if first and manifest.predecessor is not None:
                self._report_problem(
                    f"manifest {key}: its predecessor {manifest.predecessor} is missing",
                    _REBUILD,
                )
            return
        if manifest.predecessor != before.key:
            self._report_problem(
                f"manifest {key} names {manifest.predecessor} before it, not {before.key}",
                "the chain has forked: look for two indexers of different versions",
            )
        if manifest.epoch_number != before.epoch_number:
            return
        gap = any(
            gap.epoch == manifest.epoch and gap.first == before.next_offset for gap in manifest.gaps
        )
        if manifest.first_offset < before.next_offset:
            self._report_problem(
                f"manifest {key} covers offsets of {before.key} again", "report this bug"
            )
        elif manifest.first_offset > before.next_offset and not gap:
            self._report_problem(
                f"manifest {key} leaves out offsets from {before.next_offset}",
                "restart an indexer while the log still holds them",
            )

    def _check_batches(self, manifest: Manifest) -> None:
        """Check that batch ids are unique within the window."""
        try:
            batches = unpack_batches(manifest.batches)
        except ValueError as error:
            self._report_problem(
                f"manifest {manifest.key}: {error}", "restore the object from a backup"
            )
            return
        self._report.batches += len(batches)
        for marker in manifest.hour_markers:
            self._hours.append(marker.offset)
        if len(self._hours) >= 2 and self._newest is not None:
            limit = self._hours[-2]
            if self._newest.epoch_number == manifest.epoch_number:
                self._window = {b: o for b, o in self._window.items() if o >= limit}
            del self._hours[:-2]
        for batch, offset in batches:
            if batch in self._window:
                self._report_problem(
                    f"batch {batch.hex()} is at offsets {self._window[batch]} and {offset}",
                    "its rows are there twice: report this bug",
                )
            self._window[batch] = offset

    def _catch_up(self) -> bool:
        """Read what was published since the walk; returns whether there was anything."""
        before = (len(self._epochs), None if self._newest is None else self._newest.key)
        self._epochs, _ = self._read_epochs()
        keys, _ = split_stray(self._chain.manifest_keys(before[1] or ""), self._epochs)
        for key in reversed(keys):
            try:
                self._newest = self._chain.manifest(key)
                break
            except (DamagedObject, ObjectMissing, DocumentTooNew):
                continue  # the next walk reports it
        return before != (len(self._epochs), None if self._newest is None else self._newest.key)

    async def run_log(self, log: Log) -> int:
        """Check that the log holds what follows the newest manifest; returns the first offset."""
        identity = await log.open()
        bounds = await log.bounds(self._partition)
        if not self._epochs:
            if bounds.start:
                self._report_problem(
                    "the log's beginning is gone and nothing covers it", "restore the log"
                )
            return bounds.start
        for _ in range(_LOG_CHECKS_MAX):
            resumption = await decide_resumption(
                log, identity.epoch, bounds, self._newest, self._epochs[-1], ()
            )
            if resumption.reason is None and resumption.gap is None:
                return resumption.first_offset
            # Between the walk and the check of the log an indexer may have published, and the log
            # may have dropped what that covers: a finding counts only if the chain has not changed.
            if not await asyncio.to_thread(self._catch_up):
                break
            bounds = await log.bounds(self._partition)
        if resumption.reason is not None:
            self._report_problem(
                f"the log does not continue the newest manifest: {resumption.reason}",
                "an indexer opens a new epoch; restore the log if you can",
            )
        elif resumption.gap is not None:
            self._report_problem(
                f"offsets {resumption.gap.first} to {resumption.gap.end} are neither in a segment "
                "nor in the log",
                "restore the log if you can; an indexer records the gap",
            )
        return resumption.first_offset
