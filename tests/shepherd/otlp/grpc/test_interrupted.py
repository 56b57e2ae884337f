"""Calls that end in the middle, and a listener that stops: counted once, stored once (I1, I2)."""

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import grpc
import grpc.aio
import pytest

from common import limits
from common.log import Appended
from common.model.record import Record
from shepherd.config import ShepherdConfig
from tests.shepherd.harness import shepherd
from tests.shepherd.otlp.grpc.calls import TRACES, WITH_KEY, Client, client, spans
from tests.waiting import PATIENCE_S, eventually

NUMBERS = list(range(limits.OTLP_NAMED_ITEMS_MIN))  # smaller requests are gathered
MESSAGE = spans(NUMBERS).SerializeToString()
Code = grpc.StatusCode
# An append that a test holds must not be given up meanwhile, however slow the machine is.
PATIENT = ShepherdConfig(port=0, ack_timeout_s=60, stop_timeout_s=PATIENCE_S)


class Held:
    """Appends wait until they may go on."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.go_on = asyncio.Event()


@contextlib.contextmanager
def appends_held(it: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    held, append = Held(), it.server.log.append

    async def wait(partition: int, record: Record) -> Appended:
        held.began.set()
        await held.go_on.wait()
        return await append(partition, record)

    with monkeypatch.context() as patch:
        patch.setattr(it.server.log, "append", wait)
        yield held


class Summaries:
    """Telemetry that keeps status, number and events of the gRPC requests that were summed up."""

    def __init__(self) -> None:
        self.found: list[tuple[object, object, object]] = []

    def emit(self, name: str, **fields: object) -> None:
        if name == "requests" and fields["route"] == TRACES:
            self.found.append((fields["status"], fields["requests"], fields["events"]))


@pytest.mark.parametrize("how", ["deadline", "cancelled"])
async def test_call_that_ends_before_its_answer_is_counted_once_and_its_repetition_stored_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    telemetry = Summaries()
    async with client(tmp_path, PATIENT, telemetry=telemetry) as it:
        with appends_held(it, monkeypatch) as held:
            call = it.call(MESSAGE, timeout_s=1.0 if how == "deadline" else PATIENCE_S)
            await asyncio.wait_for(held.began.wait(), PATIENCE_S)
            if how == "cancelled":
                call.cancel()
            code = await call.code()
            assert code is (Code.CANCELLED if how == "cancelled" else Code.DEADLINE_EXCEEDED)

            await eventually(lambda: telemetry.found)
            held.go_on.set()
        await it.call(MESSAGE)
        assert await it.numbers() == NUMBERS
        await eventually(lambda: len(telemetry.found) > 1)
    assert telemetry.found == [(0, 1, 0), (200, 1, len(NUMBERS))]


async def test_stop_answers_what_is_in_flight_and_takes_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client(tmp_path, PATIENT) as it:
        with appends_held(it, monkeypatch) as held:
            call = it.call(MESSAGE)
            sending = asyncio.ensure_future(call.code())
            await asyncio.wait_for(held.began.wait(), PATIENCE_S)
            it.server.stop.set()
            async with grpc.aio.insecure_channel(it.address) as another:

                async def is_refused() -> bool:
                    late = another.unary_unary(TRACES)(b"", timeout=PATIENCE_S)
                    return await late.code() is Code.UNAVAILABLE

                await eventually(is_refused)
            assert not sending.done()
            held.go_on.set()
            assert await sending is Code.OK
            assert await it.numbers() == NUMBERS


async def test_stop_ends_what_takes_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = ShepherdConfig(port=0, stop_timeout_s=0.2)
    async with client(tmp_path, config) as it:
        with appends_held(it, monkeypatch) as held:
            call = it.call(MESSAGE)
            await asyncio.wait_for(held.began.wait(), PATIENCE_S)
            it.server.stop.set()
            assert await call.code() in (Code.UNAVAILABLE, Code.CANCELLED)
            held.go_on.set()


async def test_two_on_one_port_hand_over_and_every_call_is_answered_or_repeated(
    tmp_path: Path,
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = ShepherdConfig(port=0, otlp_grpc_port=port, reuse_port=True, drain_ms=0)
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()
    stopping = asyncio.Event()
    codes: Counter[grpc.StatusCode] = Counter()

    async def send() -> None:
        options = (("grpc.use_local_subchannel_pool", 1),)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options) as channel:
            export = channel.unary_unary(TRACES)
            while not stopping.is_set():
                codes[await export(MESSAGE, metadata=WITH_KEY, timeout=PATIENCE_S).code()] += 1

    async def until_answered(more: int) -> None:
        wanted = codes.total() + more
        await eventually(lambda: codes.total() >= wanted)

    async with shepherd(folders[1], config) as second:
        async with shepherd(folders[0], config) as first:
            senders = [asyncio.create_task(send()) for _ in range(8)]
            await until_answered(200)
            assert await first.records()
        await until_answered(200)
        stopping.set()
        await asyncio.gather(*senders)
        at_second = len(await second.events("web"))
    async with shepherd(folders[0]) as again:
        at_first = len(await again.events("web"))
    # the library cancels what it has not handed over when it stops: exporters repeat such calls
    assert set(codes) <= {Code.OK, Code.CANCELLED, Code.UNAVAILABLE}
    assert codes.total() - codes[Code.OK] <= len(senders)
    assert at_first + at_second == len(NUMBERS) * codes[Code.OK]
