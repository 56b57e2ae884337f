"""The hourly export of the metadata, by the indexer that holds the lock (I4, I8).

The lock only saves work: two exports at once are harmless. Indexing does not depend on it: a
failure is counted, logged and retried at the next check.
"""

import asyncio
import logging

from common.errors import BellwetherError, Unavailable
from common.locks import Claim
from common.logs import log_event
from common.metrics import metadata_export_failures_total, metadata_exported_timestamp
from common.process.role import RoleContext
from common.tasks import run_every
from snapshot.metadata_export import MetadataExports

LOCK = "exports/metadata"
_CHECK_S = 30.0
_HOUR_NS = 3600 * 10**9
logger = logging.getLogger(__name__)


class MetadataExporter:
    """Exports once an hour, soon after the hour begins, while it holds the lock."""

    def __init__(self, context: RoleContext) -> None:
        self._context = context
        self._exports = MetadataExports(context.backends.objects, context.folder / "export")
        self._claim: Claim | None = None
        self._hour = -1

    async def run(self) -> None:
        """Export when due, until cancelled."""
        try:
            await run_every(_CHECK_S, self.export_if_due, at_once=True)
        finally:
            await self._release()

    async def export_if_due(self) -> bool:
        """Export if it is due and this process holds the lock. Returns whether it exported."""
        hour = self._context.clock.now_ns() // _HOUR_NS
        if hour == self._hour or not await self._holds_lock():
            return False
        try:
            version = await asyncio.to_thread(
                self._exports.export,
                self._context.backends.metadata,
                self._context.instance,
                self._context.clock.now_ns(),
            )
        except (BellwetherError, OSError) as error:
            metadata_export_failures_total.inc()
            log_event(
                logger,
                logging.WARNING,
                "metadata cannot be exported now; trying again",
                kind=type(error).__name__,
                why=str(error),
            )
            return False
        self._hour = hour
        metadata_exported_timestamp.set(self._context.clock.now_ns() / 1e9)
        log_event(
            logger,
            logging.INFO,
            "metadata exported",
            version=version.number,
            rows=sum(version.rows.values()),
            bytes=version.size_bytes,
        )
        return True

    async def _holds_lock(self) -> bool:
        try:
            if self._claim is not None and await asyncio.to_thread(self._claim.held):
                return True
            value = self._context.instance.encode()
            locks = self._context.backends.locks
            await self._release()
            self._claim = await asyncio.to_thread(locks.acquire, LOCK, value)
        except Unavailable as error:
            log_event(logger, logging.INFO, "no export: the locks are unavailable", why=str(error))
            return False
        return self._claim is not None

    async def _release(self) -> None:
        claim, self._claim = self._claim, None
        if claim is None:
            return
        try:
            await asyncio.to_thread(claim.release)
        except Unavailable as error:
            log_event(logger, logging.INFO, "lock of the export not released", why=str(error))
