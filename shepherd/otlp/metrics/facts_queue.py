"""Brings facts of columns to metadata, once per process and column, off the way of requests.

They stand beside what users write, never in its place. Nothing waits for them: they are dropped
while metadata fails, and offered again with the next data points.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from common import limits, metrics
from common.clock import Clock
from common.errors import BellwetherError
from common.logs import log_event
from common.metadata import ColumnFacts, Metadata
from common.model.names import column_id
from shepherd.otlp.metrics.column_facts import FactsByHash
from shepherd.otlp.metrics.values import Metric

_SECOND_NS: Final = 10**9
_PAUSE_S: Final = 0.2  # between two datasets: the facts of several requests are stored together
_logger = logging.getLogger(__name__)


class FactsQueue:
    """Facts on their way to metadata. Use it from one event loop.

    Each environment has a queue of its own, of bounded length, and its turn (I14).
    """

    def __init__(self, metadata: Metadata, clock: Clock, pause_s: float = _PAUSE_S) -> None:
        self._metadata = metadata
        self._clock = clock
        self._pause_s = pause_s
        # By environment, in the order of their turns: by dataset, by the name of the column.
        self._waiting: OrderedDict[str, dict[str, dict[str, Metric]]] = OrderedDict()
        # Hashes of what was sent, by dataset, the one used last at the end.
        self._sent: OrderedDict[str, set[int]] = OrderedDict()
        self._sent_count = 0
        self._retry_ns = 0
        self._there = asyncio.Event()

    def offer(self, environment: str, dataset_id: str, facts: FactsByHash) -> None:
        """Queue those facts of a dataset that were not sent yet. Returns at once.

        environment, dataset_id: ids.
        """
        sent = self._sent.setdefault(dataset_id, set())
        self._sent.move_to_end(dataset_id)
        new = facts.keys() - sent
        if not new:
            return
        taken = list(new)[: self._room(environment)]
        metrics.column_facts_dropped_total.inc(len(new) - len(taken))
        if not taken:
            return
        sent.update(taken)
        self._sent_count += len(taken)
        columns = self._waiting.setdefault(environment, {}).setdefault(dataset_id, {})
        columns |= {facts[one].name: facts[one] for one in taken}
        self._there.set()
        while self._sent_count > limits.COLUMN_FACTS_SENT_MAX:
            self._forget(next(iter(self._sent)))

    def _room(self, environment: str) -> int:
        """How many more facts an environment may have in its queue."""
        waiting = self._waiting.get(environment)
        if self._clock.monotonic_ns() < self._retry_ns:
            return 0
        if waiting is None:
            is_full = len(self._waiting) >= limits.COLUMN_FACTS_ENVIRONMENTS_MAX
            return 0 if is_full else limits.COLUMN_FACTS_WAITING_MAX
        held = sum(len(columns) for columns in waiting.values())
        return max(0, limits.COLUMN_FACTS_WAITING_MAX - held)

    def _forget(self, dataset_id: str) -> None:
        self._sent_count -= len(self._sent.pop(dataset_id, ()))

    async def run(self) -> None:
        """Send what is offered, until it is cancelled."""
        while True:
            await self._there.wait()
            await asyncio.sleep(self._pause_s)
            environment, datasets = self._waiting.popitem(last=False)
            dataset_id = next(iter(datasets))
            columns = datasets.pop(dataset_id)
            if datasets:
                self._waiting[environment] = datasets  # its next turn is after all others'
            elif not self._waiting:
                self._there.clear()
            await self._send(dataset_id, list(columns.values()))

    async def _send(self, dataset_id: str, facts: Sequence[Metric]) -> None:
        try:
            await asyncio.to_thread(self._store, dataset_id, facts)
        except BellwetherError as error:
            metrics.column_facts_dropped_total.inc(len(facts))
            self._forget(dataset_id)
            wait_ns = limits.METADATA_RETRY_S * _SECOND_NS
            self._retry_ns = self._clock.monotonic_ns() + wait_ns
            log_event(_logger, logging.WARNING, "facts of columns are dropped", why=str(error))

    def _store(self, dataset_id: str, facts: Sequence[Metric]) -> None:
        """Store what metadata does not have yet, within the dataset's bound. Blocks."""
        dataset = self._metadata.get_dataset(dataset_id)
        since_ns = 0 if dataset is None else dataset.created_ns
        stored = {one.id: one for one in self._metadata.list_column_facts(dataset_id)}
        now_ns = max(self._clock.now_ns(), since_ns)  # the dataset's is another process's clock
        rows = [_row(dataset_id, one, now_ns) for one in facts]
        changed = [row for row in rows if _changes(row, stored.get(row.id), since_ns)]
        new = [row for row in rows if row.id not in stored]
        fitting = new[: max(0, limits.COLUMN_DEFINITIONS_MAX - len(stored))]
        metrics.column_facts_dropped_total.inc(len(new) - len(fitting))
        self._metadata.put_column_facts([*changed, *fitting])


def _row(dataset_id: str, facts: Metric, now_ns: int) -> ColumnFacts:
    return ColumnFacts(
        id=column_id(dataset_id, facts.name),
        dataset_id=dataset_id,
        name=facts.name,
        kind=facts.kind.value,
        unit=facts.unit,
        temporality=facts.temporality.value,
        monotonic=facts.monotonic,
        description=facts.description,
        updated_ns=now_ns,
    )


def _changes(row: ColumnFacts, stored: ColumnFacts | None, since_ns: int) -> bool:
    """Whether metadata has something else, or has it of a deleted dataset of the same name."""
    if stored is None:
        return False
    return stored.updated_ns < since_ns or replace(stored, updated_ns=row.updated_ns) != row
