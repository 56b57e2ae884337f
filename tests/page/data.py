"""What a small shop sends: requests of which one build is slow, a spike, errors, logs and traces.

The same in every run but for its times, so that tests know which trace, which user and which build
stand out.
"""

from random import Random
from typing import Any

Events = list[dict[str, Any]]

SLOW_BUILD = "b1041"
USER = "u1207"  # of the one request that failed for this person
FAILING_TRACE = "fa11" * 8
SPIKE = "/v1/flash-sale"
SPIKE_AGO_S = 3000
SPIKE_EVENTS = 300
WORD = "zephyrlock"  # in one line of the logs
_REQUESTS = 1500
_SPAN_S = 6900


def requests(now_s: float) -> Events:
    """Requests of a little less than two hours, a trace of three spans for every fifth."""
    rng = Random(17)
    found: Events = []
    for at in range(_REQUESTS):
        ago_s = 10 + _SPAN_S * at / _REQUESTS
        slow = ago_s < 2400 and at % 4 == 0
        took_ms = rng.lognormvariate(3.2, 0.5) * (40 if slow else 1)
        data: dict[str, Any] = {
            "name": "GET",
            "service.name": rng.choice(["web", "api"]),
            "build.id": SLOW_BUILD if slow else rng.choice(["b1039", "b1040"]),
            "region": rng.choice(["eu", "us", "ap"]),
            "path": f"/v1/{rng.choice(['cart', 'pay', 'list'])}",
            "user_id": f"u{2000 + at}",
            "duration_ms": round(took_ms, 3),
            "status": 200,
        }
        if at % 40 == 7:
            data |= {"status": 500, "error": True, "message": "frame_too_large: stream reset"}
        if at % 5 == 0:
            data |= {"trace.trace_id": f"{0xA000 + at:032x}", "trace.span_id": f"{at:016x}"}
        found.append(_event(now_s - ago_s, data))
    for at in range(SPIKE_EVENTS):
        data = {"name": SPIKE, "service.name": "web", "build.id": "b1040", "path": SPIKE}
        data |= {"user_id": f"u{9000 + at}", "duration_ms": 20.0 + at % 9, "status": 200}
        found.append(_event(now_s - SPIKE_AGO_S + at * 0.01, data))
    return found + _failing(now_s - 900) + _failing(now_s - 700, error=False)


def _failing(at_s: float, *, error: bool = True) -> Events:
    """One trace of the person: of the one that failed, the third of four spans is to blame."""
    trace = FAILING_TRACE if error else "600d" * 8
    found: Events = []
    for at, name in enumerate(["checkout", "reserve stock", "charge card", "send mail"]):
        data: dict[str, Any] = {
            "name": name,
            "service.name": "api" if at else "web",
            "build.id": "b1040",
            "user_id": USER,
            "duration_ms": 400.0 if not at else 90.0,
            "trace.trace_id": trace,
            "trace.span_id": f"{int(trace[-4:], 16) * 16 + at:016x}",
        }
        if at:
            data["trace.parent_id"] = f"{int(trace[-4:], 16) * 16:016x}"
        if error and name == "charge card":
            data |= {"error": True, "message": "card issuer answered 503"}
        found.append(_event(at_s + 0.1 * at, data))
    return found


def logs(now_s: float) -> Events:
    """Lines of a log; one of them holds the word."""
    lines = ["connection opened", "cache warmed", "lease renewed", "request done"]
    found: Events = []
    for at in range(400):
        body = f"{lines[at % 4]} in {at} ms"
        if at == 123:
            body = f"waited for {WORD} of partition 7"
        data = {"body": body, "severity": "info", "service.name": "web"}
        found.append(_event(now_s - 15 - at * 9, data))
    return found


def _event(at_s: float, data: dict[str, Any]) -> dict[str, Any]:
    return {"data": data, "time": f"{at_s:.6f}"}
