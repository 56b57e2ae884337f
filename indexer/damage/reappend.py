"""Saves records that are damaged in the log and that this indexer has read whole.

Another indexer that cannot read a record requests it. This indexer then cuts, so that a segment
covers the rows. If the other one cannot wait, or has published first, the events are appended to
the log again, in a record that names the one it replaces (I2).
"""

import asyncio
import hashlib
import logging
from collections.abc import Mapping, Sequence

import msgspec
from aiohttp import web

from common import limits
from common.clock import Clock
from common.errors import BadRequest, LogUnavailable
from common.log import Log
from common.logs import log_event
from common.model.record import BATCH_ID_BYTES, Marker, Record, marker_record, settled_record
from common.model.reroute import EpochOffset
from common.process.versions import decode_request
from common.process.web import error_response
from indexer.damage.publish_gate import RecordsRequest, RecordsResponse
from indexer.damage.rebuild import rebuild_record
from indexer.seal.partition_reader import PartitionReader, covered_end
from indexer.state.partition_state import PartitionState
from segment.columns import ColumnBlock
from segment.columns.segment_read import SegmentReader
from snapshot.cache import SegmentCache
from snapshot.damage.damage import covers

_CUT_AGAIN_NS = 10 * 10**9
_RESCUE_PAUSE_S = 1.0
logger = logging.getLogger(__name__)


def readable_offsets(
    partition: PartitionReader, epoch_number: int, offsets: Sequence[int]
) -> list[int]:
    """The records among these that this indexer has read and that no manifest covers yet."""
    state, view, covered = partition.state, partition.view, covered_end(partition)
    if state is None or view is None or view.epoch.number != epoch_number:
        return []
    return [
        offset
        for offset in offsets
        if covered <= offset < state.next_offset
        and not any(
            covers(one, EpochOffset(epoch_number, offset)) for one in state.quarantine.entries
        )
    ]


async def reappend(
    partition: PartitionReader, offsets: Sequence[int], log: Log, cache: SegmentCache
) -> list[int]:
    """Append the events of these records, which were read whole, once more.

    Returns the offsets that need no further wait. It skips records whose meaning depends on
    their offset: conditional batches and deletions of datasets. Raises LogUnavailable.
    """
    done = []
    state = partition.state
    batches = {} if state is None else _batches_at(state, frozenset(offsets))
    for offset in offsets:
        record = await _replacement(partition, offset, batches.get(offset), cache)
        if record is None:
            continue
        await log.append(partition.number, record)
        done.append(offset)
        log_event(
            logger,
            logging.WARNING,
            "events of a damaged record appended again",
            partition=partition.number,
            offset=offset,
            events=record.n,
        )
    return done


async def reappend_until_done(
    partition: PartitionReader, offsets: Sequence[int], log: Log, cache: SegmentCache
) -> None:
    """Append these records, which a published cut lacks, until the log accepts them.

    It retries without end because no other indexer may have their rows.
    """
    while True:
        try:
            await reappend(partition, offsets, log, cache)
            return
        except LogUnavailable as error:
            log_event(
                logger,
                logging.ERROR,
                "events of damaged records cannot be appended again now; trying again",
                partition=partition.number,
                why=str(error),
            )
        await asyncio.sleep(_RESCUE_PAUSE_S)


async def _replacement(
    partition: PartitionReader, offset: int, batch: bytes | None, cache: SegmentCache
) -> Record | None:
    """The record that replaces the one at `offset`.

    batch: the batch whose counting copy is at `offset`, if it is still in the window.
    """
    state, view = partition.state, partition.view
    if state is None or view is None:
        return None
    at = EpochOffset(view.epoch.number, offset)
    if at in state.reroutes.open or at in state.reroutes.view.dropped:
        return None
    if any(
        EpochOffset(one.epoch_number, one.offset) == at for one in state.dataset_tombstones.values()
    ):
        return None
    found = await asyncio.to_thread(_blocks_of, partition, offset, cache)
    if found is None and batch is not None:
        return None  # its rows are hidden: an operator decides
    if found is None:  # a control record, or a repetition
        return settled_record((at.epoch, at.offset), "nothing")
    (owner, blocks) = found
    if batch is None:  # it has left the window: its id cannot be repeated any more
        name = f"{at.epoch}:{at.offset}".encode()
        batch = hashlib.blake2b(name, digest_size=BATCH_ID_BYTES).digest()
    record = await asyncio.to_thread(
        lambda: rebuild_record(blocks, offset, owner=owner, batch=batch)
    )
    if record is None:
        return None
    return settled_record((at.epoch, at.offset), record.via, record)


