"""How many questions a key may begin in a minute."""

from collections import OrderedDict
from typing import Final

from common import limits
from common.clock import Clock
from common.errors import TooManyRequests
from common.process.fair.requester import Requester

_MINUTE_NS: Final = 60 * 10**9


class PerMinute:
    """So many at once, and as many in each minute after that; 0: any number.

    Use it from one event loop.
    """

    def __init__(self, most: int, clock: Clock) -> None:
        self._most = most
        self._clock = clock
        # by environment and key: what may begin now, and when that was counted
        self._left: OrderedDict[Requester, tuple[float, int]] = OrderedDict()

    def check(self, requester: Requester, what: str) -> None:
        """Count one more. Raises TooManyRequests with the time after which one may begin.

        what: the subject of the refusal, as in `This endpoint`.
        """
        most = self._most
        if not most:
            return
        now_ns = self._clock.monotonic_ns()
        left, at_ns = self._left.get(requester, (float(most), now_ns))
        left = min(float(most), left + (now_ns - at_ns) * most / _MINUTE_NS)
        if left < 1:
            wait_s = int((1 - left) * 60 / most) + 1
            raise TooManyRequests(f"{what} allows {most} requests per minute.", wait_s)
        self._left[requester] = left - 1, now_ns
        self._left.move_to_end(requester)
        if len(self._left) > limits.RATED_KEYS_MAX:
            self._left.popitem(last=False)
