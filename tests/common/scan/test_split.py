"""One bad event harms only itself; the fast splitter gives what the reference gives (I9)."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common import limits
from common.scan import fast_json, json_events
from common.scan.events import Accepted, EventFault, MalformedBody, Refused, Rule
from tests.generate import event_of_name_bytes

NOW = 1_700_000_000_000_000_001
SPLITTERS = (fast_json.split_batch, json_events.split_batch)

NUMBERS = st.sampled_from(
    [
        "0",
        "-0",
        "-0.0",
        "1",
        "1.0",
        "1e2",
        "1E+400",
        "-1e400",
        "1e-400",
        "9223372036854775807",
        "9223372036854775808",
        "NaN",
        "Infinity",
        "-Infinity",
        "01",
        ".5",
        "1.",
        "123456789012345678901234567890",
    ]
)
STRINGS = st.sampled_from(
    [
        '""',
        '"a"',
        '"é"',
        '"\\u00e9"',
        '"\\ud83d\\ude00"',
        '"\\ud800"',
        '"\\u0000"',
        '"\\x"',
        '"a\nb"',
    ]
)
KEYS = st.sampled_from(['"a"', '"b"', '"a.b"', '""', '"\\u0061"', '"data"', '"time"', '"é"'])
BLANK = st.sampled_from(["", "", "", " ", "\n", "\r\n\t"])


def members(value: st.SearchStrategy[str], keys: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(keys, BLANK, value).map(lambda p: f"{p[0]}{p[1]}:{p[1]}{p[2]}")
    return st.tuples(BLANK, st.lists(pair, max_size=4)).map(
        lambda t: "{" + t[0] + f"{t[0]},{t[0]}".join(t[1]) + "}"
    )


def arrays(value: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(value, max_size=3).map(lambda items: "[" + ",".join(items) + "]")


VALUES = st.recursive(
    NUMBERS | STRINGS | st.sampled_from(["true", "false", "null", "nil", "{}", "[]"]),
    lambda inner: arrays(inner) | members(inner, KEYS),
    max_leaves=6,
)
TIMES = st.sampled_from(
    ["null", "1700000000", "1700000000.5", '"2023-11-14T22:13:20.123Z"', '"x"', "[]", "NaN", "17e8"]
)
RATES = st.sampled_from(["null", "1", "2", "1.0", "2.5", "0", "-1", '"3"', "1e3", "{}"])
EVENTS = st.one_of(
    st.tuples(members(VALUES, KEYS), TIMES, RATES).map(
        lambda t: f'{{"data":{t[0]},"time":{t[1]},"samplerate":{t[2]}}}'
    ),
    members(VALUES, st.sampled_from(['"data"', '"d\\u0061ta"', '"time"', '"samplerate"', '"x"'])),
    VALUES,
)


def outcome(split: object, body: bytes, depth: int) -> object:
    try:
        return split(body, depth, NOW)  # type: ignore[operator]  # one of the two splitters
    except MalformedBody:
        return MalformedBody


@settings(max_examples=300, deadline=None)
@given(st.lists(EVENTS, max_size=4), st.integers(0, 3), st.sampled_from(["", " ", "x", ","]))
def test_fast_splitter_gives_what_the_reference_gives(
    events: list[str], depth: int, tail: str
) -> None:
    body = f"[{','.join(events)}]{tail}".encode()
    assert outcome(fast_json.split_batch, body, depth) == outcome(
        json_events.split_batch, body, depth
    )


@settings(max_examples=200, deadline=None)
@given(VALUES, st.integers(0, 2), BLANK)
def test_fast_single_event_gives_what_the_reference_gives(
    value: str, depth: int, blank: str
) -> None:
    def run(check: object) -> object:
        try:
            return check((blank + value + blank).encode(), depth)  # type: ignore[operator]
        except (EventFault, MalformedBody) as error:
            return type(error)

    assert run(fast_json.check_event) == run(json_events.check_event)


@pytest.mark.parametrize("split", SPLITTERS)
@pytest.mark.parametrize(
    ("event", "rule", "names"),
    [
        (b'{"data":{"a":"\xff"}}', Rule.NOT_UTF8, "data.a"),
        (b'{"data":{"\xff":1}}', Rule.NOT_UTF8, "data."),
        (b'{"data":{"' + b"k" * 65_536 + b'":1}}', Rule.KEY_TOO_LONG, "data.k"),
        (b'{"data":{"a":[{"' + b"k" * 65_536 + b'":NaN}]}}', Rule.KEY_TOO_LONG, "data.a.k"),
        (b'{"data":{"n":NaN,"a":"\xff"}}', Rule.NOT_UTF8, "data.a"),
        (b'{"data":{"a":' + b"[" * 256 + b"]" * 256 + b"}}", Rule.TOO_DEEP, "data.a"),
        (b'{"data":{"a":' + b"[" * 90_000 + b"]" * 90_000 + b"}}", Rule.TOO_DEEP, "data.a"),
        (
            b'{"data":{"a":"' + b'","a":"'.join([b"x" * 9_990] * 101) + b'"}}',
            Rule.TOO_LARGE,
            "data",
        ),
        (b'{"data":{' + b",".join([b'"a":1'] * 2_001) + b"}}", Rule.TOO_MANY_FIELDS, "columns"),
        (b'{"data":{}}', Rule.DATA_EMPTY, "data"),
        (b'{"data":null}', Rule.DATA_NOT_AN_OBJECT, "data"),
        (b'{"data":[1]}', Rule.DATA_NOT_AN_OBJECT, "data"),
        (b'{"time":1}', Rule.DATA_MISSING, "data"),
        (b"{}", Rule.DATA_MISSING, "data"),
        (b"7", Rule.NOT_AN_OBJECT, "object"),
        (b"[[]]", Rule.NOT_AN_OBJECT, "object"),
        (b'{"data":{"a":1},"time":"yesterday"}', Rule.TIME, "time"),
        (b'{"data":{"a":1},"time":12345678901}', Rule.TIME, "time"),
        (b'{"data":{"a":1},"time":{}}', Rule.TIME, "time"),
        (b'{"data":{"a":1},"time":"0002-01-01T00:00:00Z"}', Rule.TIME, "1678 to 2261"),
        (b'{"data":{"a":1},"time":-1}', Rule.TIME, "time"),
    ],
)
def test_bad_event_gets_its_own_error_and_its_neighbours_are_taken(
    split: object, event: bytes, rule: Rule, names: str
) -> None:
    body = b'[{"data":{"n":1}},' + event + b',{"data":{"n":2}}]'
    first, middle, last = split(body, 0, NOW)  # type: ignore[operator]  # one of the splitters
    assert first == Accepted(NOW, 1, b'{"n":1}')
    assert last == Accepted(NOW, 1, b'{"n":2}')
    assert isinstance(middle, Refused)
    assert middle.rule is rule
    assert names in middle.error
    assert len(middle.error) < 400


@pytest.mark.parametrize("split", SPLITTERS)
@pytest.mark.parametrize(
    "data",
    [
        b'{"a":' + b"[" * 255 + b"]" * 255 + b"}",
        b'{"a":"' + b"x" * 65_535 + b'"}',
        b'{"a":"' + rb"\u00e9" * 32_767 + b'"}',
        b"{" + b",".join(b'"k%d":1' % i for i in range(2_000)) + b"}",
        b'{"":1}',
        b'{"a":"\\ud800","b":"\\u0000","c":123456789012345678901234567890}',
        b'{"a":null}',
    ],
)
def test_events_at_the_limits_are_taken_as_they_came(split: object, data: bytes) -> None:
    assert split(b'[{"data":' + data + b"}]", 0, NOW) == [  # type: ignore[operator]
        Accepted(NOW, 1, data)
    ]


@pytest.mark.parametrize("split", SPLITTERS)
def test_fields_are_counted_after_unpacking_to_the_datasets_depth(split: object) -> None:
    inner = ",".join(f'"k{i}":1' for i in range(1_500))
    body = f'[{{"data":{{"a":{{{inner}}},"b":{{{inner}}},"e":{{}}}}}}]'.encode()
    assert isinstance(split(body, 0, NOW)[0], Accepted)  # type: ignore[operator]
    assert split(body, 1, NOW)[0].rule is Rule.TOO_MANY_FIELDS  # type: ignore[operator]


@pytest.mark.parametrize("split", SPLITTERS)
def test_names_that_unpacking_makes_have_a_limit_of_bytes(split: object) -> None:
    most = limits.UNPACKED_NAME_BYTES_MAX
    for size, depth, taken in ((most, 1, True), (most + 1, 1, False), (most + 1, 0, True)):
        body = b'[{"data":{"n":1}},{"data":%b}]' % event_of_name_bytes(size)
        first, second = split(body, depth, NOW)  # type: ignore[operator]
        assert isinstance(first, Accepted)
        assert isinstance(second, Accepted) == taken
        if not taken:
            assert second.rule is Rule.NAMES_TOO_LONG
            assert str(most) in second.error


@pytest.mark.parametrize("split", SPLITTERS)
@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"{}", b"[", b"[1", b"[1,]", b'[{"data":{"a":1}]', b"[] x", b"[]]", b"nul", b'"[]"',
     b'[{"data":{"a":tru', b'[{"data":{"a" 1}}]', b'[{"data":{a:1}}]', b"[" * 400_000],
)  # fmt: skip
def test_broken_structure_is_a_fault_of_the_whole_body(split: object, body: bytes) -> None:
    with pytest.raises(MalformedBody, match="Request body is malformed"):
        split(body, 0, NOW)  # type: ignore[operator]  # one of the splitters


@pytest.mark.parametrize("split", SPLITTERS)
def test_last_of_repeated_envelope_members_wins_and_line_breaks_become_blanks(
    split: object,
) -> None:
    body = b'[{"data":1,"time":"x","d\\u0061ta":{"a"\n:\r\n1},"time":1700000000}]'
    assert split(body, 0, NOW) == [  # type: ignore[operator]  # one of the splitters
        Accepted(1_700_000_000 * 10**9, 1, b'{"a" :  1}')
    ]


def test_event_repr_and_errors_never_show_values() -> None:
    (event,) = fast_json.split_batch(b'[{"data":{"password":"hunter2"}}]', 0, NOW)
    assert "hunter2" not in repr(event)
    (bad,) = fast_json.split_batch(b'[{"data":{"a":1},"time":"hunter2"}]', 0, NOW)
    assert isinstance(bad, Refused)
    assert "hunter2" not in json.dumps(bad.error)
    assert limits.BATCH_EVENTS_MAX > 0
