"""Bodies that are announced and do not come take nothing from others, and are let go (I14)."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from common import limits
from common.process.http.body_reader import body_deadline_s
from shepherd.config import ShepherdConfig
from tests.shepherd.harness import Shepherd, shepherd
from tests.shepherd.http.test_connection import BATCH, connect, post

ANNOUNCED = limits.BATCH_BODY_BYTES_MAX
CHUNKED = post(b"", length=0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")


@pytest.fixture
async def server(tmp_path: Path, config: ShepherdConfig) -> AsyncIterator[Shepherd]:
    async with shepherd(tmp_path, config) as running:
        yield running


@pytest.mark.parametrize("request_head", [post(b"[", length=ANNOUNCED), CHUNKED + b"1\r\n[\r\n"])
async def test_announced_bodies_that_do_not_come_take_no_room_from_anybody(
    server: Shepherd, request_head: bytes
) -> None:
    server.add_key("another", environment="Other")
    idle = [await connect(server) for _ in range(40)]  # 200 MB announced: more than there is room
    for client in idle:
        client.writer.write(request_head)
        await client.writer.drain()
    good = await connect(server)
    for key in ("another", "testkey0testkey0testk1"):
        for _ in range(20):
            good.writer.write(post(key=key))
            assert (await good.answer())[0] == 200
    for client in (*idle, good):
        client.writer.close()


@pytest.mark.parametrize("chunked", [False, True])
async def test_bytes_that_arrive_are_counted_as_they_arrive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunked: bool
) -> None:
    monkeypatch.setattr(limits, "BODY_RATE_GRACE_S", 3600.0)  # none ends while this machine is slow
    monkeypatch.setattr(limits, "BODY_READ_TIMEOUT_S", 3600.0)
    config = ShepherdConfig(port=0, in_flight_bytes_max=1_000_000)
    async with shepherd(tmp_path, config) as server:
        server.add_key("another", environment="Other")
        greedy = [await connect(server) for _ in range(12)]
        for client in greedy:
            piece = b" " * 90_000
            if chunked:
                client.writer.write(CHUNKED + b"%x\r\n%b\r\n" % (len(piece), piece))
            else:
                client.writer.write(post(piece, length=100_000))
            await client.writer.drain()
        answers = [asyncio.create_task(client.answer()) for client in greedy]
        for answer in itertools.islice(asyncio.as_completed(answers), 6):
            status, body = await answer  # 12 times 90 kB are more than the half of 1 MB
            assert (status, b"in flight" in body) == (503, True)
        good = await connect(server)
        good.writer.write(post(key="another"))
        assert (await good.answer())[0] == 200
        for answering in answers:
            answering.cancel()
        for client in (*greedy, good):
            client.writer.close()


async def test_key_is_checked_before_anything_of_a_body_is_held(server: Shepherd) -> None:
    for request in (post(b"[", key="unknown", length=ANNOUNCED), CHUNKED + b"1\r\n[\r\n"):
        client = await connect(server)
        client.writer.write(request.replace(b"testkey0testkey0testk1", b"unknown"))
        assert (await client.answer())[0] == 401
        client.writer.close()


async def test_chunks_beyond_the_limit_of_a_single_event_are_refused(server: Shepherd) -> None:
    client = await connect(server)
    head = CHUNKED.replace(b"/1/batch", b"/1/events")
    client.writer.write(head + b"%x\r\n%b\r\n" % (1_000_001, b" " * 1_000_001))
    status, body = await client.answer()
    assert (status, b"Request body is too large." in body) == (400, True)
    client.writer.close()


def test_an_honest_slow_link_passes_and_a_trickle_does_not() -> None:
    rate, grace = limits.BODY_BYTES_PER_S_MIN, limits.BODY_RATE_GRACE_S
    assert body_deadline_s(100.0, 0) == 100.0 + grace
    for second in range(int(limits.BODY_READ_TIMEOUT_S)):
        gprs = 2_500 * second  # the slowest mobile data there is
        assert body_deadline_s(0.0, gprs) > second
        assert (body_deadline_s(0.0, 10 * second) > second) == (second <= grace)
    assert body_deadline_s(0.0, 10**9) == limits.BODY_READ_TIMEOUT_S
    assert rate * (limits.BODY_READ_TIMEOUT_S - grace) < 50_000


@pytest.mark.parametrize("chunked", [False, True])
async def test_body_below_the_least_rate_is_let_go_and_one_above_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunked: bool
) -> None:
    monkeypatch.setattr(limits, "BODY_RATE_GRACE_S", 0.3)
    monkeypatch.setattr(limits, "BODY_READ_TIMEOUT_S", 3600.0)
    earned = b" " * int(limits.BODY_BYTES_PER_S_MIN * 600)  # time enough on any machine
    async with shepherd(tmp_path) as server:
        good, trickling = await connect(server), await connect(server)

        def part(piece: bytes) -> bytes:
            return b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece

        for client, begin in ((good, earned + BATCH[:5]), (trickling, BATCH[:5])):
            head = CHUNKED if chunked else post(b"", length=len(earned + BATCH))
            client.writer.write(head + part(begin))
        status, body = await trickling.answer()
        assert (status, b"did not arrive in time" in body) == (400, True)
        good.writer.write(part(BATCH[5:]) + (b"0\r\n\r\n" if chunked else b""))
        assert (await good.answer())[0] == 200
        for client in (good, trickling):
            client.writer.close()
