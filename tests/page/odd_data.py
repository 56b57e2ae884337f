"""Data that a page must stand: names that are markup, long or written from right to left, datasets
of thousands of fields, traces of thousands of spans, work that was announced and never ended.
"""

from typing import Any

Events = list[dict[str, Any]]

MARKUP = "<img src=x onerror='globalThis.injected=1'><script>globalThis.injected=1</script>"
LONG = "endless " + "w" * 9_992
BACKWARD = "\u202eشراء\u202c \u05e9\u05dc\u05d5\u05dd <b>"
HOSTILE = {"markup": MARKUP, "long": LONG, "backward": BACKWARD}
HOSTILE_DATASET = "a <b>& 'shop' \u05e9\u05dc\u05d5\u05dd"
HOSTILE_TRACE = "bad0" * 8
HOSTILE_FIELD = "<i onclick=alert(1)>\u05e9\u05d3\u05d4"

FIELDS = 2_000
WIDE_DATASET = "wide"

SPANS = 10_000
LARGE_TRACE = "ab" * 16
OPEN_TRACE = "09e2" * 8
ENDED_TRACE = "c0de" * 8


def hostile(now_s: float) -> Events:
    """Events whose values, field names and span names are of each odd kind."""
    found: Events = []
    for at in range(240):
        kind, text = list(HOSTILE.items())[at % 3]
        data: dict[str, Any] = {
            "name": text[:9_000],
            "kind": kind,
            "service.name": text[:200],
            HOSTILE_FIELD: text,
            "message": text,
            "duration_ms": 900.0 if kind == "markup" else 10.0 + at % 7,
            "error": at % 3 == 0,
            "trace.trace_id": HOSTILE_TRACE,
            "trace.span_id": f"{0xBAD000 + at:016x}",
        }
        if at:
            data["trace.parent_id"] = f"{0xBAD000:016x}"
        found.append(_event(now_s - 300 + at, data))
    return found


def wide(now_s: float) -> Events:
    """Events of 2,000 fields together, forty in each."""
    each = 40
    found: Events = []
    for at in range(500):
        first = at * each % FIELDS
        data: dict[str, Any] = {f"field_{first + n:04}": (at + n) % 13 for n in range(each)}
        found.append(_event(now_s - 20 - at, data | {"duration_ms": float(at % 90)}))
    return found


def large_trace(now_s: float) -> Events:
    """One trace of many spans."""
    found: Events = []
    for at in range(SPANS):
        data: dict[str, Any] = {
            "trace.trace_id": LARGE_TRACE,
            "trace.span_id": f"{at:016x}",
            "name": "checkout" if not at else f"step {at}",
            "service.name": "web",
            "duration_ms": 60_000.0 if not at else 2.5,
        }
        if at:
            data["trace.parent_id"] = f"{(at - 1) // 50:016x}" if at < 500 else f"{at % 50:016x}"
        found.append(_event(now_s - 60 + at * 0.005, data))
    return found


def open_trace(now_s: float) -> Events:
    """A job that was announced and has not ended, with a step that has and one that failed."""
    found: Events = []
    for at, name in enumerate(["create cluster", "plan", "create instances", "register"]):
        data: dict[str, Any] = {
            "trace.trace_id": OPEN_TRACE,
            "trace.span_id": f"{0x0BE0 + at:016x}",
            "name": name,
            "service.name": "orchestrator",
            "duration_ms": 0.0 if at in (0, 2) else 4_000.0,
        }
        if at in (0, 2):
            data["meta.annotation_type"] = "span_start"
        if at:
            data["trace.parent_id"] = f"{0x0BE0:016x}"
        if name == "register":
            data |= {"error": True, "message": "no address was free"}
        found.append(_event(now_s - 120 + 5 * at, data))
    return found


def ended_trace(now_s: float) -> Events:
    """The same job, ended and without the step that failed."""
    found: Events = []
    for at, name in enumerate(["create cluster", "plan", "create instances"]):
        data: dict[str, Any] = {
            "trace.trace_id": ENDED_TRACE,
            "trace.span_id": f"{0x0ED0 + at:016x}",
            "name": name,
            "service.name": "orchestrator",
            "duration_ms": 4_000.0 if at else 20_000.0,
        }
        if at:
            data["trace.parent_id"] = f"{0x0ED0:016x}"
        found.append(_event(now_s - 120 + 5 * at, data))
    return found


def _event(at_s: float, data: dict[str, Any]) -> dict[str, Any]:
    return {"data": data, "time": f"{at_s:.6f}"}
