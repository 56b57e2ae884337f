"""The identity of the log, refreshed while a role runs: partitions added, a log recreated (I5, I7).

A partition count that is lower than before is rejected, because records of the missing partitions
would silently be left out. The known count stays, and the reason is kept for readiness checks.
"""

import asyncio
import logging

from common.clock import Clock
from common.errors import LogUnavailable
from common.log.interface import Log, LogIdentity
from common.logs import log_event
from common.metrics import log_partitions, log_replaced_total
from common.tasks import run_every

REFRESH_S = 5.0
_REFRESH_AGAIN_NS = 10**9  # callers of `refresh` cause at most one request a second
logger = logging.getLogger(__name__)


class LogWatch:
    """The identity of an open log as of the last refresh. Used from one event loop."""

    def __init__(
        self, log: Log, identity: LogIdentity, clock: Clock, refresh_s: float = REFRESH_S
    ) -> None:
        self._log = log
        self._clock = clock
        self._refresh_s = refresh_s
        self._refreshed_ns = clock.monotonic_ns()
        self._refreshing = asyncio.Lock()
        self.identity = identity
        self.rejected = ""  # why the last identity was not adopted; "" if it was
        log_partitions.set(identity.partitions)

    @property
    def partitions(self) -> int:
        """The partition count; it never decreases."""
        return self.identity.partitions

    @property
    def epoch(self) -> str:
        """The epoch of the log's identity."""
        return self.identity.epoch

    async def refresh(self, *, at_once: bool = False) -> LogIdentity:
        """The identity of the log now.

        The known one if the log cannot be reached, or was refreshed less than a second ago and
        `at_once` is not set.
        """
        async with self._refreshing:
            now_ns = self._clock.monotonic_ns()
            if not at_once and now_ns - self._refreshed_ns < _REFRESH_AGAIN_NS:
                return self.identity
            try:
                found = await self._log.refresh()
            except LogUnavailable as error:
                log_event(logger, logging.INFO, "the log cannot be looked at", why=str(error))
                return self.identity
            self._refreshed_ns = self._clock.monotonic_ns()
            self._accept(found)
            return self.identity

    async def run(self) -> None:
        """Refresh periodically until cancelled."""
        await run_every(self._refresh_s, self.refresh)

    def _accept(self, found: LogIdentity) -> None:
        known = self.identity
        if found.epoch != known.epoch:
            log_replaced_total.inc()
            log_event(
                logger,
                logging.ERROR,
                "THE LOG IS ANOTHER ONE: it was recreated or replaced",
                was=known.epoch,
                now=found.epoch,
                partitions=found.partitions,
            )
        elif found.partitions > known.partitions:
            log_event(
                logger,
                logging.WARNING,
                "partitions were added",
                was=known.partitions,
                now=found.partitions,
            )
        rejected = ""
        if found.partitions < known.partitions:
            rejected = (
                f"the log has {found.partitions} partitions, it had {known.partitions}: what was "
                "in the others is not left out silently; give the topic as many partitions again"
            )
            if not self.rejected:
                log_event(logger, logging.ERROR, "partitions are missing", why=rejected)
        self.rejected = rejected
        self.identity = LogIdentity(found.epoch, max(found.partitions, known.partitions))
        log_partitions.set(self.identity.partitions)
