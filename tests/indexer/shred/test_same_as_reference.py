"""The compiled shredder gives what the reference gives: columns, rows, errors, digests (I3)."""

import random
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import limits
from indexer.shred.compiled.shredder import KernelShredder
from indexer.shred.kernel.memory import CELLS_MAX, ROWS_MAX
from segment.columns.digest import block_digest
from tests.common.scan.kernel.test_numbers import NOT_NUMBERS, TORTURE
from tests.common.scan.kernel.test_strings import HARD
from tests.generate import START_NS, event_of_name_bytes, wide_lines, wide_records
from tests.indexer.shred.conftest import SEEDS
from tests.indexer.shred.same import EXACT, QUICK, assert_all_same, assert_same, line, record
from tests.indexer.shred.test_properties import events, flat_events
from tests.indexer.shred.test_shred import FACTS, REFUSED

LINES = [
    b'{"t":1,"r":0,"d":{"a":1}}\n', b'{"t":1,"r":-1,"d":{"a":1}}\n', b'{"t":-0,"r":1,"d":{}}\n',
    b'{"t":1.0,"r":1,"d":{"a":1}}\n', b'{"t":1,"r":1e0,"d":{"a":1}}\n', b'{"t":01,"r":1,"d":{}}\n',
    b'{"t":9223372036854775808,"r":1,"d":{"a":1}}\n', b'{"t":9223372036854775807,"r":1,"d":{}}\n',
    b'{"t":-9223372036854775808,"r":1,"d":{}}\n', b'{"t":1,"r":9223372036854775808,"d":{}}\n',
    b'{"t":1,"r":9223372036854775807,"d":{}}\n', b'{"r":1,"t":1,"d":{"a":1}}\n', b'{"t":1,"r":1}\n',
    b'{"t":1,"r":1,"d":[]}\n', b'{"t":1,"r":1,"d":null}\n', b"{}\n", b"\n", b" \n", b"", b"\xff\n",
    b'{"t":1,"r":1,"d":{"a":1}},\n', b'{"t":1,"r":1,"d":{"a":1},"e":1}\n', b'{"t":1,"r":1,"d":{}}',
    b'{"t":1,"r":1,"d": {"a":1}\t \r}\n', b'{"t":1,"r":1,"d":{"a":1}} \n',
    b'{"t":-,"r":1,"d":{}}\n', b'{"t":1,"r":1,"d":{"a":"b\n"}}\n', b'{"t":1,"r":1,"d":{\n}}\n',
    b'{ "t":1,"r":1,"d":{}}\n',
]  # fmt: skip


@pytest.mark.parametrize(("source", "depth"), [(source, depth) for source, depth, _ in FACTS])
def test_facts(kernel: KernelShredder, source: str, depth: int) -> None:
    assert_same(kernel, [record(line(source.encode()), depth)])


@pytest.mark.parametrize("source", REFUSED)
def test_what_is_no_event(kernel: KernelShredder, source: str) -> None:
    good = line(b'{"a":1}')
    for depth in (0, 2):
        assert_same(kernel, [record(good), record(good + line(source.encode()) + good, depth, 1)])


@pytest.mark.parametrize("bad", LINES, ids=repr)
def test_lines(kernel: KernelShredder, bad: bytes) -> None:
    good = line(b'{"a":1,"b":"x"}')
    assert_same(kernel, [record(bad), record(good + bad, 0, 1), record(good, 0, 2)])


def test_numbers_and_strings_that_broke_other_parsers(kernel: KernelShredder) -> None:
    values = [text.encode() for text in (*TORTURE, *NOT_NUMBERS)] + [b'"%b"' % one for one in HARD]
    for value in values:
        for event in (b'{"a":%b}', b'{"a":[%b, {"b":%b}]}'):
            source = event.replace(b"%b", value)
            assert_same(kernel, [record(line(source) + line(b'{"b":1}'), 1)])


