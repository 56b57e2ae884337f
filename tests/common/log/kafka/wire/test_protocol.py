"""Requests that name a topic by its id, byte for byte as the published protocol has them."""

from io import BytesIO

from common.log.kafka.wire.protocol import Produce, ProduceRequest13, ProduceResponse13

_TOPIC_ID = bytes(range(16))


def test_produce_request_has_the_published_bytes() -> None:
    batches: list[tuple[int, bytes | bytearray]] = [(3, b"batch"), (0, bytearray(b"x" * 130))]
    request = Produce(_TOPIC_ID, batches, 2200).build(ProduceRequest13)
    assert request.encode() == b"".join(
        (
            b"\x00",  # no transactional id
            b"\xff\xff",  # acks: all replicas in sync
            b"\x00\x00\x08\x98",  # time-out in ms
            b"\x02" + _TOPIC_ID,  # counts and lengths are written as one more
            b"\x03",
            b"\x00\x00\x00\x03" + b"\x06batch" + b"\x00",
            b"\x00\x00\x00\x00" + b"\x83\x01" + b"x" * 130 + b"\x00",
            b"\x00\x00",  # tags of the topic and of the request
        )
    )


def test_produce_response_is_read_with_its_errors() -> None:
    offset, time_ms, start = 41, 1_700_000_000_000, 7
    appended = b"\x00\x00\x00\x03" + b"\x00\x00" + _int64(offset, time_ms, start) + b"\x01\x00\x00"
    moved = (
        b"\x00\x00\x00\x00"
        + b"\x00\x06"
        + _int64(-1, -1, -1)
        + b"\x02\x00\x00\x00\x00\x04bad\x00"  # one error of a record
        + b"\x06moved\x00"
    )
    raw = b"\x02" + _TOPIC_ID + b"\x03" + appended + moved + b"\x00" + b"\x00\x00\x00\x09" + b"\x00"
    response = ProduceResponse13.decode(BytesIO(raw))
    assert response.throttle_time_ms == 9
    [(topic_id, partitions, _)] = response.topics
    assert topic_id == _TOPIC_ID
    assert partitions == [
        (3, 0, offset, time_ms, start, [], None, {}),
        (0, 6, -1, -1, -1, [(0, "bad", {})], "moved", {}),
    ]


def _int64(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(8, "big", signed=True) for number in numbers)
