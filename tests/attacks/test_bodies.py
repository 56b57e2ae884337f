"""Bodies that would cost far more than their bytes: refused, bounded, shared, stopped (I9, I14).

What is count_refused are units of work and bodies, never time; sizes are harmless.
"""

import gzip
import struct
import zlib
from typing import Any

import msgpack
import orjson
import pytest
import zstandard

from common import limits
from common.scan import json_events, msgpack_events
from common.scan.events import MalformedBody, Refused, Rule
from common.scan.work_budget import STEP_UNITS, TooMuchWork, Work, WorkStopped
from shepherd.honeycomb.decode import (
    EventHeaders,
    Wire,
    decode_batch,
    decode_batch_quickly,
    decode_event_quickly,
)
from shepherd.honeycomb.media import Media
from shepherd.honeycomb.responses import batch_body
from shepherd.honeycomb.split.reference import ReferenceSplitter
from shepherd.http.body import BodyTooLarge, decompress
from shepherd.ingest.decoded_events import decoded
from shepherd.request_summary import count_refused

NOW = 1_700_000_000_000_000_000
UNITS = 20_000


def event(value: bytes) -> bytes:
    return b'[{"data":{"b":1}},{"data":{"a":' + value + b"}}]"


def many(element: bytes, count: int) -> bytes:
    return b"[" + b",".join([element] * count) + b"]"


def packed_array(count: int, values: bytes) -> bytes:
    return b"\xdd" + struct.pack(">I", count) + values


# Each takes one unit or more for each two or three of its bytes.
JSON_BODIES = {
    "empty objects as events": many(b"{}", 30_000),
    "empty arrays in an event": event(many(b"[]", 30_000)),
    "numbers in an event": event(many(b"0", 30_000)[:-1] + b",NaN]"),
    "numbers in a member that does not count": b'[{"x":[NaN,' + b"0," * 30_000 + b'0],"data":{}}]',
    "fields": b'[{"data":{' + b",".join([b'"":1'] * 30_000) + b"}}]",
    "repeated data": b"[{" + b",".join([b'"data":{"a":NaN}'] * 10_000) + b"}]",
    "faulty events": many(b'{"data":{"a":NaN}}', 10_000),
    "levels of an event": event(b"[" * 30_000 + b"]" * 30_000),
    "broken at its end": many(b'{"data":{"a":NaN}}', 10_000)[:-1],
}
PACKED_BODIES = {
    "nil as events": packed_array(30_000, b"\xc0" * 30_000),
    "nil in an event": b"\x91\x81\xa4data\x81\xa1a" + packed_array(30_000, b"\xc0" * 30_000),
    "empty arrays": b"\x91\x81\xa4data\x81\xa1a" + packed_array(30_000, b"\x90" * 30_000),
    "empty maps": b"\x91\x81\xa4data\x81\xa1a" + packed_array(30_000, b"\x80" * 30_000),
    "extensions": packed_array(30_000, b"\x81\xa4data\x81\xa1a\xd4\x01\x00" * 30_000),
    "repeated keys": b"\x91\x81\xa4data\xdf" + struct.pack(">I", 30_000) + b"\xa1a\x01" * 30_000,
}


@pytest.mark.parametrize("body", JSON_BODIES.values(), ids=JSON_BODIES)
def test_json_that_takes_too_much_work_is_refused_where_its_units_end(body: bytes) -> None:
    work = Work(UNITS)
    with pytest.raises(TooMuchWork, match="too much work"):
        ReferenceSplitter().split(body, Media.JSON, 0, NOW, work)
    assert -2 * STEP_UNITS <= work.left < 0


@pytest.mark.parametrize("body", PACKED_BODIES.values(), ids=PACKED_BODIES)
def test_msgpack_that_takes_too_much_work_is_refused_where_its_units_end(body: bytes) -> None:
    work = Work(UNITS)
    with pytest.raises(TooMuchWork):
        ReferenceSplitter().split(body, Media.MSGPACK, 0, NOW, work)
    assert -4 * STEP_UNITS <= work.left < 0