@given(
    st.lists(
        st.tuples(st.lists(events | flat_events, min_size=1, max_size=3), st.integers(0, 4)),
        min_size=1,
        max_size=5,
    )
)
def test_any_events(kernel: KernelShredder, found: list[tuple[list[str], int]]) -> None:
    assert_same(
        kernel,
        [
            record(b"".join(line(event.encode(), offset) for event in some), depth, offset)
            for offset, (some, depth) in enumerate(found)
        ],
    )


@given(events, st.integers(0, 2), st.data())
def test_any_damaged_event(
    kernel: KernelShredder, event: str, depth: int, draw: st.DataObject
) -> None:
    damaged = bytearray(line(event.encode()))
    at = draw.draw(st.integers(0, len(damaged) - 1))
    damaged[at : at + draw.draw(st.integers(0, 2))] = draw.draw(st.binary(max_size=2))
    assert_same(kernel, [record(bytes(damaged) + line(b"{}"), depth), record(line(b"{}"), 0, 1)])


@pytest.mark.parametrize(("more", "fallbacks"), [(0, 0), (1, 1)])
def test_names_at_and_beyond_their_limit(more: int, fallbacks: int) -> None:
    lines: list[int] = []
    kernel = KernelShredder(SEEDS, on_fallback=lines.append)
    event = line(event_of_name_bytes(limits.UNPACKED_NAME_BYTES_MAX + more))
    assert_same(kernel, [record(line(b"{}") + event, 1), record(event, 0, 1)])
    assert sum(lines) == fallbacks


SAMPLE = b"".join(wide_lines(2)) + line(
    rb'{"a":{"b":[1, "\u00e9\ud83d\ude00",null,-1.5e-7],"c": true},'
    rb'"a":{"b":"\n"},"\u0061":18446744073709551616}'
) + line('{"é":"€😀","n":123456789.25,"o":{"p":{"q":{}}}}'.encode(), -5, 100)  # fmt: skip


def test_every_truncation(kernel: KernelShredder) -> None:
    for ending in (b"", b"\n"):
        every = range(len(SAMPLE) + 1)
        assert_all_same(kernel, [record(SAMPLE[:end] + ending, 1, end) for end in every])


def test_every_corruption_of_one_byte(kernel: KernelShredder) -> None:
    dice = random.Random(5)
    hard = b'"\\{}[]:,019.eE+- \t\n\r\x00\x1f\x7f\x80\xbf\xc2\xe0\xed\xf0\xf4\xfftfnu'
    records = []
    for at in range(len(SAMPLE)):
        for byte in {
            SAMPLE[at] ^ 1,
            SAMPLE[at] ^ 0x80,
            dice.choice(hard),
            dice.choice(hard),
            dice.randrange(256),
        }:
            damaged = SAMPLE[:at] + bytes([byte]) + SAMPLE[at + 1 :]
            records.append(record(damaged, at % 3, len(records)))
    assert_all_same(kernel, records)


def test_every_alignment(kernel: KernelShredder) -> None:
    for pad in range(70):
        events = [
            b'{"%b":"%b","n":%d}' % (b"k" * pad, b"v" * (69 - pad), pad),
            b'{"s":"%b"}' % (b"x" * pad),
        ]
        assert_same(kernel, [record(b"".join(map(line, events)) * 2)])


def test_records_go_on_over_the_end_of_a_pass(kernel: KernelShredder) -> None:
    small = line(b'{"a":1}') * (ROWS_MAX + 7)
    bad = small + line(b'{"a":01}')
    records = [
        record(small),
        record(bad, 0, 1),
        record(small, 0, 2),
        record(line(b'{"b":2}'), 0, 3),
    ]
    found = assert_same(kernel, records)
    assert found.block.rows == 2 * (ROWS_MAX + 7) + 1


