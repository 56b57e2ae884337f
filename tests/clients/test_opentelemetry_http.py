"""OpenTelemetry's SDK for Python, unmodified, exports over HTTP; its spans are stored once."""

import asyncio
import collections
import contextlib
import random
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from common import limits
from tests.shepherd.harness import KEY, Shepherd, shepherd
from tests.system.counts import show
from tests.system.harness import System, running
from tests.system.load import Target
from tests.system.stored import count_stored

BATCH = 2 * limits.OTLP_NAMED_ITEMS_MIN
PATIENCE_S = 120


def tracing(
    url: str, key: str, batch: int = BATCH
) -> contextlib.AbstractContextManager[Callable[[int], None]]:
    """As `numbered_spans`, over HTTP."""
    exporter = OTLPSpanExporter(
        endpoint=f"{url}/v1/traces",
        headers={"x-honeycomb-team": key},
        compression=Compression.Gzip,
        timeout=PATIENCE_S,
    )
    return numbered_spans(exporter, batch)


@contextlib.contextmanager
def numbered_spans(exporter: SpanExporter, batch: int = BATCH) -> Iterator[Callable[[int], None]]:
    """Makes numbered spans, which are exported in batches; the end waits for the last one."""
    processor = BatchSpanProcessor(
        exporter,
        max_queue_size=1_000_000,
        schedule_delay_millis=600_000,
        max_export_batch_size=batch,
    )
    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_span_processor(processor)
    tracer = provider.get_tracer("test", "1")

    def make(number: int) -> None:
        with tracer.start_as_current_span("step", attributes={"seq": number}):
            pass

    try:
        yield make
        assert processor.force_flush(PATIENCE_S * 1000)
    finally:
        provider.shutdown()


async def stored_once(server: Shepherd) -> list[int]:
    """The numbers as an indexer takes them: of each batch id the first record."""
    events = await server.events("shop")
    first = {event.record.batch: event.record for event in reversed(events)}
    return sorted(
        event.data["seq"]  # type: ignore[index]  # an object
        for event in events
        if first[event.record.batch] is event.record
    )


@contextlib.asynccontextmanager
async def losing_answers(url: str) -> AsyncIterator[tuple[str, list[int]]]:
    """A proxy that closes every other connection when the server has answered: the answer is lost.

    Gives its URL, and the numbers of connections whose answers were lost.
    """
    port = int(url.rsplit(":", 1)[1])
    lost: list[int] = []
    accepted = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal accepted
        accepted += 1
        number = accepted
        inward, outward = await asyncio.open_connection("127.0.0.1", port)

        async def send() -> None:
            while piece := await reader.read(65_536):
                outward.write(piece)
            outward.write_eof()

        sending = asyncio.create_task(send())
        try:
            while piece := await inward.read(65_536):
                if number % 2:
                    lost.append(number)
                    break
                writer.write(piece)
        finally:
            sending.cancel()
            outward.close()
            writer.close()

    front = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with front:
        yield f"http://127.0.0.1:{front.sockets[0].getsockname()[1]}", lost


async def test_spans_of_lost_answers_are_exported_again_and_stored_once(tmp_path: Path) -> None:
    def work(url: str) -> None:
        with tracing(url, KEY) as make:
            for number in range(3 * BATCH):
                make(number)

    async with shepherd(tmp_path) as server, losing_answers(server.url) as (url, lost):
        await asyncio.to_thread(work, url)
        assert lost, "at least one answer must be lost"
        assert len(await server.events("shop")) > 3 * BATCH, "and its batch be sent again"
        assert await stored_once(server) == list(range(3 * BATCH))


async def test_spans_have_what_the_sdk_tells_of_them(tmp_path: Path) -> None:
    def work(url: str) -> None:
        with tracing(url, KEY) as make:
            make(7)

    async with shepherd(tmp_path) as server:
        await asyncio.to_thread(work, server.url)
        (event,) = await server.events("shop")
    assert isinstance(event.data, dict)
    expected = {
        "seq": 7,
        "name": "step",
        "span.kind": "internal",
        "status_code": 0,
        "library.name": "test",
        "library.version": "1",
        "service.name": "shop",
        "telemetry.sdk.language": "python",
        "meta.signal_type": "trace",
    }
    assert {name: event.data.get(name) for name in expected} == expected
    assert len(event.data["trace.trace_id"]) == 32
    assert abs(event.time_ns - time.time_ns()) < 600 * 10**9


@pytest.mark.system
async def test_spans_through_kills_of_the_shepherd_are_stored_once(tmp_path: Path) -> None:
    with running(tmp_path) as system:
        await through_kills(system, "HTTP", lambda: tracing(system.url, system.key))


@pytest.mark.scenario
async def test_spans_through_kills_of_every_role_are_stored_once(tmp_path: Path) -> None:
    roles = [role for _ in range(3) for role in ("indexer", "shepherd", "query", "indexer")]
    with running(tmp_path, "--twins") as system:
        await through_kills(system, "HTTP", lambda: tracing(system.url, system.key), roles)
        done = system.run("verify", "--data", str(system.data))
        assert done.returncode == 0, done.stdout


async def through_kills(
    system: System,
    how: str,
    spans_made: Callable[[], contextlib.AbstractContextManager[Callable[[int], None]]],
    roles: Sequence[str] = ("shepherd", "shepherd"),
) -> None:
    """Make spans while processes of these roles are killed; each must be stored once."""
    spans = 20 * len(roles) * BATCH
    chance = random.Random(1)

    def work(made: threading.Semaphore) -> None:
        with spans_made() as make:
            for number in range(1, spans + 1):
                make(number)
                if number % BATCH == 0:
                    made.release()
                    time.sleep(0.02)  # the work of a program, so that kills come while it runs

    made = threading.Semaphore(0)
    working = asyncio.create_task(asyncio.to_thread(work, made))
    for role in roles:
        for _ in range(chance.randint(3, 8)):
            await asyncio.to_thread(made.acquire)
        killed = system.kill_role(role)
        await asyncio.to_thread(partial(system.wait_role_ready, role, not_pid=killed))
    await asyncio.wait_for(working, PATIENCE_S)
    assert system.run("cut").returncode == 0
    counts = await count_stored(Target(system.url, system.key, "shop"), spans)
    missing = [number for number in range(1, spans + 1) if not counts[number]]
    show(f"OpenTelemetry over {how}, {len(roles)} kills: {spans} spans, {len(missing)} missing")
    assert counts == collections.Counter(range(1, spans + 1))
