"""Where a partition's log begins and ends, as last seen, and how far the view is from its end."""

from collections.abc import Callable

from common.clock import Clock
from common.log import Bounds, Log
from indexer.state.current_view import CurrentView

_STALE_NS = 5 * 10**9  # maintenance refreshes it every second


class LogEnd:
    """Of one partition.

    bounds: first offset of the log, and the one after its last record, as last seen.
    catch_up_to: the view is whole again once it has come to this offset.
    """

    def __init__(
        self,
        number: int,
        log: Log,
        clock: Clock,
        views: CurrentView,
        lag_allowed: Callable[[], int],
    ) -> None:
        """lag_allowed: records that an answer may lack without being called incomplete."""
        self.bounds = Bounds(0, 0)
        self.catch_up_to = 0
        self._number = number
        self._log = log
        self._clock = clock
        self._views = views
        self._lag_allowed = lag_allowed
        self._refreshed_ns: int | None = None

    async def refresh(self) -> Bounds:
        """See how far the log is now. Raises LogUnavailable.

        A process that has not seen it for a while (say, because it was stopped) has to catch up
        with what it finds before its answers are whole again.
        """
        was_stale = self.is_stale
        self.bounds = await self._log.bounds(self._number)
        self._refreshed_ns = self._clock.monotonic_ns()
        if was_stale:
            self.catch_up_to = self.bounds.end
        return self.bounds

    async def begin_catching_up(self) -> None:
        """Refresh; answers are whole once everything before the end is served."""
        await self.refresh()
        self.catch_up_to = self.bounds.end

    @property
    def is_stale(self) -> bool:
        """Whether the log's end has not been seen for a while."""
        refreshed_ns = self._refreshed_ns
        return refreshed_ns is None or self._clock.monotonic_ns() - refreshed_ns > _STALE_NS

    @property
    def lag(self) -> int:
        """Records between the log's end, as last seen, and what is served."""
        end, view = self.bounds.end, self._views.now
        return max(1, end) if view is None else max(0, end - view.live.end_offset)

    @property
    def is_catching_up(self) -> bool:
        """Whether rows that were visible before, here or at the twin, may not be here yet."""
        view = self._views.now
        if view is None or self.is_stale:
            return True
        return view.live.end_offset < self.catch_up_to or self.lag > self._lag_allowed()
