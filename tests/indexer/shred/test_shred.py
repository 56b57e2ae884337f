"""What an event's JSON means as columns, as facts (docs/events.md, I3, I9, I12)."""

import math

import pytest

from common import limits
from common.scan.json_tokens import BadValue, JsonSyntaxError
from indexer.shred.event import JsonText, read_event
from indexer.shred.fast_event import read_event_fast
from indexer.shred.interface import Quarantined, ShredInput
from indexer.shred.reference import ReadEvent, ReferenceShredder
from segment.columns import ColumnKey, FieldType
from tests.generate import START_NS, event_of_name_bytes, wide_lines

INT, FLOAT, BOOL, STRING, JSON = FieldType
WAYS = pytest.mark.parametrize("read", [read_event, read_event_fast])

FACTS: list[tuple[str, int, dict[str, object]]] = [
    # numbers
    ('{"a":0,"b":-0,"c":-0.0,"d":0e0}', 0, {"a": 0, "b": 0, "c": -0.0, "d": 0.0}),
    ('{"a":9007199254740993}', 0, {"a": 2**53 + 1}),
    ('{"a":9223372036854775807,"b":-9223372036854775808}', 0, {"a": 2**63 - 1, "b": -(2**63)}),
    ('{"a":9223372036854775808}', 0, {"a": 2.0**63}),
    ('{"a":-9223372036854775809}', 0, {"a": -(2.0**63)}),
    ('{"a":18446744073709551615}', 0, {"a": 2.0**64}),
    ('{"a":123456789012345678901234567890}', 0, {"a": 1.2345678901234568e29}),
    ('{"a":1.0,"b":1E+2,"c":1e-400,"d":5e-324}', 0, {"a": 1.0, "b": 100.0, "c": 0.0, "d": 5e-324}),
    ('{"a":2.2250738585072011e-308}', 0, {"a": 2.225073858507201e-308}),
    ('{"a":9007199254740993.0}', 0, {"a": 9007199254740992.0}),
    # strings
    (r'{"a":"\u00e9\n\"\\\/","\u0062":""}', 0, {"a": 'é\n"\\/', "b": ""}),
    (r'{"a":"\ud83d\ude00","b":"\ud83d"}', 0, {"a": "😀", "b": "\ufffd"}),
    (r'{"a":"\ude00x"}', 0, {"a": "\ufffdx"}),
    (r'{"a":"\u0000"}', 0, {"a": "\x00"}),
    (r'{"\ud800":1,"\udbff":2}', 0, {"\ufffd": 2}),
    ('{"":1}', 0, {"": 1}),
    # absent, duplicates, dots
    ('{"a":null,"b":1}', 0, {"b": 1}),
    ('{"a":1,"a":"x"}', 0, {"a": "x"}),
    ('{"a":1,"a":null}', 0, {}),
    ('{"a":null,"a":1}', 0, {"a": 1}),
    ('{"a":{"b":1},"a":3}', 1, {"a.b": 1, "a": 3}),
    ('{"a":{"b":1},"a":{"c":2}}', 1, {"a.b": 1, "a.c": 2}),
    ('{"a":{"b":1},"a":3}', 0, {"a": 3}),
    ('{"a.b":1,"a":{"b":2}}', 1, {"a.b": 2}),
    ('{"a":{"b":2},"a.b":1}', 1, {"a.b": 1}),
    ('{"a":{"b":2},"a.b":null}', 1, {}),
    ('{"a.b":1,"a":{"b":2}}', 0, {"a.b": 1, "a": JsonText('{"b":2}')}),
    ('{"":{"":{"":1}}}', 2, {"..": 1}),
    # nesting
    ('{"a":{"b":{"c":1}}}', 2, {"a.b.c": 1}),
    ('{"a":{"b":{"c":1}}}', 1, {"a.b": JsonText('{"c":1}')}),
    ('{"a": { "b" : [ 1 , "x y" , 1.50, -0 ] } }', 0, {"a": JsonText('{"b":[1,"x y",1.50,-0]}')}),
    (r'{"a":["\u0041\ud800", "\""]}', 0, {"a": JsonText(r'["\u0041\ud800","\""]')}),
    ('{"a":[{"b":1},{"b":1, "b":2}]}', 9, {"a": JsonText('[{"b":1},{"b":1,"b":2}]')}),
    ('{"a":{},"b":{ },"c":[]}', 3, {"a": JsonText("{}"), "b": JsonText("{}"), "c": JsonText("[]")}),
    ('{"a":{}}', 0, {"a": JsonText("{}")}),
    ('{"a":{"b":{}}}', 5, {"a.b": JsonText("{}")}),
    ('{"a":{"b":null}}', 1, {}),
    (' { "a" : 1 } ', 0, {"a": 1}),
    ('{"id":"/items/{id}"}', 3, {"id": "/items/{id}"}),
]  # fmt: skip