def test_more_cells_than_a_pass_has_room_for(kernel: KernelShredder) -> None:
    one = b"{%b}" % b",".join(b'"k%d":%d' % (i, i) for i in range(2000))
    assert_same(kernel, [record(line(one) * (CELLS_MAX // 2000 + 5))], QUICK)


def test_an_event_that_no_pass_can_hold_goes_to_the_reference() -> None:
    fallbacks: list[int] = []
    shredder = KernelShredder(SEEDS, on_fallback=fallbacks.append)
    many = b"{%b}" % b",".join(b'"k%d":%d' % (i, i) for i in range(20_000))
    cells = b"{%b}" % b",".join(b'"a":%d' % i for i in range(CELLS_MAX + 1))
    name = b'{"%b":{"%b":1}}' % (b"a" * 1_100_000, b"b" * 500_000)
    events = [line(one) + line(b'{"a":1}') for one in (many, cells, name)]
    assert_same(shredder, [record(lines, 1) for lines in events], QUICK)
    assert sum(fallbacks) == 3


def test_ever_new_names(kernel: KernelShredder) -> None:
    one = [
        b"{%b}" % b",".join(b'"n%d_%d":%d' % (row, i, i) for i in range(40)) for row in range(1000)
    ]
    assert_same(kernel, [record(b"".join(map(line, one)))])


def test_random_order_absent_names_and_changing_types(kernel: KernelShredder) -> None:
    dice = random.Random(3)
    values: list[object] = [
        1,
        -2.5,
        "x",
        True,
        None,
        [1, {"a": 2}],
        {"b": {"c": "d"}},
        "é\n",
        2**64,
        10**30,
    ]
    lines = []
    for _ in range(600):
        names = dice.sample([f"field.{i}" for i in range(60)], dice.randrange(30))
        event = {name: dice.choice(values) for name in names}
        lines.append(
            line(
                orjson.dumps(
                    {
                        k: v if not isinstance(v, int) or v < 2**63 else "big"
                        for k, v in event.items()
                    }
                )
            )
        )
    for depth in range(3):
        assert_same(kernel, [record(b"".join(lines), depth)])


def test_deep_nesting_and_long_texts(kernel: KernelShredder) -> None:
    deep = [
        b'{"a":' * levels + b"1" + b"}" * levels for levels in (1, 5, 11, 12, 255, 256, 257, 300)
    ]
    deep += [b'{"a":' + b"[" * levels + b"]" * levels + b"}" for levels in (255, 256, 2000)]
    long = b'{"a":"%b","b":"%b","c":[%b]}' % (
        b"x" * 65_535,
        rb"\u00e9" * 5000,
        b" 1 ," * 5000 + b"2",
    )
    for depth in (0, 1, 10, 255, 256, 1000):
        assert_same(kernel, [record(line(one), depth, at) for at, one in enumerate([*deep, long])])
    assert kernel.intact()


def test_a_record_longer_than_the_memory_for_text(kernel: KernelShredder) -> None:
    assert_same(
        kernel, [record(line(b'{"a":"%b"}' % (b"x" * 900_000)) * 2), record(line(b'{"a":1}'))]
    )


def test_seeds_and_what_was_shredded_before_change_nothing() -> None:
    records = wide_records(300)
    wanted = block_digest(EXACT.shred(records).block)
    for seeds in (SEEDS, (0, 0), (-1, 2**63 - 1)):
        shredder = KernelShredder(seeds)
        assert block_digest(shredder.shred(records).block) == wanted
        shredder.shred([record(line(b'{"other":1}') * 3)])
        assert block_digest(shredder.shred(records).block) == wanted


def test_threads_share_a_shredder(kernel: KernelShredder) -> None:
    parts = [wide_records(200, seed=seed) for seed in range(4)]
    wanted = [block_digest(EXACT.shred(part).block) for part in parts]
    with ThreadPoolExecutor(4) as threads:
        for _ in range(5):
            found = list(threads.map(lambda part: block_digest(kernel.shred(part).block), parts))
            assert found == wanted


def test_nothing_in_makes_an_empty_block(kernel: KernelShredder) -> None:
    assert assert_same(kernel, []).block.rows == 0


def test_nothing_is_written_beside_a_table(kernel: KernelShredder) -> None:
    assert kernel.intact()


def test_good_events_are_not_handed_over() -> None:
    fallbacks: list[int] = []
    shredder = KernelShredder(SEEDS, on_fallback=fallbacks.append)
    known = [line(source.encode(), START_NS) for source, depth, _ in FACTS if depth == 0]
    shredder.shred([*wide_records(500), record(b"".join(known))])
    assert not fallbacks
