"""Encodings, media types and whole-body faults: one clear answer each, the vendor's text (I11)."""

import gzip
import random
from collections.abc import AsyncIterator
from pathlib import Path

import msgpack
import pytest
import zstandard

from common import limits
from tests.shepherd.harness import Shepherd, shepherd

ONE = b'[{"data":{"a":1}}]'
BOMB = gzip.compress(bytes(50_000_000), 1, mtime=0)
MALFORMED = "Request body is malformed and cannot be read."


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Shepherd]:
    async with shepherd(tmp_path) as running:
        yield running


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


@pytest.mark.parametrize(
    "kind",
    ["application/json", "application/json; charset=utf-8", "application/x-www-form-urlencoded",
     "text/plain", "application/octet-stream", ""],
)  # fmt: skip
async def test_json_is_read_whatever_people_call_it(server: Shepherd, kind: str) -> None:
    headers = {"Content-Type": kind} if kind else {"Content-Type": "application/octet-stream"}
    assert (await server.post("/1/batch/d", ONE, headers))[:2] == (200, [{"status": 202}])


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("identity", ONE),
        ("gzip", gzip.compress(ONE, mtime=0)),
        ("GZIP", gzip.compress(ONE[:5], mtime=0) + gzip.compress(ONE[5:], mtime=0)),
        ("zstd", zstd(ONE)),
        ("zst", zstd(ONE[:5]) + zstd(ONE[5:])),
    ],
)
async def test_every_encoding_is_read(server: Shepherd, encoding: str, body: bytes) -> None:
    answer = await server.post("/1/batch/d", body, {"Content-Encoding": encoding})
    assert answer[:2] == (200, [{"status": 202}])
    assert [event.data for event in await server.events("d")] == [{"a": 1}]


@pytest.mark.parametrize(
    ("body", "headers", "status", "text"),
    [
        (b"", {}, 400, "Request body should not be empty."),
        (b" \n", {}, 400, "Request body should not be empty."),
        (gzip.compress(b"", mtime=0), {"Content-Encoding": "gzip"}, 400, "should not be empty."),
        (b"[]", {}, 400, "Request body should not be empty."),
        (b" [\n] ", {}, 400, "Request body should not be empty."),
        (b"null", {}, 400, "Request body should not be empty."),
        (b" null\n", {}, 400, "Request body should not be empty."),
        (gzip.compress(b"[]", mtime=0), {"Content-Encoding": "gzip"}, 400, "should not be empty."),
        (zstd(b"[]"), {"Content-Encoding": "zstd"}, 400, "should not be empty."),
        (b"", {"Content-Type": "application/msgpack"}, 400, "should not be empty."),
        (b"\x90", {"Content-Type": "application/msgpack"}, 400, "should not be empty."),
        (b"\xdc\x00\x00", {"Content-Type": "application/msgpack"}, 400, "should not be empty."),
        (b"\xc0", {"Content-Type": "application/msgpack"}, 400, "should not be empty."),
        (b"[]x", {}, 400, MALFORMED),
        (b"nul", {}, 400, MALFORMED),
        (b"{", {}, 400, MALFORMED),
        (b'{"data":{}}', {}, 400, MALFORMED),
        (ONE[:-1], {}, 400, MALFORMED),
        (ONE, {"Content-Encoding": "gzip"}, 400, MALFORMED),
        (ONE, {"Content-Encoding": "zstd"}, 400, MALFORMED),
        (gzip.compress(ONE, mtime=0)[:-4], {"Content-Encoding": "gzip"}, 400, MALFORMED),
        (zstd(ONE)[:-2], {"Content-Encoding": "zstd"}, 400, MALFORMED),
        (gzip.compress(ONE, mtime=0) + b"x", {"Content-Encoding": "gzip"}, 400, MALFORMED),
        (zstd(ONE) + b"x", {"Content-Encoding": "zstd"}, 400, MALFORMED),
        (gzip.compress(b"", mtime=0) * 2_000, {"Content-Encoding": "gzip"}, 400, MALFORMED),
        (ONE, {"Content-Encoding": "br"}, 415, "content encoding"),
        (ONE, {"Content-Encoding": "gzip, gzip"}, 415, "content encoding"),
        (ONE, {"Content-Type": "text/csv"}, 415, "content type"),
        (b" " * 5_000_001, {}, 400, "Request body is too large."),
        (BOMB, {"Content-Encoding": "gzip"}, 400, "too large."),
        (zstd(bytes(50_000_000)), {"Content-Encoding": "zstd"}, 400, "too large."),
        (b"\xc1", {"Content-Type": "application/msgpack"}, 400, MALFORMED),
        (b"\x93\x01", {"Content-Type": "application/msgpack"}, 400, MALFORMED),
        (b"\x80", {"Content-Type": "application/msgpack"}, 400, MALFORMED),
    ],
)
async def test_whole_body_faults_get_one_clear_answer_and_nothing_is_stored(
    server: Shepherd, body: bytes, headers: dict[str, str], status: int, text: str
) -> None:
    answer = await server.post("/1/batch/d", body, headers)
    assert answer[0] == status
    assert text in answer[1]["error"]
    assert await server.records() == []
    assert (await server.post("/1/batch/d", ONE))[0] == 200  # the connection is still good


