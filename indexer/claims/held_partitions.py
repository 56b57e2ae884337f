"""The partitions that this process holds, gained and lost with its claims, and their tasks."""

import asyncio
from contextlib import suppress

from common.metrics import lag_records
from common.tasks import run_together
from indexer.damage.recovery import DamageRecovery
from indexer.partition.maintenance import PartitionMaintenance
from indexer.partition.partition import Partition
from indexer.partition.shared import Shared
from indexer.rerouting.reroute_messages import RerouteMessenger


class HeldPartitions:
    """Starts and stops the tasks of each partition. Used from one event loop."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.partitions: dict[int, Partition] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def gain(self, number: int) -> None:
        """Start to index a partition, unless it is being indexed."""
        if number in self._tasks:
            return
        context = self.shared.context
        partition = Partition(number, self.shared)
        self.partitions[number] = partition
        self._tasks[number] = asyncio.create_task(
            run_together(
                partition.run(),
                PartitionMaintenance(partition).run(),
                RerouteMessenger(partition, context).run(),
                DamageRecovery(
                    partition, context.backends.log, context.clock, self.shared.config.scrub_s
                ).run(),
            )
        )

    async def lose(self, number: int) -> None:
        """Stop indexing a partition that another process continues to index."""
        await self._end(number)
        self.shared.context.alarms.forget(number)  # its next holder raises them

    async def _end(self, number: int) -> None:
        self.partitions.pop(number, None)
        task = self._tasks.pop(number, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        with suppress(KeyError):
            lag_records.remove(str(number))  # this process no longer measures its lag

    async def close(self) -> None:
        """Stop indexing all partitions."""
        for number in list(self._tasks):
            await self._end(number)

    def resync_after_log_change(self, log_id: str) -> None:
        """Resume the partitions that still read an earlier log, in a new epoch of this one."""
        for partition in self.partitions.values():
            if partition.view is not None and partition.view.epoch.log != log_id:
                partition.request_resync(f"the log is {log_id} now, not {partition.view.epoch.log}")

    def not_ready(self, number: int) -> str | None:
        """Why this indexer has not caught up with the partition; None if it has."""
        partition = self.partitions.get(number)
        if partition is None:
            return f"partition {number} is not claimed"
        if partition.view is None:
            return f"partition {number} is being resumed"
        if partition.stopped_reason is not None:
            return f"partition {number} {partition.stopped_reason}"
        if partition.log_end.lag > self.shared.config.ready_lag_records:
            return f"partition {number} lags by {partition.log_end.lag} records"
        if partition.view.live.end_offset < partition.log_end.catch_up_to:
            return f"partition {number} is catching up with the log"
        return None
