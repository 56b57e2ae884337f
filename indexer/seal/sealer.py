"""Seals and publishes a cut of a partition, with retries (I3, I4).

Segments are built and published in threads. Failures are retried with back-off. Sealed files go to
the cache at once and are served from there before and after they are published.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from common import limits
from common.back_off import BackOff
from common.clock import Clock
from common.errors import BellwetherError, ObjectMissing, ObjectsUnavailable
from common.logs import log_event
from common.process.versions import DOCUMENTS_PACKS, FIRST_DOCUMENTS, DocumentGate
from indexer.seal.segment_files import PACK_SUFFIX, remove_leftovers, seal_all
from indexer.seal.timing import TIMING, Timing
from indexer.state.cut import Cut
from indexer.state.live_rows import SealingSet
from segment.columns.segment import SEGMENT_SUFFIX, SegmentFile
from segment.parquet.selected import SelectedEncoders
from snapshot.cache import SegmentCache
from snapshot.damage.divergence import Divergence, list_divergences
from snapshot.documents.chain import Chain
from snapshot.documents.checksummed import DOCUMENT_FORMAT
from snapshot.documents.epochs import Epoch
from snapshot.documents.manifest import (
    Damaged,
    Gap,
    Manifest,
    QuarantinedRecord,
    SegmentEntry,
    format_of,
    pack_batches,
)
from snapshot.publish import Published, publish
from snapshot.threads import to_store_thread

WRITER = "bellwether-indexer-1"
logger = logging.getLogger(__name__)
Owners = Mapping[str, tuple[str, str]]


class SealedFileLost(BellwetherError):
    """A file that waited to be published is missing: resuming the partition builds it again."""


@dataclass(frozen=True, slots=True)
class PendingCut:
    """A cut that is to be sealed.

    owners: dataset -> (team, env).
    quarantined: records that were found unreadable while shredding.
    damaged: damaged records that are still unrecovered at its end.
    cut_ns: monotonic time of the cut.
    """

    cut: Cut
    rows: SealingSet
    owners: Owners
    quarantined: tuple[QuarantinedRecord, ...]
    gaps: tuple[Gap, ...]
    damaged: tuple[Damaged, ...] = ()
    cut_ns: int = 0


@dataclass(frozen=True, slots=True)
class SealedCut:
    """A cut with all files in this disk's cache, leased so that they are not evicted."""

    pending: PendingCut
    files: tuple[SegmentFile, ...]
    entries: tuple[SegmentEntry, ...]

    @property
    def objects(self) -> frozenset[str]:
        """Hashes of its files: segments' own, and the pack's."""
        return frozenset(entry.location.object_name for entry in self.entries)


def entry_of(file: SegmentFile, epoch: Epoch, owners: Owners) -> SegmentEntry:
    """The manifest's entry for a sealed file."""
    info = file.info
    team, env = owners[info.dataset]
    return SegmentEntry(
        team=team,
        env=env,
        dataset=info.dataset,
        epoch_number=epoch.number,
        rows=info.rows,
        time_min_ns=info.time_min_ns,
        time_max_ns=info.time_max_ns,
        append_min_ns=info.append_min_ns,
        append_max_ns=info.append_max_ns,
        first_offset=info.first_offset,
        end_offset=info.end_offset,
        object=file.object_hash,
        size_bytes=file.size_bytes,
        digest=info.digest,
        far=info.far,
        pack=file.pack,
        pack_offset=file.pack_offset,
    )