def _batches_at(state: PartitionState, offsets: frozenset[int]) -> dict[int, bytes]:
    """Batches in the window whose counting copy is at one of these offsets, by offset."""
    carried = state.carried_state()
    return {
        offset: batch
        for window in carried.windows
        for batch, offset in window.items()
        if offset in offsets and batch not in carried.older
    }


def _blocks_of(
    partition: PartitionReader, offset: int, cache: SegmentCache
) -> tuple[tuple[str, str, str], list[ColumnBlock]] | None:
    """(owner, blocks) of the dataset with rows of the record, in memory or in sealed files."""
    view, pipeline = partition.view, partition.pipeline
    if view is None or pipeline is None:
        return None
    for dataset in view.live.datasets:
        blocks = [block for block in view.live.blocks(dataset) if (block.offset == offset).any()]
        if blocks:
            return (*pipeline.owners[dataset], dataset), blocks
    sealed = [entry for one in pipeline.waiting for entry in one.entries]
    entries = [one for one in sealed if one.first_offset <= offset < one.end_offset]
    found: dict[tuple[str, str, str], list[ColumnBlock]] = {}
    for entry in entries:
        with SegmentReader(cache.ensure(entry.location)) as reader:
            block = reader.block()
        if (block.offset == offset).any():
            found.setdefault((entry.team, entry.env, entry.dataset), []).append(block)
    return next(iter(found.items()), None)


class RecordsEndpoint:
    """`POST /internal/records` over the partitions of this indexer."""

    def __init__(
        self,
        partitions: Mapping[int, PartitionReader],
        log: Log,
        cache: SegmentCache,
        clock: Clock,
        appended_max: int = limits.DAMAGE_APPENDED_MAX,
    ) -> None:
        """appended_max: records appended for one request."""
        self._appended_max = appended_max
        self._partitions = partitions
        self._log = log
        self._cache = cache
        self._clock = clock
        self._cut_ns: dict[int, int] = {}
        # (partition, epoch number, offset) of records tried -> whether it was appended again
        self._tried: dict[tuple[int, int, int], bool] = {}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        try:
            question = decode_request(await request.read(), RecordsRequest)
            if len(question.offsets) > limits.DAMAGE_ASKED_MAX:
                raise BadRequest("too many records are asked for")
        except BadRequest as error:
            return error_response(error)
        answer = await self.answer(question)
        return web.Response(body=msgspec.json.encode(answer), content_type="application/json")

    async def answer(self, question: RecordsRequest) -> RecordsResponse:
        """The records read whole here. Starts to publish them, and appends them if requested."""
        partition = self._partitions.get(question.partition)
        if partition is None:
            return RecordsResponse()
        read = readable_offsets(partition, question.epoch_number, question.offsets)
        if not read:
            return RecordsResponse()
        appended: list[int] = []
        try:
            if question.append:
                appended = await self._append(partition, question.epoch_number, read)
            await self._cut(partition)
        except LogUnavailable as error:
            log_event(logger, logging.WARNING, "damaged records are not mended now", why=str(error))
        return RecordsResponse(tuple(read), tuple(appended))

    async def _append(
        self, partition: PartitionReader, epoch_number: int, read: list[int]
    ) -> list[int]:
        """Append some of these records again: each once, and first those not tried yet.

        Returns all that were appended, now or before. Raises LogUnavailable.
        """
        keys = {offset: (partition.number, epoch_number, offset) for offset in read}
        left = [offset for offset, key in keys.items() if not self._tried.get(key)]
        left.sort(key=lambda offset: keys[offset] in self._tried)
        some = left[: self._appended_max]
        done = await reappend(partition, some, self._log, self._cache)
        for offset in some:
            self._tried.pop(keys[offset], None)  # the newest are kept
            self._tried[keys[offset]] = offset in done
        while len(self._tried) > 2 * limits.DAMAGE_ASKED_MAX:
            del self._tried[next(iter(self._tried))]
        return [offset for offset, key in keys.items() if self._tried.get(key)]

    async def _cut(self, partition: PartitionReader) -> None:
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._cut_ns.get(partition.number, -_CUT_AGAIN_NS) < _CUT_AGAIN_NS:
            return
        self._cut_ns[partition.number] = now_ns
        marker = marker_record(Marker(hour=None, reason="a record is damaged"))
        await self._log.append(partition.number, marker)
