"""What an installation may forbid, as the vendor does: long or old ranges, many queries a minute,
comparisons with other times than a list of its own. None is on unless it is set.
"""

from typing import Final

from common.clock import Clock
from common.errors import BadRequest
from common.process.fair.requester import Requester
from query.asking.rate import PerMinute
from query.config import QueryConfig
from query.faults import SpecError
from query.plan.planner import QueryRequest

# The offsets, in s, with which the vendor's API compares.
VENDOR_OFFSETS_S: Final = (1_800, 3_600, 7_200, 28_800, 86_400, 604_800, 2_419_200, 15_724_800)


class Restrictions:
    """The restrictions of a query role. Use it from one event loop."""

    def __init__(self, config: QueryConfig, clock: Clock) -> None:
        self._config = config
        self._rate = PerMinute(config.results_per_minute, clock)

    def check(self, query: QueryRequest, now_ns: int) -> None:
        """Raises BadRequest, SpecError, TooManyRequests if the query may not be run.

        now_ns: the present time, in unix ns.
        """
        self._check_range(query, now_ns)
        self._check_offset(query)
        self._rate.check(Requester(query.env, query.key), "This endpoint")

    def _check_range(self, query: QueryRequest, now_ns: int) -> None:
        most_s = self._config.range_s_max
        if not most_s:
            return
        oldest_ns = now_ns - (most_s + 1) * 10**9  # a second for the request's own way here
        if query.start_ns < oldest_ns or query.end_ns - query.start_ns > most_s * 10**9:
            raise BadRequest(
                f"only the last {most_s:,} s can be queried here (setting query.range_s_max): "
                "choose a time range within them"
            )

    def _check_offset(self, query: QueryRequest) -> None:
        offset_s = query.spec.compare_s
        if offset_s is None or not self._config.compare_as_vendor:
            return
        at = "compare_time_offset_seconds"
        if offset_s not in VENDOR_OFFSETS_S:
            known = ", ".join(map(str, VENDOR_OFFSETS_S))
            raise SpecError(at, "invalid", f"must be one of {known}")
        if offset_s * 10**9 < query.end_ns - query.start_ns:
            raise SpecError(at, "invalid", "must be at least as long as the time range")
