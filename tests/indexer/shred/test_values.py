"""Records as they are in the log: a damaged one is set aside alone, for the reference's reason."""

import struct
from collections.abc import Sequence

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from common import limits
from common.model.record import Kind, Record
from common.model.record_value import compress_value
from indexer.shred import Accepted, Shredded
from indexer.shred.compiled.shredder import KernelShredder
from indexer.shred.kernel.memory import TEXT_BYTES
from tests.generate import START_NS
from tests.indexer.shred.same import EXACT, line
from tests.segment.columns.equality import assert_same_block

SMALL = 300  # records around a damaged one
MAGIC = struct.pack("<I", 0xFD2FB528)


def lines_of(number: int) -> bytes:
    return line(b'{"number":%d,"text":"some text of event %d"}' % (number, number))


def accepted(offset: int, value: bytes, events: int = 1) -> Accepted:
    record = Record(Kind.EVENTS, value, bytes(16), "t", "e", "d", events, 0)
    return Accepted(offset, START_NS + offset, record)


def assert_same_values(kernel: KernelShredder, records: Sequence[Accepted]) -> Shredded:
    """Fail unless the kernel gives what the exact reference gives; returns it."""
    found, wanted = kernel.shred_values(records), EXACT.shred_values(records)
    assert found.quarantined == wanted.quarantined
    assert_same_block(found.block, wanted.block)
    assert kernel.intact()
    return found


def framed(data: bytes, **how: bool) -> bytes:
    return zstandard.ZstdCompressor(level=1, **how).compress(data)  # type: ignore[arg-type]


def raw_frame(blocks: bytes, claimed: int) -> bytes:
    """A frame without checksum of these blocks, with its size in four bytes."""
    return MAGIC + bytes([0b1010_0000]) + struct.pack("<I", claimed) + blocks


def raw_block(data: bytes, *, last: bool = True) -> bytes:
    return struct.pack("<I", len(data) << 3 | last)[:3] + data


