"""The vendor's restrictions are off unless they are set, and then say what is allowed."""

from typing import Any

import pytest

from common.clock import ManualClock
from common.errors import BadRequest, TooManyRequests
from query.api.results.restrictions import VENDOR_OFFSETS_S, Restrictions
from query.config import QueryConfig
from query.faults import SpecError
from query.plan.planner import QueryRequest, build_request
from query.plan.spec import Calculation, QuerySpec

DAY_S = 86_400
NOW_NS = ManualClock().now_ns()


def request(key: str = "k", **spec: Any) -> QueryRequest:
    calculations = (Calculation("COUNT"),)
    return build_request(QuerySpec(calculations, **spec), "d", NOW_NS, env="e", key=key)


def test_any_query_may_be_run_unless_it_is_set_otherwise() -> None:
    free = Restrictions(QueryConfig(), ManualClock())
    for _ in range(1_000):
        free.check(request(range_s=400 * DAY_S, compare_s=17), NOW_NS)


def test_ranges_are_as_long_and_as_old_as_is_set() -> None:
    some = Restrictions(QueryConfig(range_s_max=7 * DAY_S), ManualClock())
    some.check(request(range_s=7 * DAY_S), NOW_NS)
    now_s = NOW_NS // 10**9
    for wrong in ({"range_s": 7 * DAY_S + 5}, {"start_s": now_s - 8 * DAY_S, "range_s": 60}):
        with pytest.raises(BadRequest, match="only the last 604,800 s"):
            some.check(request(**wrong), NOW_NS)


def test_each_key_begins_as_many_a_minute_as_is_set() -> None:
    clock = ManualClock()
    some = Restrictions(QueryConfig(results_per_minute=10), clock)
    for _ in range(10):
        some.check(request(), NOW_NS)
    with pytest.raises(TooManyRequests, match="10 requests per minute") as refused:
        some.check(request(), NOW_NS)
    assert refused.value.retry_after_s == 7
    some.check(request(key="other"), NOW_NS)
    clock.advance_ms(6_001)
    some.check(request(), NOW_NS)
    with pytest.raises(TooManyRequests):
        some.check(request(), NOW_NS)


def test_comparisons_are_with_the_vendors_times_if_that_is_set() -> None:
    some = Restrictions(QueryConfig(compare_as_vendor=True), ManualClock())
    for offset_s in VENDOR_OFFSETS_S:
        some.check(request(range_s=min(offset_s, DAY_S), compare_s=offset_s), NOW_NS)
    with pytest.raises(SpecError, match="must be one of 1800, "):
        some.check(request(compare_s=17), NOW_NS)
    with pytest.raises(SpecError, match="at least as long as the time range"):
        some.check(request(range_s=DAY_S, compare_s=3_600), NOW_NS)