@pytest.mark.parametrize("opened", [b"[", b'[{"data":', b'{"a":', b'[{"data":{"a":{"b":[1,'])
def test_a_body_is_refused_at_the_level_that_is_too_deep_not_at_its_end(
    opened: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BODY_NESTING_MAX", 1_000)
    work = Work()
    with pytest.raises(MalformedBody, match=r"nested deeper than 1000|a batch is a JSON array"):
        json_events.split_batch(opened * 50_000, 0, NOW, work)
    assert limits.BODY_WORK_UNITS_MAX - work.left <= 20 * 1_000


def test_too_many_events_are_refused_without_reading_them_closely() -> None:
    work = Work(1_000)
    with pytest.raises(MalformedBody, match="more than 100000 events"):
        ReferenceSplitter().split(many(b"0", 100_001), Media.JSON, 0, NOW, work)
    assert work.left == 1_000


def test_an_event_that_is_too_large_is_not_read_closely_where_it_is_known_to_be_json() -> None:
    work = Work(1_000)
    body = b'[{"data":{"a":[' + b"0," * 500_000 + b'0]}},{"data":{"b":1}}]'
    split = ReferenceSplitter().split(body, Media.JSON, 0, NOW, work)
    assert [(place, why.rule) for place, why in split.refused] == [(0, Rule.TOO_LARGE)]
    assert split.lines.events == 1
    assert work.left > 900


def test_too_many_msgpack_events_are_refused_before_they_are_unpacked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(msgpack_events, "unpack", None)
    body = packed_array(100_001, b"\xc0" * 100_001)
    with pytest.raises(MalformedBody, match="more than 100000 events"):
        ReferenceSplitter().split(body, Media.MSGPACK, 0, NOW)


def test_a_msgpack_event_is_written_no_further_than_events_may_be_long() -> None:
    work = Work()
    nils = packed_array(600_000, b"\xc0" * 600_000)
    body = b"\x92\x81\xa4data\x81\xa1a" + nils + b"\x81\xa4data\x81\xa1b\x01"
    outcomes = msgpack_events.split_msgpack_batch(body, 0, NOW, work)
    assert isinstance(outcomes[0], Refused)
    assert outcomes[0].rule is Rule.TOO_LARGE
    assert not isinstance(outcomes[1], Refused)
    assert limits.BODY_WORK_UNITS_MAX - work.left < 3 * 220_000


@pytest.mark.parametrize("count", [2**31 - 1, 2_000_000])
def test_msgpack_sizes_that_were_never_delivered_are_refused_at_the_head(count: int) -> None:
    head = b"\xdd" + struct.pack(">I", count)
    for body in (head, head * 900, b"\x91\x81\xa4data" + head, head + b"\x91" * 5_000):
        work = Work(2_000)
        with pytest.raises(MalformedBody):
            msgpack_events.split_msgpack_batch(body, 0, NOW, work)


HONEST = {
    "as many small events as a body may have": many(b'{"data":{"a":1}}', 100_000),
    "as many fields as an event may have": many(
        orjson.dumps({"data": {f"field{n}": n for n in range(2_000)}}), 30
    ),
    "text of any script": many(
        orjson.dumps({"data": {"text": "Grüße, мир, 世界, 🎉\n" * 300, "ü": 1.5}}), 60
    ),
    "documents as deep as they may be": many(
        b'{"data":{"a":' + b'{"b":[' * 120 + b"1" + b"]}" * 120 + b"}}", 200
    ),
}


@pytest.mark.parametrize("body", HONEST.values(), ids=HONEST)
def test_honest_bodies_use_less_than_a_tenth_of_their_units(body: bytes) -> None:
    work = Work()
    split = ReferenceSplitter().split(body, Media.JSON, 0, NOW, work)
    assert split.lines.events == split.events > 0
    assert limits.BODY_WORK_UNITS_MAX - work.left < limits.BODY_WORK_UNITS_MAX / 10


def test_the_largest_honest_body_of_which_one_event_is_faulty_is_taken() -> None:
    """The reference has to read all of it closely then. A twentieth of it, and of the units."""
    work = Work(limits.BODY_WORK_UNITS_MAX // 20)
    event = b'{"time":1700000000,"data":{"a":1,"b":2,"c":3}}'
    body = many(event, 4_999)[:-1] + b',{"data":{"a":NaN}}]'
    split = ReferenceSplitter().split(body, Media.JSON, 0, NOW, work)
    assert (split.events, len(split.mended)) == (5_000, 1)


# --- compressed ---


def empty_deflate_blocks(count: int) -> bytes:
    zipper = zlib.compressobj(wbits=31)
    begin = zipper.compress(b"") + zipper.flush(zlib.Z_SYNC_FLUSH)
    return begin + b"\x00\x00\x00\xff\xff" * count


def raw_zstd(block: bytes, count: int) -> bytes:
    return b"\x28\xb5\x2f\xfd\x00\x58" + block * count


SKIPPED = b"\x50\x2a\x4d\x18"
EMPTY_FRAME = zstandard.ZstdCompressor().compress(b"")
COMPRESSED = {
    "gzip members": ("gzip", gzip.compress(b"") * 2_000),
    "gzip blocks of nothing": ("gzip", empty_deflate_blocks(200_000)),
    "a gzip name": ("gzip", b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * 1_000_000 + b"\0"),
    "gzip of much": ("gzip", gzip.compress(bytes(30_000_000))),
    "zstd frames": ("zstd", EMPTY_FRAME * 2_000),
    "zstd blocks of nothing": ("zstd", raw_zstd(b"\x00\x00\x00", 300_000)),
    "zstd runs of nothing": ("zstd", raw_zstd(b"\x02\x00\x00 ", 300_000)),
    "a zstd frame to skip": ("zstd", SKIPPED + struct.pack("<I", 900_000) + bytes(900_000)),
    "zstd of much": ("zstd", zstandard.ZstdCompressor().compress(bytes(30_000_000))),
    "a zstd window": ("zstd", b"\x28\xb5\x2f\xfd\x00\xf8" + b"\x01\x00\x00" * 9),
}  # fmt: skip


class CountedChecks(Work):
    """Counts how often it was checked."""

    def __init__(self, stop_at: int = 2**62) -> None:
        super().__init__()
        self.checks = 0
        self._stop_at = stop_at

    def check(self) -> None:
        self.checks += 1
        if self.checks == self._stop_at:
            self.stop()
        super().check()


@pytest.mark.parametrize(("encoding", "body"), COMPRESSED.values(), ids=COMPRESSED)
def test_compressed_bodies_of_much_or_nothing_are_refused_early(encoding: str, body: bytes) -> None:
    work = CountedChecks()
    with pytest.raises((MalformedBody, BodyTooLarge)):
        decompress(body, encoding, 1_000_000, work)
    assert work.checks <= 1_001


def test_a_body_that_compresses_a_thousand_times_is_taken() -> None:
    plain = many(b'{"data":{"message":"the same again and again"}}', 60_000)
    for encoding, body in (
        ("gzip", gzip.compress(plain)),
        ("zstd", zstandard.ZstdCompressor().compress(plain)),
        ("gzip", gzip.compress(plain[:9]) + gzip.compress(plain[9:])),
    ):
        assert decompress(body, encoding, limits.BATCH_BODY_BYTES_MAX) == plain


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_decompression_that_is_no_longer_wanted_ends_at_the_next_piece(encoding: str) -> None:
    plain = b"".join(b"%d" % (n * n) for n in range(300_000))
    body = gzip.compress(plain) if encoding == "gzip" else zstandard.compress(plain)
    work = CountedChecks(stop_at=3)
    with pytest.raises(WorkStopped):
        decompress(body, encoding, limits.BATCH_BODY_BYTES_MAX, work)
    assert work.checks == 3


# --- the event loop, and answers ---


@pytest.mark.parametrize("element", [b"{}", b"0", b'{"data":{"a":NaN}}', b'{"data":{}}'])
def test_small_bodies_that_need_close_reading_leave_the_event_loop(element: bytes) -> None:
    body = many(element, limits.OFF_LOOP_BODY_BYTES // (len(element) + 1) - 1)
    assert len(body) <= limits.OFF_LOOP_BODY_BYTES
    wire = Wire(body, "", Media.JSON, NOW)
    assert decode_batch_quickly(ReferenceSplitter(), wire, 0) is None
    single = Wire(b'{"a":[' + b"[]," * 9_000 + b"NaN]}", "", Media.JSON, NOW)
    assert decode_event_quickly(single, 0, EventHeaders()) is None


def refused_split(count: int, errors: int) -> Any:
    refused = [Refused(Rule.TIME, f"time: {n % errors} " + "x" * 150) for n in range(count)]
    return decoded(refused)


def test_an_answer_about_many_long_errors_is_bounded() -> None:
    split = refused_split(60_000, 60_000)
    for media, decode in ((Media.JSON, orjson.loads), (Media.MSGPACK, msgpack.unpackb)):
        body = batch_body(split, [], media)
        assert len(body) < limits.ANSWER_ERRORS_BYTES_MAX + 60_000 * 40
        statuses = decode(body)
        assert [one["status"] for one in statuses] == [400] * 60_000
        assert statuses[0]["error"] == split.refused[0][1].error
        assert statuses[-1]["error"] == "time"


def test_refusals_of_a_body_are_counted_as_few_lines() -> None:
    counts = count_refused(refused_split(10_000, 500).refused)
    assert len(counts) == limits.REFUSAL_SAMPLES_MAX
    assert sum(events for _, events in counts) == 10_000


@pytest.mark.parametrize("body", JSON_BODIES.values(), ids=JSON_BODIES)
def test_the_scanner_checks_every_few_tokens_whether_its_result_is_still_wanted(
    body: bytes,
) -> None:
    work = CountedChecks(stop_at=5)
    with pytest.raises(WorkStopped):
        decode_batch(ReferenceSplitter(), Wire(body, "", Media.JSON, NOW), 0, work)
    assert work.checks == 5
    assert limits.BODY_WORK_UNITS_MAX - work.left <= 5 * 2 * STEP_UNITS
