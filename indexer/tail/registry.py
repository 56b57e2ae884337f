"""All tails of an indexer: bounded in number, shared between environments and keys (I11, I14)."""

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor

from common import limits
from common.process.fair.queue import FairLimits, FairQueue, Ticket
from indexer.tail.filtered import TAIL_DATABASE, FilteredTail, IndexedRows
from indexer.tail.tail import (
    TAIL_LIMITS,
    Tail,
    TailLimits,
    TailRecord,
    TailSubscription,
    batch_heading,
    tail_line,
)
from query.share.compute.database import Databases
from query.wire.tail import TailFilter
from segment.columns import ColumnBlock

AnyTail = Tail | FilteredTail
EVERYTHING = TailFilter()


class TailRegistry:
    """All tails of this indexer, bounded and shared between environments and keys (I14)."""

    def __init__(self, bounds: TailLimits = TAIL_LIMITS) -> None:
        self.bounds = bounds
        shares = FairLimits(
            bounds.tails_max,
            waiting_max=0,
            env_per_free=limits.TAILS_ENV_PER_FREE,
            key_per_free=limits.TAILS_KEY_PER_FREE,
        )
        self._queue = FairQueue(shares)
        self._tails: dict[AnyTail, Ticket] = {}
        # One thread filters for all tails: conditions never take more than one core.
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="tail")
        self._databases = Databases(TAIL_DATABASE, 1)

    def open(self, subscription: TailSubscription, choice: TailFilter = EVERYTHING) -> AnyTail:
        """Open a tail. Raises NoRoom."""
        env = subscription.env or subscription.dataset
        ticket = self._queue.enter(env, subscription.key).ticket
        tail: AnyTail = Tail(subscription, self.bounds)
        if not choice.is_everything:
            tail = FilteredTail(subscription, choice, self._threads, self._databases, self.bounds)
        self._tails[tail] = ticket
        return tail

    def close(self, tail: AnyTail) -> None:
        """Remove a tail whose reader has disconnected."""
        if (ticket := self._tails.pop(tail, None)) is not None:
            self._queue.leave(ticket)

    def followed_datasets(self, partition: int) -> frozenset[str]:
        """Datasets that a reader follows in this partition."""
        return frozenset(
            tail.subscription.dataset
            for tail in self._tails
            if tail.subscription.includes(partition)
        )

    def publish(
        self,
        dataset: str,
        partition: int,
        records: Collection[TailRecord],
        blocks: Sequence[ColumnBlock] = (),
    ) -> None:
        """Offer newly indexed records, and their rows, to the readers of their dataset."""
        readers = [
            tail
            for tail in self._tails
            if tail.subscription.dataset == dataset and tail.subscription.includes(partition)
        ]
        if not readers:
            return
        filtered = [tail for tail in readers if isinstance(tail, FilteredTail)]
        if filtered and blocks:
            indexed = IndexedRows(partition, tuple(records), tuple(blocks))
            for tail in filtered:
                tail.offer(indexed)
        unfiltered = [tail for tail in readers if isinstance(tail, Tail)]
        for record in records if unfiltered else ():
            newest = record.lines.splitlines()[-self.bounds.events_max :]
            events = [event for line in newest if (event := tail_line(line)) is not None]
            for one in unfiltered:
                one.put(batch_heading(partition, record.batch), events)