async def test_similar_events_may_compress_seven_hundred_times(server: Shepherd) -> None:
    events = b"[" + b",".join([b'{"data":{"a":"%b"}}' % (b"x" * 900)] * 5_300) + b"]"
    assert 4_500_000 < len(events) < limits.BATCH_BODY_BYTES_MAX
    status, body, headers = await server.post(
        "/1/batch/d", zstd(events), {"Content-Encoding": "zstd"}
    )
    assert (status, len(body)) == (200, 5_300)
    assert len(await server.events("d")) == 5_300
    assert headers["X-Bellwether-Receipt"].count(",") >= 4


async def test_body_in_chunks_without_a_length_is_read(server: Shepherd) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(ONE), 3):
            yield ONE[at : at + 3]

    async with server.http.post(f"{server.url}/1/batch/d", data=pieces()) as reply:
        assert await reply.json() == [{"status": 202}]


async def test_body_in_chunks_beyond_the_limit_is_refused(server: Shepherd) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(90):
            yield bytes(65_536)

    async with server.http.post(f"{server.url}/1/batch/d", data=pieces()) as reply:
        assert reply.status == 400
        assert "Request body is too large." in (await reply.json())["error"]


@pytest.mark.parametrize("kind", ["application/msgpack", "application/x-msgpack"])
async def test_msgpack_is_answered_in_msgpack_with_exactly_its_type(
    server: Shepherd, kind: str
) -> None:
    time = msgpack.Timestamp(1_700_000_000, 123_456_789)
    data = {
        "f32": 0.1,
        "u64": 2**64 - 1,
        "i": -(2**63),
        "bin": b"ab",
        "raw": b"\xff",
        "at": time,
        "plain": 50.0,
        7: [None, True, {"x": 1.5}],
    }
    body = msgpack.packb([{"time": time, "samplerate": 2, "data": data}, {"data": {}}])
    status, raw, headers = await server.post("/1/batch/d", body, {"Content-Type": kind})
    assert status == 200
    assert headers["Content-Type"] == "application/msgpack"
    first, second = msgpack.unpackb(raw)
    assert first == {"status": 202}
    assert second["status"] == 400
    (event,) = await server.events("d")
    assert (event.time_ns, event.rate) == (1_700_000_000_123_456_789, 2)
    assert event.data == {
        "f32": 0.1,
        "u64": 2**64 - 1,
        "i": -(2**63),
        "bin": "ab",
        "raw": "/w==",
        "at": "2023-11-14T22:13:20.123456789Z",
        "plain": 50.0,
        "7": [None, True, {"x": 1.5}],
    }


@pytest.mark.parametrize(
    ("packed", "named"),
    [
        (b"\x81\xa1a\xa1\xff", "data.a"),
        (b"\x81\xa1a\xd4\x05\x00", "data.a"),
        (b"\x81\xc0\x01", "key"),
        (b"\x81\xa1a" + b"\x91" * 300 + b"\xc0", "deeper"),
        (b"\x81\xa1a" + b"\x91" * 5_000 + b"\xc0", "deeper"),
        (b"\x90", "data"),
    ],
)
async def test_bad_msgpack_event_harms_only_itself(
    server: Shepherd, packed: bytes, named: str
) -> None:
    good = b"\x81\xa4data\x81\xa1n\x01"
    body = b"\x93" + good + b"\x81\xa4data" + packed + good
    status, raw, _ = await server.post("/1/batch/d", body, {"Content-Type": "application/msgpack"})
    assert status == 200
    first, middle, last = msgpack.unpackb(raw)
    assert first == last == {"status": 202}
    assert middle["status"] == 400
    assert named in middle["error"]


async def test_random_bodies_never_end_in_a_server_error(server: Shepherd) -> None:
    rng = random.Random(3)
    for _ in range(60):
        body = rng.randbytes(rng.randrange(200))
        headers = {
            "Content-Type": rng.choice(["application/json", "application/msgpack"]),
            "Content-Encoding": rng.choice(["", "gzip", "zstd"]),
        }
        path = rng.choice(["/1/batch/d", "/1/events/d"])
        status = (await server.post(path, body, headers))[0]
        assert status in (200, 400)
