"""Gathers events of a dataset into records and appends them; returns once the log has them (I1).

Events of a dataset that arrive within the linger time go into one record of bounded size. Each
caller gets the outcome of its own events, record by record. Batches that a client named are cut the
same way every time and never gathered with others (I2).
"""

import asyncio
import random
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from common import limits
from common.errors import LogUnavailable
from common.model.names import client_batch_id
from common.model.position import Position
from common.model.record import BATCH_ID_BYTES, Record
from common.model.record_value import events_record
from shepherd.delivery.delivery import Delivery
from shepherd.ingest.decoded_events import Lines, Stored, Target

_COMPRESS_THREADS = 2
_NAMED_CHUNK_BYTES = limits.RECORD_RAW_BYTES_MAX * 7 // 10  # of data; the rest is envelopes
# zstd takes 0.2 ms for this size, as long as splitting may take on the loop; a thread costs 25 us
# of CPU more, a fifteenth of what a body of 100 wide events costs in all.
_COMPRESS_OFF_LOOP_BYTES = 98_304

T = TypeVar("T")


class _Pile:
    """The lines of a future record, and its waiting callers: each can be cancelled by itself."""

    __slots__ = ("events", "lines", "size", "waiting")

    def __init__(self) -> None:
        self.lines: list[bytes] = []  # each of any number of events
        self.events = 0
        self.size = 0
        self.waiting: list[asyncio.Future[Position | LogUnavailable]] = []

    def end(self, outcome: Position | LogUnavailable) -> None:
        """Wake every waiting caller with the outcome."""
        waiting, self.waiting = self.waiting, []
        for one in waiting:
            if not one.done():
                one.set_result(outcome)


class Batcher:
    """Use it from one event loop."""

    def __init__(self, delivery: Delivery, rng: random.Random, linger_ms: float) -> None:
        self._delivery = delivery
        self._random = rng
        self._linger_s = linger_ms / 1000
        self._open: dict[Target, _Pile] = {}
        self._flushing: set[asyncio.Task[Any]] = set()
        self._threads = ThreadPoolExecutor(_COMPRESS_THREADS, thread_name_prefix="zstd")

    async def put(self, target: Target, lines: Lines) -> list[Stored]:
        """Store events, gathered with others; returns when the outcome of each is known."""
        loop = asyncio.get_running_loop()
        parts: list[tuple[asyncio.Future[Position | LogUnavailable], int]] = []
        first = 0
        while first < lines.events:
            pile = self._open.get(target)
            size = 0 if pile is None else pile.size
            end = lines.fitting(first, limits.RECORD_RAW_BYTES_MAX - size)
            if end == first and pile is not None:
                self._close(target, pile)
                continue
            if pile is None:
                pile = self._open[target] = _Pile()
                loop.call_later(self._linger_s, self._close, target, pile)
            end = max(end, first + 1)  # however large: the largest event fits a record
            text = lines.between(first, end)
            pile.lines.append(text)
            pile.events += end - first
            pile.size += len(text)
            done: asyncio.Future[Position | LogUnavailable] = loop.create_future()
            pile.waiting.append(done)
            parts.append((done, end - first))
            first = end
        return [Stored(count, await done) for done, count in parts]

    async def put_named(self, target: Target, lines: Lines, client_id: str) -> list[Stored]:
        """Store a batch that the client named: in its own records, with the same ids and partitions
        at every repetition. Chunks are cut by the bytes of the events' data alone, since a line
        may contain the arrival time.
        """
        chunks: list[tuple[int, int]] = []
        first = 0
        while first < lines.events:
            end = max(first + 1, lines.fitting_data(first, _NAMED_CHUNK_BYTES))
            end = min(end, first + limits.NAMED_CHUNK_EVENTS_MAX)
            chunks.append((first, end))
            first = end
        tasks = [
            self._track(
                self._append_named(target, lines.between(begin, end), end - begin, client_id, n)
            )
            for n, (begin, end) in enumerate(chunks)
        ]
        outcomes = await asyncio.shield(asyncio.gather(*tasks))
        return [
            Stored(end - begin, outcome)
            for (begin, end), outcome in zip(chunks, outcomes, strict=True)
        ]

    async def _append_named(
        self, target: Target, text: bytes, events: int, client_id: str, chunk: int
    ) -> Position | LogUnavailable:
        batch = client_batch_id(target.env_id, target.dataset_id, client_id, chunk)
        return await self._append(target, [text], events, batch, named=True)

    def _close(self, target: Target, pile: _Pile) -> None:
        """Stop adding to the pile and write it."""
        if self._open.get(target) is not pile:
            return  # it was full before the linger time ended
        del self._open[target]
        self._track(self._flush(target, pile))

    def _track(self, work: Coroutine[None, None, T]) -> asyncio.Task[T]:
        """Run `work` to its end even if its client disconnects."""
        task = asyncio.get_running_loop().create_task(work)
        self._flushing.add(task)
        task.add_done_callback(self._flushing.discard)
        return task

    async def _flush(self, target: Target, pile: _Pile) -> None:
        batch = self._random.randbytes(BATCH_ID_BYTES)
        try:
            pile.end(await self._append(target, pile.lines, pile.events, batch, named=False))
        finally:  # also after a bug or a cancel: no caller may wait for ever
            pile.end(LogUnavailable("could not be written; try again"))

    async def _append(
        self, target: Target, lines: list[bytes], events: int, batch: bytes, *, named: bool
    ) -> Position | LogUnavailable:
        def build() -> Record:
            return events_record(
                team=target.team_id,
                env=target.env_id,
                dataset=target.dataset_id,
                batch=batch,
                depth=target.depth,
                via="",
                lines=lines,
                n=events,
            )

        if sum(map(len, lines)) > _COMPRESS_OFF_LOOP_BYTES:
            loop = asyncio.get_running_loop()
            record = await loop.run_in_executor(self._threads, build)
        else:
            record = build()
        return await self._delivery.deliver(record, named=named)

    async def close(self) -> None:
        """Write the gathered events, wait for every append, release the threads."""
        for target, pile in list(self._open.items()):
            self._close(target, pile)
        while self._flushing:
            await asyncio.wait(self._flushing)
        await self._delivery.close()
        self._threads.shutdown(wait=False)
