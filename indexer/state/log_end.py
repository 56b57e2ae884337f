"""The bounds of a partition's log, as last read, and the lag of the view."""

from collections.abc import Callable

from common.clock import Clock
from common.log import Bounds, Log
from indexer.state.current_view import CurrentView

_STALE_NS = 5 * 10**9  # maintenance refreshes it every second
_ASK_NS = 20 * 10**9  # until the log is asked again for what it does not announce: its start


class LogEnd:
    """The log's bounds and the view's lag, of one partition.

    bounds: first offset of the log, and the offset after its last record, as last read.
    catch_up_to: offset that the view must reach before answers are complete again.
    """

    def __init__(
        self,
        number: int,
        log: Log,
        clock: Clock,
        views: CurrentView,
        lag_allowed: Callable[[], int],
    ) -> None:
        """lag_allowed: number of records that a complete answer may lack."""
        self.bounds = Bounds(0, 0)
        self.catch_up_to = 0
        self._number = number
        self._log = log
        self._clock = clock
        self._views = views
        self._lag_allowed = lag_allowed
        self._refreshed_ns: int | None = None
        self._asked_ns = 0

    async def refresh(self) -> Bounds:
        """Read the log's bounds. Raises LogUnavailable.

        A process that has not read them for a while (for example, because it was suspended) must
        catch up with the log's end before its answers are complete again.
        """
        was_stale = self.is_stale
        self.bounds = await self._log.bounds(self._number)
        self._refreshed_ns = self._asked_ns = self._clock.monotonic_ns()
        if was_stale:
            self.catch_up_to = self.bounds.end
        return self.bounds

    async def look(self) -> Bounds:
        """As `refresh`, but while the log announces its ends it is asked only now and then, so that
        quiet partitions cost nothing. The start may be some seconds old. Raises LogUnavailable.
        """
        now_ns, view = self._clock.monotonic_ns(), self._views.now
        known = self._log.known_end(self._number)
        if (
            known is None
            or self.is_stale
            or now_ns - self._asked_ns >= _ASK_NS
            or (view is not None and known < view.live.end_offset)  # read, but not announced
        ):
            return await self.refresh()
        self.bounds = Bounds(self.bounds.start, max(self.bounds.end, known))
        self._refreshed_ns = now_ns
        return self.bounds

    async def begin_catching_up(self) -> None:
        """Refresh; answers are complete once all records before the end are served."""
        await self.refresh()
        self.catch_up_to = self.bounds.end

    @property
    def is_stale(self) -> bool:
        """Whether the log's end has not been read for a while."""
        refreshed_ns = self._refreshed_ns
        return refreshed_ns is None or self._clock.monotonic_ns() - refreshed_ns > _STALE_NS

    @property
    def lag(self) -> int:
        """Number of records between the served view and the log's end, as last read."""
        end, view = self.bounds.end, self._views.now
        return max(1, end) if view is None else max(0, end - view.live.end_offset)

    @property
    def is_catching_up(self) -> bool:
        """Whether rows that were visible before, here or at the other indexer, may be missing."""
        view = self._views.now
        if view is None or self.is_stale:
            return True
        return view.live.end_offset < self.catch_up_to or self.lag > self._lag_allowed()
