"""The compiled splitter gives what the reference gives: lines, refusals, errors (I9)."""

import random
from collections.abc import Iterator

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common import limits
from shepherd.honeycomb.media import Media
from shepherd.honeycomb.split.compiled.splitter import KernelSplitter
from shepherd.honeycomb.split.kernel import memory
from shepherd.honeycomb.split.reference import ReferenceSplitter
from tests.common.scan.test_split import EVENTS
from tests.generate import event_of_name_bytes, wide_event
from tests.indexer.shred.test_shred import FACTS
from tests.shepherd.honeycomb.split.same import NOW, Told, assert_same, exact, outcome, told

TIME_TEXTS = [
    "0", "1", "1700000000", "9223372036", "9223372037", "12345678901", "1700000000123",
    "9223372036854", "9223372036855", "1700000000123456", "9223372036854775", "9223372036854776",
    "1700000000123456789", "9223372036854775807", "9223372036854775808", "9999999999999999999",
    "17000000001234567890", "-1", "-0", "0.0", "1700000000.25", "1700000000.123456789987654321",
    "9223372036.854775807", "9223372036.854775808", "1700000000123.5", "1.7e9", "17E+8", "1e-3",
    '"1700000000."', '".5"', '"0000000001"', '"00000000001.5"', '"1.5e3"', '"+1"',
    '"1700000000123.5"',
    '"9223372036854775807"', '"9223372036854775808"', '"9223372036.854775808"', '"17000000001"',
    '"1700000000.5 "', '"1700000000.' + "9" * 69 + '"', '"1700000000.' + "9" * 70 + '"',
    "1." + "0" * 90, "true", "[1]", '""', '" 1700000000"', '"1700000000"', '"1700000000.5"',
    '"2023-11-14T22:13:20Z"', '"2023-11-14t22:13:20z"', '"2023-11-14 22:13:20.5+05:30"',
    '"2023-11-14T22:13:20.123456789123-23:59"', '"2023-11-14T22:13:20.Z"', '"2023-02-29T00:00:00Z"',
    '"2024-02-29T00:00:00Z"', '"1900-02-29T00:00:00Z"', '"2000-02-29T23:59:60Z"',
    '"2023-00-10T00:00:00Z"', '"2023-13-10T00:00:00Z"', '"2023-04-31T00:00:00Z"',
    '"2023-01-01T24:00:00Z"', '"2023-01-01T00:60:00Z"', '"2023-01-01T00:00:61Z"',
    '"2023-01-01T00:00:00+24:00"', '"2023-01-01T00:00:00+00:60"', '"2023-01-01T00:00:00"',
    '"2023-01-01T00:00:00Z "', '"2023-1-01T00:00:00Z"', '"1677-09-21T00:12:43Z"',
    '"1677-09-22T00:00:00Z"', '"1680-01-01T00:00:00Z"', '"1679-12-31T23:59:59.5Z"',
    '"1969-12-31T23:59:59.999999999Z"', '"2259-12-31T23:59:59Z"', '"2262-04-11T23:47:16Z"',
    '"2262-04-11T23:47:17Z"', '"0000-01-01T00:00:00Z"', '"2023-01-01T00\\u003a00:00Z"',
    '"0001-01-01T00:00:00Z"', '"0001-01-01T00:00:00.0+01:00"', '" "', "-0.0", "-62135596800",
    '"0000-12-31T19:03:58-04:56"', '"0001-01-01"', "0e5", '"0"', "0.0000000001", "0.000000001",
    '"1970-01-01T00:00:00Z"', '"1970-01-01T01:00:00+01:00"', "null", '"-6795364578871345152"',
    '"٢٠٢٣-01-01T00:00:00Z"', '"2023-01-01T00:00:00.' + "1" * 80 + 'Z"',
]  # fmt: skip
RATE_TEXTS = [
    "1", "2", "2147483647", "2147483648", "0", "-1", "1.0", "1e3", "1.5", "true", '"3"', "{}",
    "00001", "1" * 41, "null", "0.0", "-0", "0.4", "2.5", "1e999", "NaN", "-Infinity", '"abc"',
    '""', '"1_0"', '"2.5"', "false", "[]", '"\xff"', '"\\u0031"', "2147483647.5", "1e-400",
]  # fmt: skip
BODIES = [
    b"", b" ", b"[", b"]", b"[]", b" [ ] ", b"[]x", b"[\x00]", b"[]\x00", b"[,]", b"[1,]", b"[1 1]",
    b"{}", b"[[]]", b"[null,true,1.5,\"x\"]", b"[{}]", b'[{"data"}]', b'[{"data":{}}]',
    b"\xef\xbb\xbf[]",
    b'[{"data":{"a":1}}]\n', b'[{"data":{"a":1}},]', b'[{"data":{"a":1}}', b'[{"data":{"a":1}} {}]',
    b'[{"data":{"a":1},"data":{"b":2}}]', b'[{"data":{"a":1},"data":7}]',
    b'[{"data":7,"data":{"a":1}}]',
    b'[{"x":NaN,"data":{"a":1}}]', b'[{"\xff":1,"data":{"a":1}}]', b'[{"d\\u0061ta":{"a":1}}]',
    b'[{"Data":{"a":1}}]', b'[{"data2":{},"data":{"a":1},"samplerat":5,"samplerates":6,"timE":7}]',
    b'[{"data":{"a"\n:\r\n[1,\n2]},"time":null,"samplerate":null}]',
    b'[{"data":{"a":NaN,"b":[1,-Infinity,{"c":1e999}],"d":"x"}},{"data":{"a":1}}]',
    b'[{"data":{"a":{"b":{"c":NaN,"d":NaN}},"e":{"f":[NaN]}},"time":"","samplerate":0}]',
    b'[{"data":{"a":NaN},"time":"x"},{"data":NaN},{"data":{"a":NaN,"b":"\xff"}},{"data":[NaN]}]',
    b'[{"data":{"a":NaN},"data":{"a":2}},{"data":{"a":2},"data":{"a":NaN}},{"data":{"\\u0061":NaN}}]',
    b'[{"data":{"a"\n:\r\nNaN,"a":1},"samplerate":"x"}]',
    b'[{"data" : {"o":{"p":{"q":\n1},"r":{}},"s":[]} , "time" : 1700000000 }]',
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
def test_bodies_at_the_edge(splitter: KernelSplitter, body: bytes) -> None:
    for depth in range(3):
        assert_same(splitter, body, depth)


def test_every_form_of_a_time_and_a_rate(splitter: KernelSplitter) -> None:
    for text in TIME_TEXTS:
        assert_same(splitter, f'[{{"time":{text},"data":{{"a":1}}}}]'.encode())
        assert_same(splitter, f'[{{"data":{{"a":1}},"time": {text} ,"samplerate":7}}]'.encode())
    for text in RATE_TEXTS:
        assert_same(splitter, f'[{{"samplerate":{text},"data":{{"a":1}},"time":"x"}}]'.encode())
        assert_same(splitter, f'[{{"samplerate":{text},"data":{{"a":1}}}}]'.encode())


DATES = st.datetimes().map(lambda at: f'"{at.isoformat()}Z"')
DIGITS = st.text("0123456789", min_size=1, max_size=21)


@settings(max_examples=150)
@given(DATES | DIGITS | st.tuples(DIGITS, DIGITS).map(".".join))
def test_times_of_any_digits(splitter: KernelSplitter, text: str) -> None:
    assert_same(splitter, f'[{{"time":{text},"data":{{"a":1}}}}]'.encode())


@settings(max_examples=150)
@given(st.lists(EVENTS, max_size=4), st.integers(0, 3), st.sampled_from(["", " ", "x", ","]))
def test_generated_bodies(
    splitter: KernelSplitter, events: list[str], depth: int, tail: str
) -> None:
    assert_same(splitter, f"[{','.join(events)}]{tail}".encode(), depth)


def test_every_fact_of_the_documentation(splitter: KernelSplitter) -> None:
    for source, depth, _ in FACTS:
        assert_same(splitter, b'[{"data":%b}]' % source.encode(), depth)


def bodies_at_limits() -> Iterator[bytes]:
    over = limits.STRING_BYTES_MAX + 1
    for size in (over - 1, over):
        yield b'{"a":"%b"}' % (b"x" * size)
        yield b'{"%b":1}' % (b"x" * size)
        yield b'{"a":["%b"]}' % (b"x" * size)
        yield b'{"a":{"%b":1}}' % (b"x" * size)
    yield b'{"a":"%b"}' % (rb"\u00e9" * (over // 2))
    yield b'{"a":"%b"}' % (rb"\u00e9" * (over // 2 + 1))
    yield b'{"a":"%b","b":NaN,"meta.truncated_fields":"z"}' % ("€".encode() * over)
    yield b'{"a":{"b":["%b\\"",7]},"c":"%b"}' % (b"x" * over, rb"\ud83d\ude00" * over)
    yield b'{"a":"%b","b":"\xff"}' % (b"x" * over)
    yield b'{"a":"%b","b":"%b"}' % (b"x" * limits.EVENT_BYTES_MAX, b"y" * limits.EVENT_BYTES_MAX)
    yield b'{"a":"%b","b":[%b1]}' % (b"x" * over, b"1," * (limits.EVENT_BYTES_MAX // 2))
    yield b'{"a":"%b","b":[%b1]}' % (b"x" * over, b"1," * (limits.EVENT_BYTES_MAX // 2 - over))
    for fields in (limits.EVENT_FIELDS_MAX, limits.EVENT_FIELDS_MAX + 1):
        yield b"{%b}" % b",".join(b'"k%d":%d' % (n, n) for n in range(fields))
        yield b'{"o":{%b}}' % b",".join(b'"k%d":[{"x":%d}]' % (n, n) for n in range(fields))
    for size in (limits.UNPACKED_NAME_BYTES_MAX, limits.UNPACKED_NAME_BYTES_MAX + 1):
        yield event_of_name_bytes(size)
    for levels in (limits.NESTING_DEPTH_MAX - 1, limits.NESTING_DEPTH_MAX):
        yield b'{"a":%b1%b}' % (b"[" * levels, b"]" * levels)
        yield b'{"a":' * levels + b'{"a":1}' + b"}" * levels
    for size in (limits.EVENT_BYTES_MAX, limits.EVENT_BYTES_MAX + 1):
        pieces = b'{"a":"%b"' % b'","a":"'.join([b"x" * 9_990] * 100)
        yield pieces + b" " * (size - len(pieces) - 1) + b"}"
    yield b'{"a":1e400}'
    yield b'{"a":%b}' % (b"9" * 400)
    yield b'{"a":%b.5}' % (b"1" * 40)


def test_events_at_and_beyond_every_limit(splitter: KernelSplitter) -> None:
    for data in bodies_at_limits():
        for depth in (0, 1, 10):
            assert_same(splitter, b'[{"data":{"n":1}},{"data":%b},{"data":{"n":2}}]' % data, depth)


SAMPLE = (
    rb'[ {"data":{"a":1,"bb":-2.50e+3,"c":"x\"y\\z","d":true,"e":null,"f":1.0},"time":1700000000},'
    rb'{"samplerate":10,"data":{"a":{"b":[1, "\u00e9\ud83d\ude00",null,-1.5e-7],"c": true},'
    rb'"\u0061":18446744073709551616},"time":"2023-11-14T22:13:20.25+01:00"},'
    + '{"time":1700000000.5,"x":[],"data":{"é":"€😀","n":123456789.25,"o":{"p":{"q":{}}}}'.encode()
    + b"}]"
)


def test_every_truncation(splitter: KernelSplitter) -> None:
    for end in range(len(SAMPLE) + 1):
        assert_same(splitter, SAMPLE[:end], 1)
        assert_same(splitter, SAMPLE[:end] + b"]", 2)


def test_every_corruption_of_one_byte(splitter: KernelSplitter) -> None:
    dice = random.Random(5)
    hard = b'"\\{}[]:,019.eE+- \t\n\r\x00\x1f\x7f\x80\xbf\xc2\xe0\xed\xf0\xf4\xfftfnuTZ'
    for at in range(len(SAMPLE)):
        for byte in {
            SAMPLE[at] ^ 1,
            SAMPLE[at] ^ 0x80,
            *dice.choices(hard, k=3),
            dice.randrange(256),
        }:
            assert_same(splitter, SAMPLE[:at] + bytes([byte]) + SAMPLE[at + 1 :], at % 3)


def test_every_alignment(splitter: KernelSplitter) -> None:
    for pad in range(70):
        event = b'{"data":{"%b":"%b","n":%d}}' % (b"k" * pad, b"v" * (69 - pad), pad)
        other = b'{"time":1700000000123,"data":{"s":"%b"\n}}' % (b"x" * pad)
        assert_same(splitter, b"[%b]" % b",".join([event, other, event, other]))


def test_bodies_go_on_over_the_end_of_a_pass(splitter: KernelSplitter) -> None:
    small = [b'{"data":{"a":1}}'] * (memory.ROWS_MAX + 7)
    bad = b'{"data":{"a":NaN}}'
    assert_same(splitter, b"[%b]" % b",".join([*small, bad, *small, bad]))
    large = b'{"data":{"a":"%b"}}' % b'","a":"'.join([b"x" * 9_990] * 60)
    assert_same(splitter, b"[%b]" % b",".join([large, bad, large, large, b"7", large]))


def test_a_batch_of_too_many_events_is_refused(splitter: KernelSplitter) -> None:
    most = b",".join([b'{"data":{"":1}}'] * limits.BATCH_EVENTS_MAX)
    split = splitter.split(b"[%b]" % most, Media.JSON, 0, NOW)
    assert (split.events, split.lines.events) == (limits.BATCH_EVENTS_MAX,) * 2
    for tail in (b',{"data":{"":1}}]', b",[", b",{}", b",7 x", b",]", b",}", b",x", b","):
        found = outcome(splitter, b"[%b%b" % (most, tail), 0)
        few = b"[%b%b" % (most[: 15 * 3 + 2], tail)
        too_many = tail[1:2] in (b"{", b"[", b"7")
        if too_many:
            assert "more than 100000 events" in str(found)
        else:
            wanted = str(exact(few, 0))
            assert str(found).split(" at byte")[0] == wanted.split(" at byte")[0]


@pytest.mark.parametrize(
    "broken",
    [
        b"[" * 300,
        b'{"data":' * 300,
        b'{"data":{"a":"x',
        b'{"data":{"a":1]}',
        b'{"data":{"a":[1,]}}',
        b",",
    ],
)
def test_a_broken_body_is_not_read_by_the_reference(
    broken: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    splitter = KernelSplitter()
    told: list[bytes] = []
    monkeypatch.setattr(splitter, "_reference", Told(told))
    for before in (b"", b'{"data":{"a":1}}, ', b'{"data":{"a":NaN}},\n'):
        body = b" [ %b%b" % (before, broken)
        assert outcome(splitter, body, 1) == exact(body, 1)
    assert not told


RATES = (
    "2.0", "2.00000", "1.", "2.5", "0.0", "0.00", "1e2", "2.0e0", "1E0", "-2.0", "01", "2.00000000",
    "2147483647.0", "2147483648.0", "1.0000000000000000000000000000000000000001",
)  # fmt: skip


def test_rates_in_every_form_of_a_number(splitter: KernelSplitter) -> None:
    for rate in RATES:
        body = f'[{{"data":{{"a":1}},"samplerate":{rate}}},{{"data":{{}}}}]'
        assert_same(splitter, body.encode())


def test_rates_of_doubles_are_read_by_the_kernel() -> None:
    handed: list[int] = []
    splitter = KernelSplitter(on_fallback=handed.append)
    body = b"[%b]" % b",".join([b'{"data":{"a":1},"samplerate":2.0}'] * 40)
    assert told(splitter.split(body, Media.JSON, 0, NOW)) == exact(body, 0)
    assert not handed


def test_events_of_which_the_kernel_cannot_read_the_time_or_rate_stand_where_they_stood(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    splitter = KernelSplitter()
    given: list[bytes] = []
    monkeypatch.setattr(splitter, "_reference", Told(given))
    odd = [b'{"data":{"a":1},"samplerate":1e%d}' % n for n in range(12)]
    odd += [b'{"d\\u0061ta":{"a":%d\n},"time":"x"}' % n for n in range(3)]
    odd += [b'{"d\\u0061ta":{"a":%d\n},"time":"1700000000.5"}' % n for n in range(3)]
    for plain in (0, 1, 2, 40):
        events = [one for event in odd for one in (event, *[b'{"data":{"b":2}}'] * plain)]
        body = b"[%b]" % b", ".join(events * 30)
        assert told(splitter.split(body, Media.JSON, 0, NOW)) == exact(body, 0)
    assert not given


TIMES_READ = (
    1_700_000_000, 1_700_000_000.25, "2023-11-14T22:13:20.5Z", None,
    "1700000000", "1700000000123", "1700000000.25",
)  # fmt: skip


def test_wide_events_are_read_by_the_kernel_alone() -> None:
    handed: list[int] = []
    splitter = KernelSplitter(on_fallback=handed.append)
    dice = random.Random(3)
    events = [
        {"data": wide_event(dice, "0" * 32), "time": time, "samplerate": 1 + n}
        for n, time in enumerate(TIMES_READ)
    ]
    body = orjson.dumps(events * 30)
    quick = splitter.split_quickly(body, Media.JSON, 0, NOW)
    assert quick is not None
    assert told(quick) == exact(body, 0)
    assert not handed


def test_faults_of_every_kind_are_found_by_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[int] = []
    splitter = KernelSplitter(on_fallback=handed.append)
    good = b'{"data":{"a":1}}'
    body = b"[%b]" % b",".join(
        [good, b'{"data":{"a":NaN}}', good, b'{"data":{"a":1},"samplerate":2e0}', b"7", good]
    )
    assert outcome(splitter, body, 0) == exact(body, 0)
    for data in bodies_at_limits():
        body = b'[{"data":{"n":1}},{"data":%b},{"data":{"n":2}}]' % data
        assert outcome(splitter, body, 1) == exact(body, 1)
    bad = [b'{"d\\u0061ta":{"a":2}}', b"{}", b'{"data":{"k":"\xff"}}', b'{"data":7}', b"[[]]"]
    body = b"[%b]" % b",".join(bad * 3_000)
    assert outcome(splitter, body, 0) == exact(body, 0)
    assert not handed
    large = b"[%b]" % b",".join([b'{"data":{"a":NaN}}'] * 4_000)
    assert splitter.split_quickly(large, Media.JSON, 0, NOW) is None  # refusals take long too


HARD_NUMBER = b"1797693134862315807" + b"937289714053034150" + b"9" * 272  # at the largest double


@pytest.mark.parametrize(
    "number",
    [
        HARD_NUMBER, HARD_NUMBER + b".5", b"-" + HARD_NUMBER, b"1" + b"0" * 400 + b"e-400",
        b"0." + b"0" * 400 + b"1e400", b"1e308", b"1.8e308", b"17976931348623158e292", b"-1e309",
        b"179769313486231580793728971405303415079934132710037826936173778980444968292764750946649",
        b"0e999999999", b"0.0e99999999999999999999", b"1e-99999999999999999999",
        b"1e99999999999999",
        b"179769313486231570814527423731704356798070e267", b"1.7976931348623158e308",
    ],
)  # fmt: skip
def test_numbers_at_the_end_of_doubles(splitter: KernelSplitter, number: bytes) -> None:
    for text in (number, b"[%b,NaN]" % number, b'{"b":[%b]},"c":"\xff"' % number):
        assert_same(splitter, b'[{"data":{"a":1}},{"data":{"a":%b}},{}]' % text, 1)


def test_lines_are_cut_where_they_no_longer_fit() -> None:
    body = b"[%b]" % b",".join(b'{"data":{"a":"%b"}}' % (b"x" * n) for n in range(50))
    lines = ReferenceSplitter().split(body, Media.JSON, 0, NOW).lines
    pieces = lines.text.splitlines(keepends=True)
    data = [len(piece) - len(pieces[0]) + len(b'{"a":""}') for piece in pieces]
    for first in (0, 7, 49):
        for room in (0, 5, 60, 500, 10_000):
            fits = [end for end in range(first, 51) if sum(map(len, pieces[first:end])) <= room]
            assert lines.fitting(first, room) == max(fits)
            fits = [end for end in range(first, 51) if sum(data[first:end]) <= room]
            assert lines.fitting_data(first, room) == max(fits)
        assert lines.between(first, 50) == b"".join(pieces[first:])
        assert lines.between(0, first + 1) == b"".join(pieces[: first + 1])
