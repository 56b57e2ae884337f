"""OpenTelemetry's SDK for Python with its gRPC exporters, unmodified, over a restart (I1, I2)."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import grpc
import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from shepherd.config import ShepherdConfig
from tests.shepherd.harness import KEY, Shepherd, shepherd
from tests.shepherd.otlp.grpc.calls import grpc_address
from tests.waiting import PATIENCE_S, eventually

SERVICES = {"plain": grpc.Compression.NoCompression, "zipped": grpc.Compression.Gzip}
BATCH = 64  # spans of a request: so many that its repetition is recognised
SPANS = 10 * BATCH


@contextmanager
def tracing(address: str, service: str, compression: grpc.Compression) -> Iterator[TracerProvider]:
    """An application's tracer, which sends full batches. Its exporter repeats for a minute."""
    exporter = OTLPSpanExporter(
        f"http://{address}", headers=(("x-honeycomb-team", KEY),), timeout=PATIENCE_S,
        compression=compression,
    )  # fmt: skip
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(
        BatchSpanProcessor(exporter, schedule_delay_millis=600_000, max_export_batch_size=BATCH)
    )
    yield provider
    assert provider.force_flush(int(PATIENCE_S * 1_000))
    provider.shutdown()


def send(address: str, begun: threading.Event, restarted: threading.Event) -> None:
    """Make numbered spans of both services; half of them before `restarted` is set. Blocks."""
    with ExitStack() as stack:
        tracers = [
            stack.enter_context(tracing(address, service, compression)).get_tracer("test")
            for service, compression in SERVICES.items()
        ]
        for number in range(SPANS):
            for tracer in tracers:
                with tracer.start_as_current_span("work", attributes={"n": number}):
                    pass
            if number == SPANS // 4:
                begun.set()
            if number > SPANS // 4 and not restarted.is_set():
                restarted.wait(0.01)


async def numbers(server: Shepherd, service: str) -> list[object]:
    """The numbers of a service's spans; a repeated record counts once, as an indexer counts it."""
    events = await server.events(service)
    first = {event.record.batch: event.record for event in reversed(events)}
    return [
        event.data["n"]  # type: ignore[index]
        for event in events
        if first[event.record.batch] is event.record
    ]


async def test_each_numbered_span_is_stored_once_through_a_restart(tmp_path: Path) -> None:
    begun, restarted = threading.Event(), threading.Event()
    async with shepherd(tmp_path, ShepherdConfig(port=0, otlp_grpc_port=0)) as server:
        address = await grpc_address(server)
        sending = asyncio.create_task(asyncio.to_thread(send, address, begun, restarted))
        await eventually(begun.is_set)

        async def some_are_stored() -> bool:
            return len(await server.records()) > 1

        await eventually(some_are_stored)
    port = int(address.rsplit(":", 1)[1])
    async with shepherd(tmp_path, ShepherdConfig(port=0, otlp_grpc_port=port)) as server:
        restarted.set()
        await sending
        for service in SERVICES:
            found = sorted(await numbers(server, service))  # type: ignore[type-var]
            assert found == list(range(SPANS)), service


async def test_unknown_key_is_given_up_at_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with shepherd(tmp_path, ShepherdConfig(port=0, otlp_grpc_port=0)) as server:
        exporter = OTLPSpanExporter(
            f"http://{await grpc_address(server)}", headers=(("x-honeycomb-team", "nobody's"),)
        )
        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(exporter))
        with provider.get_tracer("test").start_as_current_span("work"):
            pass
        await asyncio.to_thread(provider.shutdown)
        assert await server.records() == []
    assert "UNAUTHENTICATED" in caplog.text