GOOD = compress_value(lines_of(7))
SQUEEZED = framed(lines_of(7), write_checksum=True)  # as small records were before they were stored
LONG = compress_value(b"".join(map(lines_of, range(200))))
DAMAGED = {
    "nothing": b"",
    "no frame": b"no frame of zstd",
    "only the magic number": MAGIC,
    "checksum broken": GOOD[:-1] + bytes([GOOD[-1] ^ 1]),
    "checksum cut off": GOOD[:-4],
    "compressed although it is small": SQUEEZED,
    "compressed, checksum broken": SQUEEZED[:-1] + bytes([SQUEEZED[-1] ^ 1]),
    "cut in the middle": LONG[: len(LONG) // 2],
    "bytes behind it": GOOD + b"behind",
    "two frames": GOOD + GOOD,
    "a skippable frame before it": b"\x50\x2a\x4d\x18\x04\0\0\0skip" + GOOD,
    "empty content": compress_value(b""),
    "size not said": framed(lines_of(7), write_content_size=False),
    "without checksum": framed(lines_of(7), write_checksum=False),
    "claims too much": raw_frame(raw_block(b"x"), limits.RECORD_DECODED_BYTES_MAX + 1),
    "claims more than it holds": raw_frame(raw_block(lines_of(7)), len(lines_of(7)) + 1),
    "claims less than it holds": raw_frame(raw_block(lines_of(7)), len(lines_of(7)) - 1),
    "raw blocks": raw_frame(
        raw_block(lines_of(7)[:9], last=False) + raw_block(lines_of(7)[9:]), len(lines_of(7))
    ),
    "a block of a reserved kind": raw_frame(b"\x07\0\0", 0),
    "blocks without a last one": raw_frame(raw_block(b"x", last=False), 1),
    "a dictionary is named": MAGIC + bytes([0b0010_0001, 5, 1]) + raw_block(b"x"),
    "a reserved bit": MAGIC + bytes([0b0010_1000, 1]) + raw_block(b"x"),
    "no line break at its end": compress_value(lines_of(7)[:-1]),
    "no event": compress_value(b'{"t":1}\n'),
    "another event more": compress_value(lines_of(7) * 2),
}


@pytest.mark.parametrize("damaged", DAMAGED.values(), ids=list(DAMAGED))
def test_a_damaged_record_is_set_aside_alone(kernel: KernelShredder, damaged: bytes) -> None:
    values = [compress_value(lines_of(number)) for number in range(SMALL)]
    for place in (0, SMALL // 2, SMALL - 1):
        some = [*values[:place], damaged, *values[place + 1 :]]
        found = assert_same_values(kernel, [accepted(at, one) for at, one in enumerate(some)])
        assert found.block.rows >= SMALL - 1
        assert {one.offset for one in found.quarantined} <= {place}


@pytest.mark.parametrize("squeezed", [False, True])
def test_records_damaged_at_every_place_and_in_every_way(
    kernel: KernelShredder, squeezed: bool
) -> None:
    lines = lines_of(1) * 2
    good = framed(lines, write_checksum=True) if squeezed else compress_value(lines)
    damaged = [good[:end] for end in range(len(good))]
    damaged += [
        good[:at] + bytes([good[at] ^ 1 << bit]) + good[at + 1 :]
        for at in range(len(good))
        for bit in range(8)
    ]
    for bad in damaged:
        found = assert_same_values(
            kernel, [accepted(0, GOOD), accepted(1, bad, 2), accepted(2, GOOD)]
        )
        assert {0, 2} <= set(found.block.offset.tolist())


def test_a_frame_that_goes_on_in_the_next_record_is_no_frame(kernel: KernelShredder) -> None:
    inner = raw_frame(raw_block(b"x"), 1)
    whole = raw_frame(raw_block(lines_of(1) + inner), len(lines_of(1) + inner))
    at = whole.index(inner)
    records = [accepted(0, GOOD), accepted(1, whole[:at]), accepted(2, whole[at:])]
    assert [one.offset for one in assert_same_values(kernel, records).quarantined] == [1, 2]


def test_counts_that_headers_get_wrong(kernel: KernelShredder) -> None:
    bad = line(b'{"a":01}')
    texts = [lines_of(1), lines_of(1) + bad, bad + lines_of(1), lines_of(1) * 3, b"", b"\n", b"x"]
    records = [
        accepted(at, compress_value(text), events)
        for at, (text, events) in enumerate((text, events) for text in texts for events in range(5))
    ]
    for first in range(0, len(records), 5):
        assert_same_values(kernel, records[first : first + 5])
    assert_same_values(kernel, records)


def test_wrong_counts_where_the_rest_is_left_to_the_reference(kernel: KernelShredder) -> None:
    doubtful = line(b'{"a":1.00000000000000011102230246251565}')
    texts = [lines_of(1) * 20, doubtful * 40, lines_of(1) * 3, doubtful * 3 + b"x\n", lines_of(2)]
    for wrong in (-1, 0, 1):
        counts = [text.count(b"\n") for text in texts]
        for place in range(len(texts)):
            events = [n + wrong if at == place else n for at, n in enumerate(counts)]
            found = assert_same_values(
                kernel,
                [accepted(at, compress_value(texts[at]), n) for at, n in enumerate(events)],
            )
            if wrong:
                reasons = {aside.offset: aside.reason for aside in found.quarantined}
                assert reasons[place].endswith(f"its header says {events[place]}")


def test_more_records_than_are_decompressed_at_once(kernel: KernelShredder) -> None:
    text = line(b'{"text":"%b"}' % (b"x" * 40_000)) * 20
    count = 3 * TEXT_BYTES // len(text)
    values = [compress_value(text)] * count
    values[count // 2] = values[0][:-1]
    records = [accepted(at, value, 20) for at, value in enumerate(values)]
    found = assert_same_values(kernel, records)
    assert (found.block.rows, len(found.quarantined)) == ((count - 1) * 20, 1)


@given(st.lists(st.sampled_from([GOOD, *DAMAGED.values()]), max_size=12))
def test_any_mixture(kernel: KernelShredder, values: list[bytes]) -> None:
    assert_same_values(kernel, [accepted(at, value) for at, value in enumerate(values)])
