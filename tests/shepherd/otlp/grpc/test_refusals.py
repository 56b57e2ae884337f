"""Calls that are refused: which code, whether to repeat, and that nothing internal is told."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import grpc.aio
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from common import limits
from common.errors import BadRequest, LogUnavailable
from common.metadata import Access
from shepherd.admission.shares import NO_ROOM
from shepherd.config import ShepherdConfig
from shepherd.otlp.ingest import OtlpIngest
from tests.shepherd.otlp.grpc.calls import TRACES, WITH_KEY, Client, client, spans
from tests.waiting import PATIENCE_S

MESSAGE = spans([1]).SerializeToString()
Code = grpc.StatusCode


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Client]:
    async with client(tmp_path) as running:
        yield running


def retry_after_s(error: grpc.aio.AioRpcError) -> int:
    """How long the error tells to wait; it must tell it as every exporter reads it."""
    details = dict(error.trailing_metadata() or ())["grpc-status-details-bin"]
    status = Status.FromString(details)
    assert (status.code, status.message) == (error.code().value[0], error.details())
    (detail,) = status.details
    info = RetryInfo()
    assert detail.Unpack(info)
    return info.retry_delay.seconds


@pytest.mark.parametrize("metadata", [(), (("x-honeycomb-team", "nobody's"),)])
async def test_key_is_checked_before_the_message_comes(
    it: Client, metadata: tuple[tuple[str, str], ...]
) -> None:
    call = it.channel.stream_unary(TRACES)(metadata=metadata, timeout=PATIENCE_S)
    assert await call.code() is Code.UNAUTHENTICATED  # though it has sent no message


async def test_key_that_may_not_send(it: Client) -> None:
    it.server.add_key("reader", access=Access(events=False))
    error = await it.refused(MESSAGE, metadata=(("x-honeycomb-team", "reader"),))
    assert (error.code(), error.details()) == (
        Code.PERMISSION_DENIED,
        "this API key may not send events",
    )


async def test_messages_that_cannot_be_read(it: Client) -> None:
    rng = random.Random(1)
    bad = [rng.randbytes(size) for size in (1, 2, 10, 1_000, 100_000)]
    bad += [MESSAGE[:-1], b"\x0a\xff\xff\xff\xff\x0f", b"\x1f\x8b", b"\x1f\x8b\x08" + bytes(50)]
    bad += [b"\x78\x9c" + bytes(20)]
    for message in bad:
        error = await it.refused(message)
        assert error.code() is Code.INVALID_ARGUMENT, message[:20]
        assert "malformed" in str(error.details()) or "failed to parse" in str(error.details())
    await it.call(MESSAGE)
    assert await it.numbers() == [1]


async def test_messages_that_are_too_large(it: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = spans(range(300), filler="x" * 100).SerializeToString()
    monkeypatch.setattr(limits, "OTLP_BODY_BYTES_MAX", 20_000)
    error = await it.refused(plain, compression=grpc.Compression.Gzip)
    assert error.code() is Code.INVALID_ARGUMENT
    assert "too large" in str(error.details())


async def test_message_beyond_what_the_library_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "OTLP_BODY_BYTES_MAX", 20_000)
    async with client(tmp_path) as it:
        error = await it.refused(bytes(20_001))
        assert error.code() is Code.RESOURCE_EXHAUSTED  # without RetryInfo: for good
        assert not error.trailing_metadata()
        await it.call(MESSAGE)


async def test_call_without_a_message(it: Client) -> None:
    call = it.channel.stream_unary(TRACES)(metadata=WITH_KEY, timeout=PATIENCE_S)
    await call.done_writing()
    assert await call.code() is Code.INVALID_ARGUMENT


async def test_no_room_is_told_to_come_again(tmp_path: Path) -> None:
    config = ShepherdConfig(port=0, in_flight_bytes_max=100_000)
    async with client(tmp_path, config) as it:
        error = await it.refused(spans([1], filler="x" * 100_000).SerializeToString())
        assert (error.code(), retry_after_s(error)) == (Code.UNAVAILABLE, 1)
        assert error.details() == NO_ROOM
        await it.call(MESSAGE)


async def test_used_up_quota(it: Client) -> None:
    it.server.add_key("few", events_per_day=1)
    metadata = (("x-honeycomb-team", "few"),)
    await it.call(MESSAGE, metadata=metadata)
    error = await it.refused(spans([2]).SerializeToString(), metadata=metadata)
    assert error.code() is Code.UNAVAILABLE
    assert retry_after_s(error) >= 1


async def test_log_that_takes_nothing(it: Client) -> None:
    it.server.log.fault = LogUnavailable("the log is away")
    error = await it.refused(MESSAGE)
    assert error.code() is Code.UNAVAILABLE
    assert retry_after_s(error) == 1
    it.server.log.fault = None
    await it.call(MESSAGE)
    assert await it.numbers() == [1]


async def test_fault_of_ours_tells_nothing_internal(
    it: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(OtlpIngest, "take", fail)
    error = await it.refused(MESSAGE)
    assert (error.code(), error.details()) == (Code.INTERNAL, "internal error; please report it")
    assert "a call failed" in caplog.text


async def test_slow_message_is_given_up_and_may_be_sent_again(
    it: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BODY_READ_TIMEOUT_S", 0.1)
    call = it.channel.stream_unary(TRACES)(metadata=WITH_KEY, timeout=PATIENCE_S)
    assert await call.code() is Code.UNAVAILABLE
    assert await call.details() == "Request body did not arrive in time."


async def test_messages_wait_for_their_turn_and_others_go_on(
    it: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "GRPC_TURN_WAIT_S", 0.2)
    monkeypatch.setattr(limits, "BODY_READ_TIMEOUT_S", PATIENCE_S)
    silent = [
        it.channel.stream_unary(TRACES)(metadata=WITH_KEY, timeout=PATIENCE_S)
        for _ in range(ShepherdConfig().in_flight_bytes_max // limits.GRPC_BYTES_PER_MESSAGE)
    ]
    # as many as one key may have are being received; the others have waited in vain
    done, _ = await asyncio.wait(
        [asyncio.ensure_future(call.code()) for call in silent],
        timeout=PATIENCE_S,
        return_when=asyncio.FIRST_COMPLETED,
    )
    assert {task.result() for task in done} == {Code.UNAVAILABLE}
    error = await it.refused(MESSAGE)
    assert (error.code(), retry_after_s(error)) == (Code.UNAVAILABLE, 1)
    for key, environment in (("own", "Env"), ("other", "Other")):
        it.server.add_key(key, environment=environment)
        await it.call(MESSAGE, metadata=(("x-honeycomb-team", key),))
    for call in silent:
        call.cancel()


async def test_text_with_half_a_surrogate_pair_is_told(
    it: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise BadRequest("the name \ud800 is none")

    monkeypatch.setattr(OtlpIngest, "take", fail)
    error = await it.refused(MESSAGE)
    assert (error.code(), error.details()) == (Code.INVALID_ARGUMENT, "the name ? is none")
