"""The work of reading one body: counted in units, bounded, and cancelled with the request.

A unit is about what the exact scanners need for one token: two microseconds. Units count what was
read, never time, so the same body is refused on every machine (I11, I14).
"""

from collections.abc import Callable
from typing import Final

from common import limits
from common.errors import BadRequest, Unavailable

STEP_UNITS: Final = 256  # between two checks of the units left: half a millisecond
_GIVE_WAY_UNITS: Final = 1_024  # between two pauses, in which other threads may run


class TooMuchWork(BadRequest):
    """The body needs more units than one body may use; nothing of it is stored."""

    def __init__(self, units_max: int) -> None:
        super().__init__(
            "Request body takes too much work to read."
            f" (the limit is {units_max} units, about one for each token that has"
            " to be looked at closely; send its events in several bodies)"
        )


class WorkStopped(Unavailable):
    """The client no longer waits for the result."""

    def __init__(self) -> None:
        super().__init__("nobody waits for this request any more")


class Work:
    """Units left for one body. One thread spends them; any other may stop it.

    give_way: called periodically, so that a long scan does not keep other threads from running.
    """

    __slots__ = ("_give_way", "_since_pause", "_stopped", "_units_max", "left")

    def __init__(
        self, units_max: int | None = None, give_way: Callable[[], None] = lambda: None
    ) -> None:
        self._units_max = limits.BODY_WORK_UNITS_MAX if units_max is None else units_max
        self.left = self._units_max
        self._give_way = give_way
        self._since_pause = 0
        self._stopped = False

    def stop(self) -> None:
        """End the work at its next check, because the client no longer waits."""
        self._stopped = True

    def check(self) -> None:
        """Raises WorkStopped if `stop` was called."""
        if self._stopped:
            raise WorkStopped

    def spend(self, units: int) -> None:
        """Count units that are done or have begun. Raises TooMuchWork, WorkStopped."""
        self.left -= units
        if self.left < 0:
            raise TooMuchWork(self._units_max)
        self._since_pause += units
        if self._since_pause >= _GIVE_WAY_UNITS:
            self._since_pause = 0
            self._give_way()
        self.check()
