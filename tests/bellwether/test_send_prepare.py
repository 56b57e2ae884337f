"""Times, depth and batches of a load: exact, and the same every time."""

import json
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.send.batches import BATCH_EVENTS_MAX, batches
from bellwether.send.event import Parsed
from bellwether.send.event_time import format_time, parse_time, reader_for
from bellwether.send.flatten import flatten
from bellwether.send.prepare import Choices, Ready, prepare
from bellwether.send.preview import preview

NS = 10**9


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("2020-01-02T03:04:05Z", 1577934245 * NS),
        ("2020-01-02 03:04:05.123456789", 1577934245 * NS + 123456789),
        ("2020-01-02T03:04:05,5+02:00", 1577927045 * NS + NS // 2),
        ("2020-01-02", 1577923200 * NS),
        ("1969-12-31T23:59:59.999999999Z", -1),
        ("1970-01-01T00:00:00Z", 0),
        ("2016-12-31T23:59:60Z", 1483228800 * NS),
        ("17/May/2015:10:05:03 +0000", 1431857103 * NS),
        ("17/May/2015:10:05:03 -0130", 1431862503 * NS),
        ("1577934245", 1577934245 * NS),
        ("1577934245123", 1577934245123 * 10**6),
        ("1577934245123456", 1577934245123456 * 10**3),
        ("1577934245123456789", 1577934245123456789),
        ("1577934245.000000001", 1577934245 * NS + 1),
        ("12345", None),
        ("yesterday", None),
        ("2020-13-01", None),
        ("9999-01-01", None),
    ],
)
def test_times_are_read_to_the_nanosecond(text: str, time_ns: int | None) -> None:
    assert parse_time(text) == time_ns


@given(st.integers(-(2**63), 2**63 - 1))
def test_times_that_are_written_read_back(time_ns: int) -> None:
    assert parse_time(format_time(time_ns)) == time_ns


def test_named_time_formats() -> None:
    assert reader_for("epoch_ms")("5") == 5 * 10**6
    assert reader_for("%d.%m.%Y %H:%M")("02.01.2020 03:04") == 1577934240 * NS
    with pytest.raises(ValueError, match="unknown time format"):
        reader_for("epoch_minutes")


def ready(data: bytes, choices: Choices, time: str | None = None) -> Ready:
    return next(prepare(iter([Parsed(1, len(data), data, time)]), choices))


def test_the_events_own_time_is_found() -> None:
    assert ready(b'{"x":1,"Timestamp":1577934245123}', Choices()).time_ns == 1577934245123 * 10**6
    assert ready(b'{"time":"noon","ts":"2020-01-01"}', Choices()).time_from == "ts"
    assert ready(b'{"x":1}', Choices()).time_ns is None


def test_a_time_field_that_was_named_must_be_there() -> None:
    choices = Choices(time_field="when", time_format="epoch_s")
    assert ready(b'{"when":5}', choices).time_ns == 5 * NS
    assert "missing" in (ready(b'{"x":1}', choices).error or "")
    assert "not a time" in (ready(b'{"when":"noon"}', choices).error or "")


def test_sample_rates_come_from_their_field() -> None:
    choices = Choices(sample_rate_field="rate")
    assert ready(b'{"rate":8}', choices).sample_rate == 8
    assert ready(b'{"x":8}', choices).sample_rate == 1
    assert "sample rate" in (ready(b'{"rate":0}', choices).error or "")


def test_unpacking_changes_no_value() -> None:
    source = b'{"a":{"b":12345678901234567890123,"c":{"d":1.10}},"e":[{"f":1}],"g":{},"a.b":2}'
    assert flatten(source, 1) == (
        b'{"a.b":12345678901234567890123,"a.c":{"d":1.10},"e":[{"f":1}],"g":{},"a.b":2}'
    )
    assert json.loads(flatten(source, 2))["a.c.d"] == 1.1


nested = st.recursive(
    st.integers() | st.text(max_size=3),
    lambda inner: st.dictionaries(st.text("ab", min_size=1, max_size=2), inner, max_size=3),
    max_leaves=10,
)


def unpack(value: dict[str, object], depth: int, prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for name, inner in value.items():
        if isinstance(inner, dict) and depth and inner:
            found |= unpack(inner, depth - 1, f"{prefix}{name}.")
        else:
            found[prefix + name] = inner
    return found


@given(st.dictionaries(st.text("ab", min_size=1, max_size=2), nested, max_size=4),
       st.integers(0, 4))  # fmt: skip
def test_unpacking_agrees_with_its_definition(value: dict[str, object], depth: int) -> None:
    assert json.loads(flatten(json.dumps(value).encode(), depth)) == unpack(value, depth)


def events(count: int) -> list[Ready]:
    return [Ready(n + 1, (n + 1) * 10, b'{"n":%d}' % n) for n in range(count)]


def test_batches_and_their_ids_depend_on_the_file_alone() -> None:
    items = events(BATCH_EVENTS_MAX * 2 + 5)
    whole = list(batches(iter(items), "seed"))
    again = list(batches(iter(items), "seed"))
    assert [b.id for b in whole] == [b.id for b in again]
    assert [len(b.events) for b in whole] == [BATCH_EVENTS_MAX, BATCH_EVENTS_MAX, 5]
    resumed = list(batches(iter(items), "seed", skip_to=whole[0].end))
    assert [b.id for b in resumed] == [b.id for b in whole[1:]]
    assert [b.id for b in batches(iter(items), "other")] != [b.id for b in whole]
    assert len({b.id for b in whole}) == len(whole)


def test_refused_lines_travel_with_their_batch_in_order() -> None:
    items = events(3)
    items[1] = Ready(2, 20, error="bad")
    (batch,) = batches(iter(items), "seed")
    assert [e.line for e in batch.events] == [1, 3]
    assert [r.line for r in batch.refused] == [2]
    assert orjson.loads(batch.body) == [{"data": {"n": 0}}, {"data": {"n": 2}}]
    assert batch.end == 30


def test_preview_tells_fields_types_and_times() -> None:
    lines = [b'{"a":1,"time":"2020-01-01"}', b'{"a":1.5,"b":[1],"c":null}']
    parsed = iter([Parsed(n, n, line) for n, line in enumerate(lines, 1)])
    found = preview(prepare(parsed, Choices()))
    assert dict(found.fields["a"].types) == {"integer": 1, "float": 1}
    assert dict(found.fields["b"].types) == {"json": 1}
    assert "c" not in found.fields
    assert found.time_from == {"time": 1, "": 1}
    assert found.events[0].time_ns == int(datetime(2020, 1, 1, tzinfo=UTC).timestamp()) * NS
