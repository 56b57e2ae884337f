"""Requests with log records, drawn at random: ordinary ones, and ones with all that is rare."""

import random
from collections.abc import Iterator
from typing import Any

from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs

from common import limits
from shepherd.otlp.decode.kernel import memory
from tests.shepherd.otlp.decode.compiled.requests import (
    SCOPES,
    TEXTS,
    any_fields,
    any_id,
    any_time,
    any_value,
)
from tests.shepherd.otlp.messages import key_values
from tests.shepherd.otlp.signals import logs_of, logs_request, record

CLASHING = (
    "severity", "severity_code", "severity_text", "event.name", "flags", "body", "body.a", "body.b",
    "trace.trace_id", "trace.parent_id", "meta.annotation_type", "meta.signal_type",
    "meta.dropped_attributes_count", "library.name",
)  # fmt: skip
BODIES: tuple[Any, ...] = (
    {"a": 1, "b": "x\"\n"}, {"a": [1, "é", None], "c": 0.25, "d": True}, {}, {"a": {"b": 1}},
    {"a": None}, {"é\"": 1, "": 2}, {"k": "x" * 40_000}, {"k": "\n" * 40_000},
    {"x" * 65_530: 1}, {"x" * 65_531: 1}, {"k" * 32_000: "x", "l" * 33_000: 1},
    {"a": [], "b": b"\x00"}, {f"k{n}": n for n in range(300)}, {"a": float("nan")}, {"a": 1e300},
)  # fmt: skip
SEVERITIES = (0, 1, 4, 5, 9, 12, 13, 17, 21, 24)
ODD_SEVERITIES = (-1, 25, 2**31 - 1, -(2**31))


def any_record(dice: random.Random, rare: float) -> LogRecord:
    fields = any_fields(dice, rare)
    if dice.random() < rare:
        fields[dice.choice(CLASHING)] = any_value(dice, rare)
    body = dice.choice(TEXTS) if dice.random() < 0.7 else None
    if dice.random() < rare:
        body = dice.choice((any_value(dice, rare), dice.choice(BODIES)))
    is_traced = dice.random() < 0.6
    return record(
        body,
        fields,
        time_unix_nano=any_time(dice, rare),
        observed_time_unix_nano=dice.choice((0, any_time(dice, rare))),
        severity_number=dice.choice(ODD_SEVERITIES if dice.random() < rare else SEVERITIES),
        severity_text=dice.choice(("", "INFO", dice.choice(TEXTS))),
        event_name=dice.choice(("", "", "app.started", dice.choice(TEXTS))),
        trace_id=any_id(dice, 16, rare) if is_traced else dice.choice((b"", bytes(16))),
        span_id=any_id(dice, 8, rare) if is_traced else dice.choice((b"", bytes(8))),
        flags=dice.choice((0, 1, 2**32 - 1)),
        dropped_attributes_count=dice.choice((0, 0, 3)),
    )


def any_group(dice: random.Random, rare: float) -> ResourceLogs:
    service = dice.choice(("web", "web", " api ", "unknown_service:x", "", None, 7, "é"))
    fields = any_fields(dice, rare / 8, 5) | ({} if service is None else {"service.name": service})
    group = logs_of(resource=fields)
    if dice.random() < rare:
        group.schema_url = dice.choice(TEXTS)
    del group.scope_logs[:]
    for _ in range(dice.choice((0, 1, 1, 1, 2))):
        records = [any_record(dice, rare) for _ in range(dice.randrange(5))]
        scope = ScopeLogs(log_records=records)
        if dice.random() < 0.7:
            scope.scope.name = dice.choice(SCOPES)
            scope.scope.attributes.extend(key_values(any_fields(dice, rare / 8, 3)))
        if dice.random() < rare:
            scope.schema_url = dice.choice(TEXTS)
        group.scope_logs.append(scope)
    return group


def any_request(dice: random.Random, rare: float) -> bytes:
    return logs_request(*(any_group(dice, rare) for _ in range(dice.choice((0, 1, 1, 2, 4)))))


def at_limits() -> Iterator[bytes]:
    """Requests with a record at or beyond a limit, among others."""
    for one in _records_at_limits():
        yield logs_request(logs_of(record("x", {"n": 1}), one, record(None, {"n": 2})))
    resource = {f"k{n}": "v" * 40 for n in range(memory.TAIL_FIELDS_MAX + 1)}
    yield logs_request(logs_of(record("x"), record("y", {"k1": 7}), resource=resource))


def _records_at_limits() -> Iterator[LogRecord]:
    longest = limits.STRING_BYTES_MAX
    for size in (longest, longest + 1):
        yield record("\n" * size)
        yield record("b", severity_text="x" * size)
        yield record("b", event_name="x" * size)
        yield record(["x" * (size - 5)])
        yield record({"k": "x" * (size - 9)})
    for fields in (1_993, 1_994, 1_995, 1_996):
        yield record("b", {f"k{n}": n for n in range(fields)})
        yield record({f"k{n}": n for n in range(fields)})
    yield record("b", {f"k{n}": "v" * 9_000 for n in range(120)})  # more than a megabyte
    yield record("x" * 60_000, {f"k{n}": "\x01" * 9_000 for n in range(30)})
    yield record({f"k{n}": "\x01" * 900 for n in range(70)}, {"a": "y" * 60_000})