def build_manifest(
    pending: PendingCut,
    files: tuple[SegmentFile, ...],
    *,
    epoch: Epoch,
    predecessor: str | None,
    zone: str,
    created_ns: int,
    least_format: int = DOCUMENT_FORMAT,
) -> Manifest:
    """The manifest of a cut. least_format: what is in the store needs, see `CompactionBook`."""
    cut = pending.cut
    segments = [entry_of(file, epoch, pending.owners) for file in files]
    quarantined = sorted({*cut.quarantined, *pending.quarantined}, key=lambda entry: entry.offset)
    return Manifest(
        partition=epoch.partition,
        epoch=epoch.log,
        epoch_number=epoch.number,
        first_offset=cut.first_offset,
        next_offset=cut.next_offset,
        predecessor=predecessor,
        last_batch=cut.last_batch.hex(),
        last_append_ns=cut.last_append_ns,
        rows=sum(file.info.rows for file in files),
        segments=segments,
        batches=pack_batches(cut.batches),
        hour_markers=list(cut.hour_markers),
        watermark_ns=cut.watermark_ns,
        gaps=list(pending.gaps),
        set_aside=quarantined,
        datasets=list(cut.datasets),
        gone=list(cut.dataset_tombstones),
        conditionals_open=list(cut.rerouted.open),
        conditionals_dropped=list(cut.rerouted.dropped),
        voids=list(cut.rerouted.voids),
        relies_on=list(cut.rerouted.relies_on),
        damaged=list(pending.damaged),
        clock_steps=list(cut.clock_steps),
        writer=WRITER,
        zone=zone,
        created_ns=created_ns,
        format=max(format_of(segments), least_format),
    )


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals and publishes the cuts of one epoch of one partition.

    folder: scratch folder of this sealer.
    divergences: known cuts that the partition's two indexers made differently.
    wide_cut_lock: held while a cut of very many columns is sealed: one at a time in a process.
    document_gate: whether small segments may be put into a pack.
    least_format: of manifests now, see `CompactionBook.manifests_format`.
    """

    chain: Chain
    cache: SegmentCache
    epoch: Epoch
    folder: Path
    clock: Clock
    zone: str
    encoders: SelectedEncoders
    divergences: list[Divergence] = field(default_factory=list)
    wide_cut_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    timing: Timing = TIMING
    document_gate: DocumentGate = FIRST_DOCUMENTS
    least_format: Callable[[], int] = lambda: DOCUMENT_FORMAT

    def prepare(self) -> None:
        """Empty the scratch folder, and list the divergences. Blocks."""
        self.divergences[:] = list_divergences(self.chain)
        self.folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self.folder)
        for pattern in (f"*{SEGMENT_SUFFIX}", f"*{PACK_SUFFIX}"):
            for path in self.folder.glob(pattern):
                path.unlink(missing_ok=True)

    async def seal(self, pending: PendingCut) -> SealedCut:
        """Seal the cut, retrying until it succeeds, also while the disk is full."""
        back_off = self._back_off()
        while True:
            try:
                async with self._memory(pending):
                    return await asyncio.to_thread(self._seal, pending)
            except OSError as error:
                wait_s = back_off.next()
                text = "cut cannot be sealed now; trying again"
                self._log_failure(text, pending, error, wait_s)
            await asyncio.sleep(wait_s)

    @asynccontextmanager
    async def _memory(self, pending: PendingCut) -> AsyncIterator[None]:
        """Wait for memory: only one cut with very many columns is sealed at a time."""
        columns = sum(len(block.columns) for cut in pending.rows.cuts for block in cut.blocks)
        if columns <= limits.SEALING_COLUMNS_MAX:
            yield
            return
        async with self.wide_cut_lock:
            yield

    async def publish(
        self, sealed: SealedCut, predecessor: str | None, *, supersede: bool = False
    ) -> Published:
        """Publish the cut, retrying until it succeeds.

        Raises ChainForked, DocumentTooNew, SealedFileLost.
        """
        back_off = self._back_off()
        while True:
            try:
                return await to_store_thread(self._publish, sealed, predecessor, supersede)
            except (ObjectsUnavailable, ObjectMissing, OSError) as error:
                wait_s = back_off.next()
                text = "cut cannot be published now; trying again"
                self._log_failure(text, sealed.pending, error, wait_s)
            await asyncio.sleep(wait_s)

    def _back_off(self) -> BackOff:
        return BackOff(self.timing.seal_first_s, self.timing.seal_most_s)

    def _log_failure(
        self, text: str, pending: PendingCut, error: Exception, again_s: float
    ) -> None:
        log_event(
            logger,
            logging.WARNING,
            text,
            partition=self.epoch.partition,
            next_offset=pending.cut.next_offset,
            why=str(error),
            again_in_s=again_s,
        )

    def _seal(self, pending: PendingCut) -> SealedCut:
        self.folder.mkdir(parents=True, exist_ok=True)  # the disk may have been wiped meanwhile
        files = seal_all(
            pending.rows.cuts,
            epoch=self.epoch.log,
            partition=self.epoch.partition,
            folder=self.folder,
            encoders=self.encoders.now,
            packing=self.document_gate.allows(DOCUMENTS_PACKS),
        )
        sealed = SealedCut(
            pending, files, tuple(entry_of(file, self.epoch, pending.owners) for file in files)
        )
        self.cache.lease(sealed.objects)
        try:
            for path, file in {file.path: file for file in files}.items():
                name, is_pack = file.pack or file.object_hash, bool(file.pack)
                self.cache.adopt(name, path, is_pack=is_pack)
        except BaseException:
            self.cache.release(sealed.objects)
            raise
        return sealed

    def _publish(self, sealed: SealedCut, predecessor: str | None, supersede: bool) -> Published:
        manifest = build_manifest(
            sealed.pending,
            sealed.files,
            epoch=self.epoch,
            predecessor=predecessor,
            zone=self.zone,
            created_ns=self.clock.now_ns(),
            least_format=self.least_format(),
        )
        places = {entry.location.key: entry.location for entry in sealed.entries}
        for location in places.values():
            if not (path := self.cache.object_path(location)).is_file():
                raise SealedFileLost(f"{path.name} is gone from this disk before it was published")
        published = publish(self.chain, manifest, self.cache, supersede=supersede)
        if published.divergence is not None and published.divergence not in self.divergences:
            self.divergences.append(published.divergence)
            del self.divergences[: -limits.DIVERGENCES_SHOWN_MAX]
        return published
