"""An event with a value that cannot be stored is stored all the same: without it, or cut."""

import json
from collections.abc import Callable

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import limits
from common.scan import fast_json, fast_msgpack, json_events, msgpack_events, value_repair
from common.scan.events import Accepted, Data, EventFault, Mended, Refused, Rule
from common.scan.work_budget import TooMuchWork, Work

NOW = 1_700_000_000_000_000_001
MOST = limits.STRING_BYTES_MAX
MARKER = value_repair.MARKER
Split = Callable[..., list[Accepted | Refused]]
SPLITTERS: list[Split] = [json_events.split_batch, fast_json.split_batch]
PACKED: list[Split] = [msgpack_events.split_msgpack_batch, fast_msgpack.split_batch]
JSON = pytest.mark.parametrize("split", SPLITTERS)


def accepted(outcome: Accepted | Refused) -> Accepted:
    assert isinstance(outcome, Accepted)
    return outcome


def one(split: Split, data: bytes, depth: int = 0, string_max: int = MOST) -> Accepted:
    first, event, last = split(
        b'[{"data":{"n":1}},{"data":%b},{"data":{"n":2}}]' % data, depth, NOW, None, string_max
    )
    assert accepted(first).data == b'{"n":1}'
    assert accepted(last).data == b'{"n":2}'
    return accepted(event)


@JSON
@pytest.mark.parametrize(
    ("data", "stored", "depth", "mended"),
    [
        ('{"a":NaN,"b":1}', '{"a":null,"b":1}', 0, [(Rule.NOT_FINITE, "a")]),
        ('{"a":-Infinity}', '{"a":null}', 0, [(Rule.NOT_FINITE, "a")]),
        ('{"a":1e999}', '{"a":null}', 0, [(Rule.NUMBER_OUT_OF_RANGE, "a")]),
        ('{"a":-' + "9" * 400 + ".5}", '{"a":null}', 0, [(Rule.NUMBER_OUT_OF_RANGE, "a")]),
        ('{"a":[1,NaN,3]}', '{"a":[1,null,3]}', 0, [(Rule.NOT_FINITE, "a")]),
        ('{"a":{"b":NaN,"c":NaN}}', '{"a":{"b":null,"c":null}}', 0, [(Rule.NOT_FINITE, "a")]),
        (
            '{"a":{"b":NaN,"c":[NaN]}}',
            '{"a":{"b":null,"c":[null]}}',
            1,
            [(Rule.NOT_FINITE, "a.b"), (Rule.NOT_FINITE, "a.c")],
        ),
        ('{"NaN":"NaN,Infinity","\\u0061\\"":NaN}', '{"NaN":"NaN,Infinity","\\u0061\\"":null}', 0,
         [(Rule.NOT_FINITE, 'a"')]),
        ('{"a" :\tNaN ,\n"b":{}}', '{"a" :\tnull , "b":{}}', 0, [(Rule.NOT_FINITE, "a")]),
        ('{"a":[{"x":1},{"y":[NaN]}],"b":{"c":1e400}}',
         '{"a":[{"x":1},{"y":[null]}],"b":{"c":null}}', 1,
         [(Rule.NOT_FINITE, "a"), (Rule.NUMBER_OUT_OF_RANGE, "b.c")]),
    ],
)  # fmt: skip
def test_numbers_that_are_none_become_null_and_the_event_stays(
    split: Split, data: str, stored: str, depth: int, mended: list[tuple[Rule, str]]
) -> None:
    event = one(split, data.encode(), depth)
    assert event.data.decode() == stored
    assert list(event.mended) == mended


@JSON
def test_other_numbers_stay_digit_for_digit(split: Split) -> None:
    kept = b'"b":1.10,"c":123456789012345678901234567890,"d":1e308,"e":-0.0,"f":1E-999'
    event = one(split, b'{"a":NaN,%b}' % kept)
    assert event.data == b'{"a":null,%b}' % kept