REFUSED = [
    '{"a":1e400}', '{"a":-1e400}', '{"a":[1e400]}', '{"a":{"b":' + "9" * 400 + "}}", '{"a":NaN}',
    '{"a":[Infinity]}', '{"a":-Infinity}', '{"a":01}', '{"a":1.}', '{"a":+1}', '{"a":.5}',
    '{"a":1,}', '{"a"}', '{a:1}', "[]", "1", "", "{", '{"a":1}}', '{"a":1} x', '{"a":tru}',
    '{"a":"\t"}', r'{"a":"\x41"}', r'{"a":"\u12"}', '{"a":' + "[" * 300 + "]" * 300 + "}",
    '{"a":' + "[" * 300 + "]" * 300 + ',"a":1}', '\ufeff{"a":1}',
]  # fmt: skip


def exactly(fields: dict[str, object]) -> list[tuple[str, type, str]]:
    return sorted((name, type(value), repr(value)) for name, value in fields.items())


@WAYS
@pytest.mark.parametrize(("source", "depth", "fields"), FACTS)
def test_fields_of_an_event(
    read: ReadEvent, source: str, depth: int, fields: dict[str, object]
) -> None:
    assert exactly(dict(read(source.encode(), depth))) == exactly(fields)


@WAYS
@pytest.mark.parametrize("source", REFUSED)
@pytest.mark.parametrize("depth", [0, 2])
def test_what_is_no_event_is_refused(read: ReadEvent, source: str, depth: int) -> None:
    with pytest.raises((JsonSyntaxError, BadValue)):
        read(source.encode(), depth)


@WAYS
def test_bytes_that_are_not_utf8_are_refused(read: ReadEvent) -> None:
    for source in (b'{"a":"\xff"}', b'{"\xff":1}', b'{"a":["\xed\xa0\x80"]}', b'{"a":"\xc0\x80"}'):
        with pytest.raises(ValueError, match="UTF-8"):
            read(source, 0)


@WAYS
def test_the_deepest_event_allowed_is_read(read: ReadEvent) -> None:
    inner = limits.NESTING_DEPTH_MAX - 1
    source = b'{"a":' + b"[" * inner + b"]" * inner + b"}"
    assert read(source, 0) == {"a": "[" * inner + "]" * inner}
    objects = b'{"a":' * (inner + 1) + b"1" + b"}" * (inner + 1)
    (name,) = read(objects, 10)
    assert name == ".".join("a" * 11)


@WAYS
def test_an_event_of_too_long_names_is_read_as_if_it_were_not_unpacked(read: ReadEvent) -> None:
    most = limits.UNPACKED_NAME_BYTES_MAX
    assert len(read(event_of_name_bytes(most), 1)) == 3
    data = event_of_name_bytes(most + 1)
    fields = read(data, 1)
    assert exactly(fields) == exactly(read(data, 0))
    assert sorted(map(len, fields)) == [1, 2_500]


def one_record(lines: bytes, depth: int = 0, offset: int = 7) -> ShredInput:
    return ShredInput(offset, START_NS, depth, lines)


def test_columns_are_sparse_typed_and_in_log_order() -> None:
    lines = b'{"t":5,"r":1,"d":{"a":1,"b":"x"}}\n{"t":-6,"r":20,"d":{"a":1.5}}\n'
    records = [one_record(lines, offset=7), one_record(b'{"t":0,"r":1,"d":{"a":2}}\n', offset=9)]
    block = ReferenceShredder().shred(records).block
    assert block.time_ns.tolist() == [5, -6, 0]
    assert block.rate.tolist() == [1, 20, 1]
    assert block.offset.tolist() == [7, 7, 9]
    assert block.index_in_record.tolist() == [0, 1, 0]
    assert list(block.columns) == [
        ColumnKey("a", FLOAT), ColumnKey("a", INT), ColumnKey("b", STRING),
    ]  # fmt: skip
    whole = block.columns[ColumnKey("a", INT)]
    assert whole.rows.tolist() == [0, 2]
    assert whole.dense(3).to_pylist() == [1, None, 2]


