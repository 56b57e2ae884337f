"""Scrubs (reads again) the part of a single-copy log that no segment covers yet (I2).

A record that was read whole and has since been damaged on the disk would be lost with this process.
So a cut is requested as soon as damage is found, and its segment then covers the record. Logs on
servers have other copies.
"""

import logging

from common.clock import Clock
from common.errors import LogLost, LogUnavailable, OffsetGone
from common.log import Log
from common.logs import log_event
from common.model.record import Marker, marker_record
from indexer.damage.reappend import readable_offsets
from indexer.seal.partition_reader import PartitionReader, covered_end

_READ_BYTES = 2 * 1024 * 1024
_S_NS = 10**9
logger = logging.getLogger(__name__)


class Scrubber:
    """Scrubs one partition. A round reads at most the bytes of one cut: no more is uncovered."""

    def __init__(self, partition: PartitionReader, log: Log, clock: Clock, every_s: float) -> None:
        self._partition = partition
        self._log = log
        self._clock = clock
        self._every_s = every_s
        self._last_ns = self._clock.monotonic_ns()
        self._cut_for = -1  # a cut was requested for damage before this offset

    async def scrub_if_due(self) -> None:
        """Scrub once every `scrub_s`. Raises LogUnavailable."""
        now_ns = self._clock.monotonic_ns()
        if not self._every_s or now_ns - self._last_ns < self._every_s * _S_NS:
            return
        self._last_ns = now_ns
        await self.scrub()

    async def scrub(self) -> None:
        """Read the uncovered records from the disk, past any cache. Raises LogUnavailable."""
        partition, log, view = self._partition, self._log, self._partition.view
        if view is None or log.has_server_time():
            return
        offset, end = covered_end(partition), view.live.end_offset
        if offset >= end:
            return
        await log.read_again(partition.number, offset)  # makes the log read from the disk
        while offset < end:
            try:
                found = await log.read(partition.number, offset, _READ_BYTES, 0)
            except (OffsetGone, LogLost):
                return
            if not found:
                return
            bad = [one.offset for one in found if one.damage is not None]
            whole = readable_offsets(partition, view.epoch.number, bad)
            if whole and whole[-1] >= self._cut_for:
                self._cut_for = whole[-1] + 1
                await self._cut(whole)
                return
            offset = found[-1].offset + 1

    async def _cut(self, offsets: list[int]) -> None:
        log_event(
            logger,
            logging.ERROR,
            "records that were read whole are damaged in the log now: cutting, so that a segment "
            "covers them",
            partition=self._partition.number,
            records=len(offsets),
            first=offsets[0],
        )
        marker = marker_record(Marker(hour=None, reason="a record is damaged"))
        try:
            await self._log.append(self._partition.number, marker)
        except LogUnavailable:
            self._cut_for = -1  # try again in the next round
            raise
