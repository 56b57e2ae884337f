"""Writes bases of compaction documents, so that these do not become ever more (I4, I11)."""

import logging
from functools import partial

from common.clock import Clock
from common.errors import BellwetherError
from common.logs import log_event
from common.process.versions import DOCUMENTS_BASES, DocumentGate
from indexer.partition.partition import Partition
from indexer.upkeep.compaction.budget import RequestBudget
from indexer.upkeep.compaction.quiet_thread import QuietThread
from indexer.upkeep.compaction.turns import Turns

_AGAIN_NS = 600 * 10**9  # pause of a partition after a failure
_S_NS = 10**9
logger = logging.getLogger(__name__)


class BaseWriter:
    """Writes the bases of all partitions, as a part of their compaction. Used from one event loop.

    delay_s: how long a partition's second indexer leaves it to the first.
    """

    def __init__(
        self,
        gate: DocumentGate,
        clock: Clock,
        turns: Turns,
        thread: QuietThread,
        budget: RequestBudget,
        delay_s: int,
    ) -> None:
        self._gate = gate
        self._clock = clock
        self._turns = turns
        self._thread = thread
        self._budget = budget
        self._delay_ns = delay_s * _S_NS
        self._due_since_ns: dict[int, int] = {}
        self._again_ns: dict[int, int] = {}

    async def write_due(self, partition: Partition) -> bool:
        """Write a base if one is due and may be written; returns whether it was.

        A failure is logged and tried again later: compaction does not depend on bases.
        """
        number, book = partition.number, partition.compactions
        if not book.base_due():
            self._due_since_ns.pop(number, None)
            return False
        now_ns = self._clock.monotonic_ns()
        waited_ns = now_ns - self._due_since_ns.setdefault(number, now_ns)
        if now_ns < self._again_ns.get(number, 0) or not self._budget.has_room:
            return False
        if not self._may_write() or partition.stopped_reason is not None:
            return False
        if waited_ns < await self._turns.rank(number) * self._delay_ns:
            return False
        try:
            documents = book.number - book.base_number
            written = await self._thread.run(partial(book.write_base, self._may_write))
            self._budget.use(documents + 3 * book.base_parts)  # a part is read, put, read back
        except (BellwetherError, OSError) as error:
            self._again_ns[number] = now_ns + _AGAIN_NS
            text = "no base of compactions was written"
            why = str(error)
            log_event(logger, logging.WARNING, text, partition=number, why=why)
            return False
        if written:
            text, base = "base of compactions written", book.base_number
            log_event(logger, logging.INFO, text, partition=number, document=base)
        return written

    def _may_write(self) -> bool:
        return self._gate.allows(DOCUMENTS_BASES)