def test_far_is_judged_from_the_records_append_time() -> None:
    past, future = limits.TIME_PAST_BOUND_NS_V1, limits.TIME_FUTURE_BOUND_NS_V1
    times = [START_NS - past - 1, START_NS - past, START_NS + future, START_NS + future + 1, 0]
    lines = b"".join(b'{"t":%d,"r":1,"d":{"a":1}}\n' % time for time in times)
    block = ReferenceShredder().shred([one_record(lines)]).block
    assert block.late_or_early.tolist() == [True, False, False, True, True]


def test_depth_is_the_records_own() -> None:
    line = b'{"t":1,"r":1,"d":{"a":{"b":1}}}\n'
    block = ReferenceShredder().shred([one_record(line, 0), one_record(line, 1)]).block
    assert list(block.columns) == [ColumnKey("a", JSON), ColumnKey("a.b", INT)]


def test_a_bad_line_sets_its_whole_record_aside_and_only_that() -> None:
    good = b'{"t":1,"r":1,"d":{"a":1}}\n'
    records = [
        one_record(good + b'{"t":1,"r":1,"d":{"a":nul}}\n', offset=1),
        one_record(good, offset=2),
        one_record(b"", offset=3),
        one_record(b"\n", offset=4),
        one_record(b"\xff\x00\n", offset=5),
    ]
    shredded = ReferenceShredder().shred(records)
    assert shredded.block.offset.tolist() == [2]
    assert [aside.offset for aside in shredded.quarantined] == [1, 3, 4, 5]
    assert shredded.quarantined[0] == Quarantined(1, "event 1: unexpected character at byte 5")


@pytest.mark.parametrize(
    "line",
    [
        b'{"t":1,"r":0,"d":{"a":1}}', b'{"t":1,"r":-1,"d":{"a":1}}', b'{"t":1.0,"r":1,"d":{"a":1}}',
        b'{"t":9223372036854775808,"r":1,"d":{"a":1}}', b'{"r":1,"t":1,"d":{"a":1}}',
        b'{"t":1,"r":1,"d":[]}', b'{"t":1,"r":1,"d":null}', b'{"t":1,"r":1}', b"{}", b" ",
        b'{"t":1,"r":1,"d":{"a":1}},', b'{"t":1,"r":1,"d":{"a":1},"e":1}', b'{"t":01,"r":1,"d":{}}',
        b'{"t":1,"r":9223372036854775808,"d":{"a":1}}',
    ],
)  # fmt: skip
def test_a_line_that_is_not_ours_is_set_aside(line: bytes) -> None:
    for shredder in (ReferenceShredder(), ReferenceShredder.exact()):
        shredded = shredder.shred([one_record(line + b"\n")])
        assert len(shredded.quarantined) == 1
        assert shredded.block.rows == 0


def test_every_truncation_of_a_line_is_set_aside_and_never_an_error() -> None:
    lines = b"".join(wide_lines(1)) + b'{"t":1,"r":1,"d":{"a":{"b":[1,"\\u00e9",null,1e5]}}}\n'
    shredder = ReferenceShredder()
    start = lines.index(b"\n") + 1
    for end in range(len(lines)):
        shredded = shredder.shred([one_record(lines[:end], depth=1)])
        assert len(shredded.quarantined) == (end != start)


def test_an_event_of_two_thousand_fields_is_exact() -> None:
    fields = ",".join(f'"f{i}":{i}' for i in range(2000))
    line = b'{"t":1,"r":1,"d":{%b}}\n' % fields.encode()
    block = ReferenceShredder().shred([one_record(line * 3)]).block
    assert len(block.columns) == 2000
    assert block.columns[ColumnKey("f1999", INT)].values.to_pylist() == [1999] * 3


def test_negative_zero_keeps_its_sign() -> None:
    line = b'{"t":1,"r":1,"d":{"a":-0.0}}\n'
    (column,) = ReferenceShredder().shred([one_record(line)]).block.columns.values()
    assert math.copysign(1, column.values[0].as_py()) == -1


def test_nothing_in_makes_an_empty_block() -> None:
    block = ReferenceShredder().shred([]).block
    assert (block.rows, dict(block.columns)) == (0, {})
    assert block.late_or_early.dtype == bool
