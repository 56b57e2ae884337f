"""Times, depth and batches of a load: exact, and the same every time."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.send.deliver.batches import BATCH_LIMITS, batches
from bellwether.send.event import Parsed
from bellwether.send.prepare.flatten import flatten, flatten_valid, members
from bellwether.send.prepare.own_time import TimeChoices, is_absent
from bellwether.send.prepare.prepare import Choices, Ready, prepare
from bellwether.send.prepare.values import typed
from bellwether.send.preview import preview

NS = 10**9


NOW_NS = 1795892400 * NS  # 2026-11-28T19:00:00Z


def choose(*fields: str, time_format: str | None = None, at_arrival: bool = False) -> Choices:
    return Choices(TimeChoices(fields, time_format, at_arrival=at_arrival))


def ready(data: bytes, choices: Choices, time: str | None = None) -> Ready:
    return next(prepare(iter([Parsed(1, len(data), data, time)]), choices, NOW_NS))


def row(members: dict[str, object], choices: Choices | None = None) -> Ready:
    return next(prepare(iter([Parsed(1, 1, members=members)]), choices or Choices(), NOW_NS))


def test_the_events_own_time_is_found() -> None:
    assert ready(b'{"x":1,"Timestamp":1577934245123}', Choices()).time_ns == 1577934245123 * 10**6
    assert ready(b'{"time":"noon","ts":"2020-01-01"}', Choices()).time_from == "ts"
    assert ready(b'{"x":1}', Choices()).time_ns is None
    assert row({"@t": "2020-01-01T00:00:00Z"}).time_ns == 1577836800 * NS


@pytest.mark.parametrize(
    "data",
    [
        b'{"ts":1700000000.123456789,"i":1}',
        b'{"x":{"ts":5},"ts" : 1700000000.123456789}',
        b'{"ts":1,"ts":1700000000.123456789}',
        b'{"ts":"1700000000.123456789"}',
        b'{"ts":1700000000123456789}',
        b'{"ts":1700000000123.456789}',
        b'{"\\u0074s":1700000000.123456789}',
        b'{"big":1e999,"ts":1700000000.123456789}',
    ],
)
def test_times_that_are_numbers_keep_their_nanoseconds(data: bytes) -> None:
    assert ready(data, Choices()).time_ns == 1700000000123456789
    assert ready(data, choose("ts")).time_ns == 1700000000123456789


def test_a_number_in_text_keeps_its_nanoseconds() -> None:
    found = row({"ts": typed("1700000000.123456789")})
    assert found.time_ns == 1700000000123456789
    assert found.data == b'{"ts":1700000000.123456789}'


@pytest.mark.parametrize(
    "value",
    [
        "-62135596800", "-62135596800000", "-62135596800.0", "-6795364578871345152",
        '"0001-01-02T00:00:00Z"', '"0000-12-31T19:03:58-04:56"', '"0001-01-01 00:00:00 +0000 UTC"',
        '"1/1/0001 12:00:00 AM"', '"01.01.0001 00:00:00"', '"/Date(-62135596800000)/"',
        '"0000-00-00 00:00:00"', '"NULL"', '"NaT"', '"\\\\N"', '"None"', '"n/a"', '"-"', '" "',
        "0", '"0.000"', '"1970-01-01T00:00:00Z"', "null",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["time", "created_at"])
def test_a_time_that_was_never_set_is_the_arrival_as_in_the_api(value: str, name: str) -> None:
    found = ready(f'{{"x":1,"{name}":{value}}}'.encode(), Choices())
    assert (found.error, found.time_ns, found.time_from) == (None, None, "")


@pytest.mark.parametrize("text", ["00:00:00", "1/1/2001", "0.5", "nano", "1/1/1/0001"])
def test_what_only_looks_like_a_time_that_was_never_set_is_none_of_them(text: str) -> None:
    assert not is_absent(text)


@pytest.mark.parametrize(
    "value",
    [
        '{"$date":"2023-11-14T22:13:20.123+00:00"}', '{"$date":"2023-11-14T23:13:20.123+0100"}',
        '{"$date":1700000000123}', '{"$date":{"$numberLong":"1700000000123"}}',
        '{"seconds":1700000000,"nanos":123000000}', '{"seconds":"1700000000","nanos":123000000}',
        '{"epochSecond":1700000000,"nanoOfSecond":123000000}',
        '{"_seconds":1700000000,"_nanoseconds":123000000}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["ts", "t", "instant"])
def test_objects_that_programs_write_for_a_moment_are_times(value: str, name: str) -> None:
    data = f'{{"x":1,"{name}":{value}}}'.encode()
    assert ready(data, Choices()).time_ns == 1700000000_123 * 10**6
    assert ready(data, choose(name)).time_ns == 1700000000_123 * 10**6
    odd = f'{{"x":"\\ud800","{name}":{value}}}'.encode()  # only the store can read this
    assert ready(odd, Choices()).time_ns == 1700000000_123 * 10**6


def test_a_date_of_mongodb_is_found_in_unpacked_fields_and_in_every_year() -> None:
    data = b'{"t":{"$date":"2023-11-14T22:13:20Z"},"s":"I"}'
    assert ready(data, Choices(depth=1)).time_ns == 1700000000 * NS
    assert ready(b'{"ts":{"$date":{"$numberLong":"-1000"}}}', Choices()).time_ns == -NS
    assert ready(b'{"ts":{"$date":5000}}', Choices()).time_ns == 5 * NS


@pytest.mark.parametrize(
    "value", ["true", "[2023,11,14,22,13]", '{"a":1}', '{"$date":{"x":1}}', '{"seconds":true}']
)
def test_what_is_no_text_or_number_is_not_silently_stored_at_its_arrival(value: str) -> None:
    error = ready(f'{{"x":1,"timestamp":{value}}}'.encode(), Choices()).error
    assert error is not None
    assert error.startswith("timestamp: ")
    assert "--arrival-time" in error
    odd = ready(f'{{"x":"\\ud800","timestamp":{value}}}'.encode(), Choices()).error
    assert "--arrival-time" in (odd or "")
    assert ready(f'{{"x":1,"t":{value}}}'.encode(), Choices()).error is None
    assert ready(f'{{"ts":"2020-01-01","time":{value}}}'.encode(), Choices()).time_from == "ts"


@pytest.mark.parametrize("ticks", [133444736000000000, 638355968000000000])
def test_ticks_of_windows_and_net_are_not_taken_for_nanoseconds(ticks: int) -> None:
    error = row({"time": ticks}).error or ""
    assert "--time-format epoch_ns" in error
    assert row({"time": ticks}, choose("time", time_format="epoch_ns")).time_ns == ticks
    assert row({"time": ticks}, choose(time_format="epoch_ns")).time_ns == ticks
    assert row({"time": 999999999999999999}).time_ns == 999999999999999999


def test_a_field_called_time_that_cannot_be_read_refuses_the_event_with_a_remedy() -> None:
    for error in (row({"time": "noon"}).error, row({"ts": "05/06/2015"}).error):
        assert "--time-format" in (error or "")
        assert "--arrival-time" in (error or "")
    assert row({"time": "noon"}, choose(at_arrival=True)).time_ns is None
    assert row({"time": "noon"}, choose(at_arrival=True)).error is None
    assert row({"t": "noon"}).error is None  # is no time by its name alone
    assert row({"date": "Friday"}).error is None


@pytest.mark.parametrize("absent", ["", "0", 0, 0.0, "0001-01-01T00:00:00Z", None, "  "])
def test_a_time_that_was_never_set_is_the_arrival(absent: object) -> None:
    found = row({"time": absent, "x": 1})
    assert (found.time_ns, found.error) == (None, None)
    assert row({"time": absent, "ts": "2020-01-01"}).time_from == "ts"


def test_a_date_and_a_time_of_day_in_two_fields_are_one_time() -> None:
    both = {"date": "2015-05-17", "time": "10:05:03", "x": 1}
    assert row(both).time_ns == 1431857103 * NS
    assert row(both).time_from == "date+time"
    assert row({"Day": "17.05.2015", "Time": "10:05:03.5"}).time_ns == 1431857103 * NS + NS // 2
    named = choose("d", "c", time_format="%d/%m/%Y %H:%M:%S")
    assert row({"d": "05/06/2015", "c": "10:05:03"}, named).time_ns == 1433498703 * NS
    assert "'c' is missing" in (row({"d": "05/06/2015"}, named).error or "")
    # `time` alone is not a pair where `date` is a whole time
    whole = {"date": "2015-05-17T10:05:03Z", "time": "2015-05-17T10:05:04Z"}
    assert row(whole).time_from == "time"


def test_later_rows_tell_the_order_of_numeric_dates() -> None:
    texts = ["05/06/2015 10:00", "06/06/2015 10:00", "31/05/2015 10:00"]
    rows = [Parsed(n, n, members={"when": text, "n": n}) for n, text in enumerate(texts, 1)]
    found = list(prepare(iter(rows), choose("when"), NOW_NS))
    assert [item.error for item in found] == [None, None, None]
    assert found[0].time_ns == 1433498400 * NS


def test_a_time_field_that_was_named_must_be_there() -> None:
    choices = choose("when", time_format="epoch_s")
    assert ready(b'{"when":5}', choices).time_ns == 5 * NS
    assert "missing" in (ready(b'{"x":1}', choices).error or "")
    assert "not a time" in (ready(b'{"when":"noon"}', choices).error or "")
    kept = choose("when", at_arrival=True)
    assert (ready(b'{"x":1}', kept).time_ns, ready(b'{"x":1}', kept).error) == (None, None)


def test_an_event_with_a_long_text_is_sent_for_the_store_to_cut() -> None:
    long = ready(b'{"text":"%b"}' % (b"x" * 3_000_000), Choices())
    assert (long.error, len(long.data)) == (None, 3_000_011)
    assert "at once" in (ready(b'{"text":"%b"}' % (b"x" * 5_000_000), Choices()).error or "")


def test_added_fields_leave_those_of_the_file_as_they_are() -> None:
    choices = Choices(added=(("host", "web-1"), ("zone", "a")))
    parts = [
        next(prepare(iter([Parsed(1, 1, data)]), choices, NOW_NS, "load-1")).part
        for data in (b'{"x":1}', b'{"host":"db-1"}')
    ]
    assert [orjson.loads(part)["data"] for part in parts] == [
        {"x": 1, "host": "web-1", "zone": "a", "meta.load_id": "load-1"},
        {"host": "db-1", "zone": "a", "meta.load_id": "load-1"},
    ]


def test_sample_rates_come_from_their_field() -> None:
    choices = Choices(sample_rate_field="rate")
    assert ready(b'{"rate":8}', choices).sample_rate == 8
    assert ready(b'{"x":8}', choices).sample_rate == 1
    for written, rate in ((b"0", 1), (b'""', 1), (b"-3", 1), (b"1.5", 2), (b'"7"', 7)):
        assert ready(b'{"rate":%b}' % written, choices).sample_rate == rate, written
    assert "sample rate" in (ready(b'{"rate":"abc"}', choices).error or "")


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
    for indent in (None, 1):
        text = json.dumps(value, indent=indent).encode()
        assert json.loads(flatten_valid(text, depth)) == unpack(value, depth)


leaves = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
)
documents = st.recursive(
    leaves,
    lambda inner: (
        st.dictionaries(st.text(max_size=3), inner, max_size=3) | st.lists(inner, max_size=3)
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(st.text(max_size=3), documents, max_size=4), st.integers(0, 3), st.booleans()
)
def test_unpacking_quickly_agrees_with_unpacking_by_the_grammar(
    value: dict[str, object], depth: int, ascii_only: bool
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only).encode()

    def found(data: bytes) -> list[tuple[str, object, bytes]]:
        return [(name, kind, raw) for name, kind, raw in members(data, 0)]

    assert found(flatten_valid(text, depth)) == found(flatten(text, depth))


def events(count: int) -> list[Ready]:
    return [Ready(n + 1, (n + 1) * 10, part=b'{"data":{"n":%d}}' % n) for n in range(count)]


def test_batches_and_their_ids_depend_on_the_file_alone() -> None:
    most = BATCH_LIMITS.events_max
    items = events(most * 2 + 5)
    whole = list(batches(iter(items), "seed"))
    again = list(batches(iter(items), "seed"))
    assert [b.id for b in whole] == [b.id for b in again]
    assert [len(b.events) for b in whole] == [most, most, 5]
    resumed = list(batches(iter(items[most:]), "seed", start=whole[0].end))
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
    found = preview(prepare(parsed, Choices(), NOW_NS))
    assert dict(found.fields["a"].types) == {"integer": 1, "float": 1}
    assert dict(found.fields["b"].types) == {"json": 1}
    assert "c" not in found.fields
    assert found.time_from == {"time": 1, "": 1}
    assert found.events[0].time_ns == 1577836800 * NS
