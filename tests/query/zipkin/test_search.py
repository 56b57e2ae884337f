"""Lists of names, and traces by Zipkin's parameters."""

from pathlib import Path
from typing import Any

import pytest
from multidict import MultiDict

from query.faults import SpecError
from query.plan.parts.conditions import Filter, FilterOp
from query.plan.relations import About
from query.zipkin.conditions import read_conditions
from query.zipkin.request import read_limit, read_time_range
from tests.query.harness import QueryHarness, query_harness
from tests.query.zipkin.stored import BASE_US, get, rows_of, zipkin_harness

END_MS = BASE_US // 1_000 + 1


def span(trace: int, span_id: int, service: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "traceId": f"{trace:016x}",
        "id": f"{span_id:016x}",
        "name": name,
        "timestamp": BASE_US - trace * 10**6 + span_id,
        "duration": 100,
        "localEndpoint": {"serviceName": service},
        **more,
    }


SPANS = [
    span(1, 1, "web", "get /", kind="CLIENT", remoteEndpoint={"serviceName": "users"}),
    span(1, 2, "users", "find", parentId=f"{1:016x}", tags={"http.status_code": "200", "a": "b"}),
    span(2, 3, "web", "get /", duration=5_000, tags={"error": "timeout"}),
    span(3, 4, "web", "post /", annotations=[{"timestamp": BASE_US, "value": "cache miss"}]),
    span(100, 5, "jobs", "run", tags={"error": ""}),  # 100 s ago
    span(7_000, 6, "jobs", "run", remoteEndpoint={"serviceName": "queue"}),
    span(90_000, 7, "old", "run"),  # more than a day ago
]
ROWS = rows_of(SPANS)


async def found(server: QueryHarness, **given: Any) -> list[int]:
    asked = "&".join(f"{name}={value}" for name, value in {"endTs": END_MS, **given}.items())
    status, traces, headers = await get(server, f"/api/v2/traces?{asked}")
    assert (status, headers["X-Bellwether-Complete"]) == (200, "true"), traces
    assert all(len({one["traceId"] for one in trace}) == 1 for trace in traces)
    return [int(trace[0]["traceId"], 16) for trace in traces]


async def test_names_of_services_spans_and_remote_services(tmp_path: Path) -> None:
    async with zipkin_harness(tmp_path, ROWS) as server:

        async def names(path: str) -> Any:
            mark = "&" if "?" in path else "?"
            status, answer, _ = await get(server, f"/api/v2/{path}{mark}endTs={END_MS}")
            assert status == 200, answer
            return answer

        assert await names("services") == ["jobs", "users", "web"]
        assert await names("services?lookback=50000") == ["users", "web"]
        assert await names("spans?serviceName=web") == ["get /", "post /"]
        assert await names("spans?serviceName=nobody") == []
        assert await names("remoteServices?serviceName=web") == ["users"]
        assert await names("remoteServices?serviceName=jobs") == ["queue"]
        for path in ("spans", "remoteServices", "spans?serviceName="):
            status, error, _ = await get(server, f"/api/v2/{path}")
            assert (status, error["type_detail"][0]["field"]) == (422, "serviceName")


async def test_an_environment_without_anything_has_empty_lists(tmp_path: Path) -> None:
    async with query_harness(tmp_path, datasets=()) as server:
        for path in ("services", "traces", "spans?serviceName=a", "dependencies?endTs=1"):
            assert (await get(server, f"/api/v2/{path}"))[:2] == (200, [])


async def test_traces_come_whole_the_newest_first(tmp_path: Path) -> None:
    async with zipkin_harness(tmp_path, ROWS) as server:
        assert await found(server) == [1, 2, 3, 100, 7_000]
        assert await found(server, limit=2) == [1, 2]
        assert await found(server, lookback=50_000) == [1, 2, 3]
        assert await found(server, lookback=10**9) == [1, 2, 3, 100, 7_000, 90_000]
        assert await found(server, endTs=END_MS - 50_000) == [100, 7_000]
        _, (trace,), _ = await get(server, f"/api/v2/traces?endTs={END_MS}&serviceName=users")
        assert trace == SPANS[:2]


async def test_conditions(tmp_path: Path) -> None:
    async with zipkin_harness(tmp_path, ROWS) as server:
        for given, traces in [
            ({"serviceName": "web"}, [1, 2, 3]),
            ({"serviceName": "users"}, [1]),
            ({"serviceName": "all", "spanName": "all"}, [1, 2, 3, 100]),
            ({"serviceName": "web", "spanName": "get%20/"}, [1, 2]),
            ({"serviceName": "users", "spanName": "get%20/"}, []),
            ({"remoteServiceName": "users"}, [1]),
            ({"minDuration": 5_000}, [2]),
            ({"serviceName": "web", "maxDuration": 4_999}, [1, 3]),
            ({"minDuration": 101, "maxDuration": 4_999}, []),
            ({"annotationQuery": "error"}, [2, 100]),
            ({"annotationQuery": "error=timeout"}, [2]),
            ({"annotationQuery": "a=b and http.status_code=200"}, [1]),
            ({"annotationQuery": "a=c"}, []),
            ({"annotationQuery": "cache miss"}, [3]),
            ({"annotationQuery": "cache miss", "serviceName": "users"}, []),
            ({"annotationQuery": "a", "serviceName": "users"}, [1]),
        ]:
            assert await found(server, lookback=200_000, **given) == traces, given


def test_durations_are_those_of_each_definition() -> None:
    own = read_conditions(MultiDict(minDuration="1500")).of(About.OWN)
    assert own[0].op is FilterOp.ANY_OF
    assert Filter("duration_ms", FilterOp.GE, (1.5,)) in own[0].inside


@pytest.mark.parametrize(
    "given",
    [
        {"minDuration": "x"},
        {"maxDuration": "-1"},
        {"annotationQuery": "a and b and c and d"},
        {"annotationQuery": "x" * 5_000},
        {"serviceName": "x" * 5_000},
    ],
)
def test_what_cannot_be_asked_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(SpecError):
        read_conditions(MultiDict(given))


@pytest.mark.parametrize("given", [{"limit": "0"}, {"limit": "-1"}, {"limit": "1e3"}])
def test_limits_that_are_none(given: dict[str, str]) -> None:
    with pytest.raises(SpecError):
        read_limit(MultiDict(given))


def test_usual_limits_and_ranges() -> None:
    assert (read_limit(MultiDict()), read_limit(MultiDict(limit="5000"))) == (10, 100)
    now_ns = 10**18
    usual = read_time_range(MultiDict(), now_ns)
    assert usual.end_ns - usual.start_ns == 86_400_001 * 10**6
    whole = read_time_range(MultiDict(endTs="9" * 18, lookback="9" * 18), now_ns)
    assert (whole.start_ns, whole.end_ns) == (0, 2**63 - 1)
