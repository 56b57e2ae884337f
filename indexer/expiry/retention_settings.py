"""Retention periods of datasets: the indexers' setting, and the datasets' own settings.

They are read from the metadata about once a minute. Until the first read no event expires by age: a
dataset with a longer retention must not lose rows because the metadata is down (I8).
Rows and digests never depend on these settings (I3).
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from common.clock import Clock
from common.errors import MetadataUnavailable
from common.logs import log_event
from common.metadata import Metadata
from snapshot.retention.cutoffs import DAY_NS, Cutoffs, wanted_cutoffs

_FRESH_NS = 60 * 10**9
_AGAIN_NS = 10 * 10**9
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RetentionPeriods:
    """How long events are kept.

    default_days: days for datasets without a setting of their own; 0: for ever.
    own_days: days by dataset id, for datasets with a setting.
    """

    default_days: float
    own_days: Mapping[str, int]

    def cutoffs(self, now_ns: int) -> Cutoffs:
        """Append times up to which events should have expired at this time."""
        return wanted_cutoffs(now_ns, self.default_days, self.own_days)

    def due_ns(self, dataset: str, append_ns: int) -> int:
        """When an event that was appended at this time is to expire."""
        return append_ns + int(self.own_days.get(dataset, self.default_days) * DAY_NS)


class RetentionSettings:
    """The retention settings of all datasets, as last read. Used from one event loop."""

    def __init__(self, metadata: Metadata, clock: Clock, default_days: float) -> None:
        self._metadata = metadata
        self._clock = clock
        self._default_days = default_days
        self._own: Mapping[str, int] | None = None
        self._next_ns = clock.monotonic_ns()
        self._reading = asyncio.Lock()

    async def current(self) -> RetentionPeriods | None:
        """The present periods; None until they have been read once."""
        async with self._reading:
            now_ns = self._clock.monotonic_ns()
            if now_ns >= self._next_ns:
                try:
                    self._own = await asyncio.to_thread(self._metadata.list_retentions)
                    self._next_ns = now_ns + _FRESH_NS
                except MetadataUnavailable as error:
                    self._next_ns = now_ns + _AGAIN_NS
                    log_event(logger, logging.INFO, "retentions cannot be read", why=str(error))
            return None if self._own is None else RetentionPeriods(self._default_days, self._own)
