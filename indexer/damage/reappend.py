"""What this indexer has read whole and the log holds damaged: published soon, or appended again.

Another indexer that cannot read a record asks for it. The cut that this one then makes puts the
rows where no log is needed. If the other one cannot wait for that, or has published first, the
events go to the log again, in a record that says which one it stands for (I2).
"""

import asyncio
import hashlib
import logging
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec
from aiohttp import web

from common import limits
from common.clock import Clock
from common.errors import BadRequest, LogUnavailable
from common.log import Log
from common.logs import log_event
from common.model.record import BATCH_ID_BYTES, Marker, Record, marker_record, settled_record
from common.model.reroute import EpochOffset
from common.process.web import error_response
from indexer.damage.publish_gate import RecordsRequest, RecordsResponse
from indexer.damage.rebuild import rebuild_record
from indexer.partition.shared import Shared
from indexer.seal.pipeline import SealingPipeline
from indexer.state.partition_state import PartitionState
from indexer.state.view import PartitionView
from segment.columns import ColumnBlock
from segment.columns.segment_read import SegmentReader
from snapshot.damage.damage import holds

_CUT_AGAIN_NS = 10 * 10**9
_RESCUE_PAUSE_S = 1.0
logger = logging.getLogger(__name__)


class RecordSource(Protocol):
    """A partition, as those who ask for its records see it."""

    @property
    def number(self) -> int:
        """The partition's number."""

    @property
    def shared(self) -> Shared:
        """What it has in common with the others."""

    @property
    def state(self) -> PartitionState | None:
        """What its records mean."""

    @property
    def view(self) -> PartitionView | None:
        """What is served now."""

    @property
    def pipeline(self) -> SealingPipeline | None:
        """Its cuts that are not published yet."""

    @property
    def covered_end(self) -> int:
        """The first offset of the present epoch that no published cut covers."""

    @property
    def owners(self) -> Mapping[str, tuple[str, str]]:
        """dataset -> (team, env) of what is in no manifest."""


def readable_offsets(
    partition: RecordSource, epoch_number: int, offsets: Sequence[int]
) -> list[int]:
    """Which of the records this indexer has read and no manifest covers yet."""
    state, view, covered = partition.state, partition.view, partition.covered_end
    if state is None or view is None or view.epoch.number != epoch_number:
        return []
    return [
        offset
        for offset in offsets
        if covered <= offset < state.next_offset
        and not any(
            holds(one, EpochOffset(epoch_number, offset)) for one in state.quarantine.entries
        )
    ]


async def reappend(partition: RecordSource, offsets: Sequence[int]) -> list[int]:
    """Append the events of these records, which were read whole, once more.

    Returns those that need not be waited for any longer. Left out are records whose meaning
    depends on their place: conditional batches and deletions of datasets. Raises LogUnavailable.
    """
    done = []
    state = partition.state
    batches = {} if state is None else _batches_at(state, frozenset(offsets))
    for offset in offsets:
        record = await _replacement(partition, offset, batches.get(offset))
        if record is None:
            continue
        await partition.shared.context.backends.log.append(partition.number, record)
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


async def reappend_until_done(partition: RecordSource, offsets: Sequence[int]) -> None:
    """A cut without these records was published, and their rows are here: append them again.

    Until the log takes them: nobody else may have them.
    """
    while True:
        try:
            await reappend(partition, offsets)
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


async def _replacement(partition: RecordSource, offset: int, batch: bytes | None) -> Record | None:
    """batch: the one whose copy that counts is there, if it is in the window."""
    state, view = partition.state, partition.view
    if state is None or view is None:
        return None
    place = EpochOffset(view.epoch.number, offset)
    if place in state.reroutes.open or place in state.reroutes.view.dropped:
        return None
    if any(EpochOffset(one.epoch_number, one.offset) == place for one in state.gone.values()):
        return None
    found = await asyncio.to_thread(_blocks_of, partition, offset)
    if found is None and batch is not None:
        return None  # its rows are hidden here: an operator decides
    if found is None:  # a control record, or a repetition
        return settled_record((place.epoch, place.offset), "nothing")
    (owner, blocks) = found
    if batch is None:  # it has left the window: nobody can repeat it under its own id any more
        name = f"{place.epoch}:{place.offset}".encode()
        batch = hashlib.blake2b(name, digest_size=BATCH_ID_BYTES).digest()
    record = await asyncio.to_thread(
        lambda: rebuild_record(blocks, offset, owner=owner, batch=batch)
    )
    if record is None:
        return None
    return settled_record((place.epoch, place.offset), record.via, record)


