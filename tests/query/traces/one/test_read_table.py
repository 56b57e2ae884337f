"""Gathered rows as values: texts of JSON, several names of one thing, durations at the edges."""

import math
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from query.traces.one.event import TraceEvent
from query.traces.one.read_table import events_of, fields_read
from query.traces.wanted import SpanTable

LAST_NS = 2**63 - 1


def event_of(wanted: tuple[str, ...] = (), **given: Any) -> TraceEvent:
    """One row. given: columns, or fields by name with `__` for a dot, as Python values."""
    names = fields_read(wanted, with_messages=True)
    columns = dict.fromkeys(
        ("dataset", "trace_id", "span_id", "parent_id", "name", "service", "annotation")
    ) | {"time_ns": 0, "duration_ms": None, "error": False}
    fields = {name.replace("__", "."): value for name, value in given.items()}
    row: dict[str, Any] = {name: fields.pop(name, value) for name, value in columns.items()}
    row["error"] = bool(row["error"])
    if given.get("error") not in (None, True):
        fields["error"] = given["error"]
    for at, name in enumerate(names):
        value = fields.pop(name, None)
        row[f"f{at}"] = None if value is None else msgspec.json.encode(value).decode()
    assert not fields
    table = pa.table({name: [value] for name, value in row.items()})
    [event] = events_of(SpanTable(table, {}, [], {}, names), wanted)
    return event


def test_what_an_event_lacks_is_empty() -> None:
    assert event_of() == TraceEvent("", "", 0, None)


def test_texts_come_out_of_their_json_and_numbers_as_they_are_written() -> None:
    event = event_of(span__kind="SERVER", body='a "quoted"\n\\ é', span_id="2a", state__machine=7)
    assert (event.kind, event.message, event.span_id) == ("server", 'a "quoted"\n\\ é', "2a")
    assert event.machine == "7"
    assert event_of(message={"a": [1]}).message == '{"a":[1]}'
    assert event_of(body="", message="second").message == "second"


def test_a_process_is_its_instance_else_its_host_and_number() -> None:
    both = {"host__name": "h", "process__pid": 12}
    assert event_of(service__instance__id="i", **both).process == "i"
    assert event_of(**both).process == "h:12"
    assert event_of(meta__local_hostname="beeline").process == "beeline"


def test_requested_fields_keep_their_digits() -> None:
    event = event_of(("n", "none", "status_code"), n=36893488147419103232, status_code=2)
    assert event.fields == {
        "n": msgspec.Raw(b"36893488147419103232"), "status_code": msgspec.Raw(b"2"),
    }  # fmt: skip


def test_failures_name_the_field_that_says_so() -> None:
    assert event_of(error="False", status_code=2).error_by == ("status_code",)
    assert event_of(error="no room").error_by == ("error",)
    assert event_of(error=True).error_by == ("error",)
    assert event_of(status_code=2).error_by == (), "the row itself says that it is no error"


@pytest.mark.parametrize(
    ("duration_ms", "time_ns", "expected_ns"),
    [(1.5, 0, 1_500_000), (-3.0, 0, 0), (math.inf, 10, LAST_NS - 10), (1e300, 0, LAST_NS),
     (5.0, LAST_NS, 0), (0.000_001, -5, 1), (math.nan, 0, None)],
)  # fmt: skip
def test_a_duration_ends_within_the_time_that_can_be_stored(
    duration_ms: float, time_ns: int, expected_ns: int | None
) -> None:
    event = event_of(duration_ms=duration_ms, time_ns=time_ns)
    assert event.duration_ns == expected_ns