@JSON
@pytest.mark.parametrize("character", ["x", "é", "€", "😀", '"', "\\", "\n", "\0", "\u2028"])
def test_a_long_string_is_cut_at_a_character_and_the_event_says_so(
    split: Split, character: str
) -> None:
    size = len(character.encode())
    text = "y" + character * (MOST // size + 5)
    for written in (json.dumps(text), json.dumps(text, ensure_ascii=False)):
        event = one(split, b'{"a":1,"sql":%b,"z":2}' % written.encode())
        data = json.loads(event.data)
        assert data == {"a": 1, "sql": text[: len(data["sql"])], "z": 2, MARKER: "sql"}
        assert MOST - size < len(data["sql"].encode()) <= MOST
        assert event.mended == (Mended(Rule.STRING_TOO_LONG, "sql"),)


@JSON
def test_the_longest_string_is_not_cut(split: Split) -> None:
    for text in ('"' + "x" * MOST + '"', '"' + "\\u00e9" * (MOST // 2) + 'x"'):
        data = b'{"a":%b,"b":[%b]}' % (text.encode(), text.encode())
        event = one(split, data)
        assert (event.data, event.mended) == (data, ())


@JSON
def test_cut_strings_are_named_as_their_fields_are_stored(split: Split) -> None:
    long = '"' + "x" * (MOST + 1) + '"'
    data = f'{{"a":{long},"b":{{"c":{long},"d":[{long},{long}]}},"e":1}}'.encode()
    for depth, names in ((0, "a,b"), (1, "a,b.c,b.d")):
        found = json.loads(one(split, data, depth).data)
        assert found.pop(MARKER) == names
        assert found == json.loads(data.replace(b"x" * (MOST + 1), b"x" * MOST))


@JSON
@pytest.mark.parametrize(
    ("before", "names"),
    [
        ('"old"', "old,a"),
        ('"a,old"', "a,old"),
        ('["old","older"]', "old,older,a"),
        ('""', "a"),
        ("7", "a"),
        ("null", "a"),
        ('{"x":1}', "a"),
        ('{"x":"y","z":"y"}', "a"),
        ('[["x"],{"y":"z"},7,"old"]', "old,a"),
    ],
)
def test_what_was_cut_before_it_came_is_still_said(split: Split, before: str, names: str) -> None:
    long = "x" * (MOST + 1)
    event = one(split, f'{{"{MARKER}":{before},"a":"{long}"}}'.encode())
    assert json.loads(event.data)[MARKER] == names  # of a repeated name the last counts
    nested = f'{{"meta":{{"truncated_fields":{before}}},"a":"{long}"}}'.encode()
    if before.startswith('"'):
        assert json.loads(one(split, nested, 1).data)[MARKER] == names


@JSON
def test_the_marker_is_bounded(split: Split) -> None:
    names = [f"field-{n:04d}" + "n" * 1_000 for n in range(14)]
    long = "x" * (MOST + 1)
    data = json.dumps(dict.fromkeys(names, long)).encode()
    found = json.loads(one(split, data).data)[MARKER]
    assert len(found.encode()) <= limits.TRUNCATED_NAMES_BYTES_MAX + len(",…".encode())
    assert found == ",".join([*names[:4], "…"])


@JSON
def test_a_setting_keeps_longer_strings_whole_or_cuts_them_later(split: Split) -> None:
    data = b'{"a":"%b","b":"%b"}' % (b"x" * 300_000, b"y" * 100_000)
    event = one(split, data, 0, 1_000_000)
    assert (event.data, event.mended) == (data, ())
    found = json.loads(one(split, data, 0, 200_000).data)
    assert (len(found["a"]), len(found["b"]), found[MARKER]) == (200_000, 100_000, "a")


@JSON
@pytest.mark.parametrize("string_max", [MOST, 200_000, 1_000_000])
@pytest.mark.parametrize("sizes", [[1_500_000], [700_000, 700_000], [3_000_000, 100_000, 70_000]])
def test_an_event_that_is_too_large_only_for_its_long_strings_has_them_cut_to_fit(
    split: Split, sizes: list[int], string_max: int
) -> None:
    body = json.dumps([{"data": {f"f{n}": "x" * size for n, size in enumerate(sizes)}}]).encode()
    (event,) = split(body, 0, NOW, None, string_max)
    data = accepted(event).data
    assert len(data) <= limits.EVENT_BYTES_MAX
    kept = {name: len(text) for name, text in json.loads(data).items() if name != MARKER}
    assert all(MOST <= size <= string_max for size in kept.values())
    if string_max == 1_000_000:
        assert len(data) > limits.EVENT_BYTES_MAX * 3 // 4 or len(sizes) == 3


@JSON
def test_an_event_that_is_too_large_without_them_is_refused(split: Split) -> None:
    others = ",".join(f'"f{n}":"{"y" * 60_000}"' for n in range(17))
    body = f'[{{"data":{{"a":"{"x" * (MOST + 1)}",{others}}}}},{{"data":{{"b":1}}}}]'.encode()
    refused, taken = split(body, 0, NOW)
    assert isinstance(refused, Refused)
    assert refused.rule is Rule.TOO_LARGE
    assert isinstance(taken, Accepted)


@pytest.mark.parametrize("split", PACKED)
def test_msgpack_is_mended_as_json_is(split: Split) -> None:
    nan, infinite = float("nan"), float("inf")
    data = {"a": nan, "b": [1, -infinite], "c": {"d": infinite, "e": b"x" * (MOST + 1)}, "f": 0.5}
    (event,) = split(msgpack.packb([{"data": data}]), 1, NOW)
    found = json.loads(accepted(event).data)
    assert found == {
        "a": None,
        "b": [1, None],
        "c": {"d": None, "e": "x" * MOST},
        "f": 0.5,
        MARKER: "c.e",
    }
    fields = [(Rule.NOT_FINITE, name) for name in ("a", "b", "c.d")]
    assert list(accepted(event).mended) == [*fields, (Rule.STRING_TOO_LONG, "c.e")]


@pytest.mark.parametrize("split", PACKED)
def test_a_string_longer_than_an_event_costs_no_msgpack_event(split: Split) -> None:
    body = msgpack.packb([{"data": {"a": "€" * 500_000, "b": 1}}, {"data": {"c": 1}}])
    first, second = split(body, 0, NOW)
    assert json.loads(accepted(first).data) == {"a": "€" * (MOST // 3), "b": 1, MARKER: "a"}
    assert accepted(second).data == b'{"c":1}'


@pytest.mark.parametrize("split", PACKED)
def test_a_go_time_of_nothing_may_stand_in_the_data(split: Split) -> None:
    data = {"at": msgpack.Timestamp(-62_135_596_800, 0)}
    (event,) = split(msgpack.packb([{"data": data, "time": data["at"]}]), 0, NOW)
    assert event == Accepted(NOW, 1, b'{"at":"0001-01-01T00:00:00Z"}')


def test_a_single_event_is_mended_too() -> None:
    wanted = Data(b'{"a":null}', (Mended(Rule.NOT_FINITE, "a"),))
    assert fast_json.check_event(b'{"a":NaN}', 0) == wanted
    assert fast_msgpack.check_event(msgpack.packb({"a": float("nan")}), 0) == wanted
    with pytest.raises(EventFault, match="data: is larger"):
        fast_json.check_event(b'{"a":"%b"}' % b'","a":"'.join([b"x" * 60_000] * 17), 0)


TEXTS = st.text(max_size=6) | st.sampled_from(["x" * MOST, "é" * (MOST // 2 + 1), "\n" * 66_000])
VALUES = st.recursive(
    st.floats() | TEXTS | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.text(max_size=4), VALUES, max_size=4), st.integers(0, 2), st.booleans())
def test_what_is_stored_is_json_and_else_what_was_sent(
    data: dict[str, object], depth: int, ascii_only: bool
) -> None:
    def stored(value: object) -> object:
        if isinstance(value, float):
            return value if abs(value) < float("inf") else None
        if isinstance(value, str):
            whole = value.encode("utf-8")
            return whole[:MOST].decode(errors="ignore")
        if isinstance(value, list):
            return [stored(one) for one in value]
        if isinstance(value, dict):
            return {name: stored(one) for name, one in value.items()}
        return value

    text = json.dumps(data, ensure_ascii=ascii_only).encode()
    mended, changed = value_repair.mend(text, depth, MOST, Work())
    found = json.loads(mended, parse_constant=lambda name: pytest.fail(name))
    marker = found.pop(MARKER, None)
    assert found == stored(data)
    assert (marker is not None) == any(one.rule is Rule.STRING_TOO_LONG for one in changed)


@pytest.mark.parametrize("value", [b"NaN,", b'{"":NaN},', b'"",', b"[],", b"1e999,"])
def test_mending_is_bounded_by_work(value: bytes) -> None:
    work = Work(10_000)
    with pytest.raises(TooMuchWork):
        value_repair.mend(b'{"a":[%b0]}' % (value * 100_000), 0, MOST, work)


def test_events_with_many_faults_name_each_field_once() -> None:
    data = b'{"a":[%bNaN],"b":NaN}' % (b"NaN," * 100_000)
    _, changed = value_repair.mend(data, 0, MOST, Work())
    assert changed == (Mended(Rule.NOT_FINITE, "a"), Mended(Rule.NOT_FINITE, "b"))
    _, (changed_name,) = value_repair.mend(b'{"%b":NaN}' % (b"n" * 5_000), 0, MOST, Work())
    assert len(changed_name.field) == limits.FIELD_SHOWN_CHARS_MAX
