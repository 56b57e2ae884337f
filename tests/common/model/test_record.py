"""Records survive the way into the log and back; what cannot be read says so (I2, I3)."""

import random

import msgspec
import pytest
import zstandard

from common import limits
from common.model import record, record_value
from common.model.names import BadDatasetName, client_batch_id, dataset_id, dataset_slug
from common.model.position import Position, format_receipt, parse_receipt


def as_message(item: record.Record) -> record.LogRecord:
    return record.LogRecord(0, 7, 1, record.encode_headers(item), item.value)


def test_events_record_round_trips() -> None:
    lines = [record_value.encode_event_line(1, 2, b'{"a":1}')]
    item = record_value.events_record(
        team="t", env="e", dataset="d", batch=bytes(16), depth=3, via="random", lines=lines
    )
    back = record.decode(as_message(item))
    assert back == item
    assert record_value.decompress_value(back.value) == b'{"t":1,"r":2,"d":{"a":1}}\n'


@pytest.mark.parametrize("size", [0, 1, 255, 256, 1_023, 1_024, 1_025, 2_000, 131_073, 300_000])
def test_small_values_hold_their_lines_as_they_are(size: int) -> None:
    lines = random.Random(size).choices(b'abcdefgh":{},', k=size)
    value = record_value.compress_value(bytes(lines))
    frame = zstandard.get_frame_parameters(value)
    assert (frame.content_size, frame.has_checksum, frame.dict_id) == (size, True, 0)
    assert record_value.decompress_value(value) == bytes(lines)
    is_stored = size <= limits.RECORD_STORED_BYTES_MAX
    assert (bytes(lines) in value) is is_stored
    assert len(value) <= size + 18  # of header, block and checksum


def test_conditional_record_names_the_other_partitions() -> None:
    lines = [record_value.encode_event_line(1, 2, b"{}")]
    item = record_value.events_record(
        team="t",
        env="e",
        dataset="d",
        batch=bytes(16),
        depth=0,
        via="reroute",
        lines=lines,
        unless=(4, 11),
    )
    assert record.decode(as_message(item)).unless == (4, 11)
    for number in (b"-1", b"%d" % 2**31, b"9" * 30):
        strange = record.LogRecord(0, 0, 0, (*record.encode_headers(item), ("unless", number)), b"")
        with pytest.raises(record.RecordError):
            record.decode(strange)


def test_what_is_remembered_of_headers_never_answers_for_others() -> None:
    base = record.Record(record.Kind.EVENTS, b"value", bytes(16), "t", "e", "d", 3, 1, "random")
    others = [
        {"value": b"other"},
        {"batch": bytes(15) + b"1"},
        {"team": "t2"},
        {"env": "e2"},
        {"dataset": "d2"},
        {"n": 4},
        {"depth": 2},
        {"via": "r" * 600},
        {"unless": (4,)},
    ]
    items = [base, *(msgspec.structs.replace(base, **other) for other in others)]
    for item in items * 2:
        assert record.decode(as_message(item)) == item
    short = msgspec.structs.replace(base, batch=bytes(15))
    unreadable = msgspec.structs.replace(base, depth=limits.EXPAND_DEPTH_MAX + 1)
    for wrong in (short, unreadable) * 2:
        with pytest.raises(record.RecordError):
            record.decode(as_message(wrong))


def test_newer_record_version_is_told_apart_from_a_damaged_one() -> None:
    newer = record.LogRecord(
        0, 0, 0, (("v", b"%d" % (record.RECORD_VERSION + 1)), ("kind", b"events")), b""
    )
    with pytest.raises(record.RecordTooNew):
        record.decode(newer)
    with pytest.raises(record.RecordError):
        record.decode(record.LogRecord(0, 0, 0, (), b""))


def test_marker_round_trips() -> None:
    marker = record.Marker(hour=480_000)
    assert record.decode_marker(record.decode(as_message(record.marker_record(marker)))) == marker


def test_slugs_fold_case_and_blanks_and_are_pinned() -> None:
    assert dataset_slug("My Dataset") == "my-dataset"
    assert dataset_slug("Übung") == dataset_slug("u\u0308bung") == "übung"
    assert dataset_slug("test.xyz") == "test.xyz"
    assert dataset_id("t", "e", "a") == "197bf815701d8d6f4932bcca"
    with pytest.raises(BadDatasetName):
        dataset_slug("  ")


def test_client_batch_ids_differ_by_every_part() -> None:
    parts = [("e", "d", "x", 0), ("e", "d", "x", 1), ("e", "dx", "", 0), ("f", "d", "x", 0)]
    ids = {client_batch_id(*p) for p in parts}
    assert len(ids) == 4
    assert all(len(i) == 16 for i in ids)


def test_receipts_round_trip_and_refuse_nonsense() -> None:
    positions = [Position("ab12", 3, 99), Position("ab12", 0, 0)]
    assert parse_receipt(format_receipt(positions)) == positions
    with pytest.raises(ValueError, match="not a receipt"):
        parse_receipt("hello")