def _batches_at(state: PartitionState, offsets: frozenset[int]) -> dict[int, bytes]:
    """By offset of the present epoch, the batches in the window whose copies there count."""
    carried = state.carried()
    return {
        offset: batch
        for window in carried.windows
        for batch, offset in window.items()
        if offset in offsets and batch not in carried.older
    }


def _blocks_of(
    partition: RecordSource, offset: int
) -> tuple[tuple[str, str, str], list[ColumnBlock]] | None:
    """Owner and blocks of the dataset that has rows of the record, in memory or in sealed files."""
    view, pipeline = partition.view, partition.pipeline
    if view is None or pipeline is None:
        return None
    for dataset in view.live.datasets:
        blocks = [block for block in view.live.blocks(dataset) if (block.offset == offset).any()]
        if blocks:
            return (*partition.owners[dataset], dataset), blocks
    sealed = [entry for one in pipeline.waiting for entry in one.entries]
    entries = [one for one in sealed if one.first_offset <= offset < one.end_offset]
    found: dict[tuple[str, str, str], list[ColumnBlock]] = {}
    for entry in entries:
        with SegmentReader(partition.shared.cache.ensure(entry.object)) as reader:
            block = reader.block()
        if (block.offset == offset).any():
            found.setdefault((entry.team, entry.env, entry.dataset), []).append(block)
    return next(iter(found.items()), None)


class RecordsEndpoint:
    """`POST /internal/records` over the partitions of this indexer."""

    def __init__(self, partitions: Mapping[int, RecordSource], log: Log, clock: Clock) -> None:
        self._partitions = partitions
        self._log = log
        self._clock = clock
        self._cut_ns: dict[int, int] = {}
        # (partition, epoch number, offset) -> whether it was appended again, of those tried
        self._tried: dict[tuple[int, int, int], bool] = {}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one question."""
        try:
            question = msgspec.json.decode(await request.read(), type=RecordsRequest)
            if len(question.offsets) > limits.DAMAGE_ASKED_MAX:
                raise BadRequest("too many records are asked for")
        except msgspec.DecodeError:
            return error_response(BadRequest("not a question for records"))
        except BadRequest as error:
            return error_response(error)
        answer = await self.answer(question)
        return web.Response(body=msgspec.json.encode(answer), content_type="application/json")

    async def answer(self, question: RecordsRequest) -> RecordsResponse:
        """What was read whole here; publishing of it begins, and appending if that is asked for."""
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
        self, partition: RecordSource, epoch_number: int, read: list[int]
    ) -> list[int]:
        """Append some of these again: each once, and first what was not tried yet.

        Returns all that were appended, now or before. Raises LogUnavailable.
        """
        places = {offset: (partition.number, epoch_number, offset) for offset in read}
        left = [offset for offset, place in places.items() if not self._tried.get(place)]
        left.sort(key=lambda offset: places[offset] in self._tried)
        some = left[: limits.DAMAGE_APPENDED_MAX]
        done = await reappend(partition, some)
        for offset in some:
            self._tried.pop(places[offset], None)  # the newest are kept
            self._tried[places[offset]] = offset in done
        while len(self._tried) > 2 * limits.DAMAGE_ASKED_MAX:
            del self._tried[next(iter(self._tried))]
        return [offset for offset, place in places.items() if self._tried.get(place)]

    async def _cut(self, partition: RecordSource) -> None:
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._cut_ns.get(partition.number, -_CUT_AGAIN_NS) < _CUT_AGAIN_NS:
            return
        self._cut_ns[partition.number] = now_ns
        marker = marker_record(Marker(hour=None, reason="a record is damaged"))
        await self._log.append(partition.number, marker)
