"""`POST /internal/held`: which batches a partition holds that are undecided in another one.

The answer is for the position of the query's share, also if more has been indexed since (I2, I7).
"""

import asyncio
from collections.abc import Mapping

import msgspec
from aiohttp import web

from common import limits
from common.errors import BadRequest, ObjectsUnavailable
from common.model.reroute import EpochOffset
from common.process.versions import decode_request
from common.process.web import error_response
from indexer.rerouting.batch_lookup import find_copies
from indexer.seal.partition_reader import PartitionReader
from query.share.view.rerouted import BatchLookup, BatchLookupRequest, BatchLookupResponse
from snapshot.documents.batch_lists import ListsMissing


class LookupUnavailable(Exception):
    """It is unknown now whether the partition holds a batch; the text is the reason."""


async def counted_before(
    partition: PartitionReader, end: EpochOffset, asked: tuple[BatchLookup, ...]
) -> list[str]:
    """The batches among these that the partition counts, or may count, before `end`.

    Raises LookupUnavailable.
    """
    state, view, pipeline = partition.state, partition.view, partition.pipeline
    if state is None or view is None or pipeline is None:
        raise LookupUnavailable("the partition is being resumed")
    if EpochOffset(view.epoch.number, view.live.end_offset) < end:
        raise LookupUnavailable(f"indexed up to offset {view.live.end_offset}, not {end.offset}")
    wanted: dict[bytes, int] = {}
    for one in asked:
        batch = bytes.fromhex(one.batch)
        wanted[batch] = min(one.append_ns, wanted.get(batch, one.append_ns))
    try:
        copies = await find_copies(state, pipeline.lists, wanted)
    except (ListsMissing, ObjectsUnavailable) as error:
        raise LookupUnavailable(str(error)) from error
    dropped = frozenset(state.reroutes.view.dropped)
    return [
        batch.hex()
        for batch, copy in copies.items()
        if copy is not None and copy < end and copy not in dropped
    ]


class BatchLookupEndpoint:
    """The handler over the partitions of this indexer."""

    def __init__(self, partitions: Mapping[int, PartitionReader]) -> None:
        self._partitions = partitions

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        try:
            wanted = decode_request(await request.read(), BatchLookupRequest)
            if sum(len(some) for some in wanted.asked.values()) > limits.HELD_ASKED_MAX:
                raise BadRequest("too many batches are asked for")
            answer = await self.answer(wanted)
        except ValueError as error:
            return error_response(BadRequest(f"not a request for held batches: {error}"))
        except BadRequest as error:
            return error_response(error)
        return web.Response(body=msgspec.json.encode(answer), content_type="application/json")

    async def answer(self, wanted: BatchLookupRequest) -> BatchLookupResponse:
        """The batches that each partition holds. Raises ValueError for an invalid batch id."""
        answers = await asyncio.gather(
            *(self._of(number, wanted) for number in wanted.asked), return_exceptions=True
        )
        held: dict[int, list[str]] = {}
        unknown: dict[int, str] = {}
        for number, one in zip(wanted.asked, answers, strict=True):
            if isinstance(one, LookupUnavailable):
                unknown[number] = str(one)
            elif isinstance(one, BaseException):
                raise one
            else:
                held[number] = one
        return BatchLookupResponse(held, unknown)

    async def _of(self, number: int, wanted: BatchLookupRequest) -> list[str]:
        partition = self._partitions.get(number)
        if partition is None or number not in wanted.ends:
            raise LookupUnavailable("the partition is not held here")
        return await counted_before(
            partition, EpochOffset(*wanted.ends[number]), wanted.asked[number]
        )
