"""OpenTelemetry's SDK for Python, unmodified, exports over gRPC; what it sends is stored once."""

import asyncio
import contextlib
import re
import threading
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from shepherd.config import ShepherdConfig
from tests.clients.test_opentelemetry_http import (
    BATCH,
    PATIENCE_S,
    numbered_spans,
    stored_once,
    through_kills,
)
from tests.shepherd.harness import KEY, shepherd
from tests.shepherd.otlp.grpc.calls import grpc_address
from tests.system.harness import running
from tests.waiting import eventually

WITH_KEY = (("x-honeycomb-team", KEY),)
ENCODINGS = [grpc.Compression.NoCompression, grpc.Compression.Gzip]


def tracing(
    address: str, key: str, compression: grpc.Compression
) -> contextlib.AbstractContextManager[Callable[[int], None]]:
    """As `numbered_spans`, over gRPC."""
    exporter = OTLPSpanExporter(
        f"http://{address}",
        headers=(("x-honeycomb-team", key),),
        timeout=PATIENCE_S,
        compression=compression,
    )
    return numbered_spans(exporter)


@pytest.mark.parametrize("compression", ENCODINGS)
async def test_each_numbered_span_is_stored_once_through_a_restart(
    tmp_path: Path, compression: grpc.Compression
) -> None:
    spans, restart_after = 20 * BATCH, 3 * BATCH
    begun, restarted = threading.Event(), threading.Event()

    def work(address: str) -> None:
        with tracing(address, KEY, compression) as make:
            for number in range(spans):
                make(number)
                if number == restart_after:
                    begun.set()
                if number > restart_after and not restarted.is_set():
                    restarted.wait(0.000_5)  # so that exports meet the restart

    async with shepherd(tmp_path, ShepherdConfig(port=0, otlp_grpc_port=0)) as server:
        address = await grpc_address(server)
        working = asyncio.create_task(asyncio.to_thread(work, address))
        await eventually(begun.is_set)
        await eventually(server.records)
    port = int(address.rsplit(":", 1)[1])
    async with shepherd(tmp_path, ShepherdConfig(port=0, otlp_grpc_port=port)) as server:
        restarted.set()
        await working
        assert await stored_once(server) == list(range(spans))


async def test_logs_and_metrics_are_stored(tmp_path: Path) -> None:
    resource = Resource.create({"service.name": "shop"})

    def work(address: str) -> None:
        target = {"endpoint": f"http://{address}", "headers": WITH_KEY}
        logs = LoggerProvider(resource=resource)
        logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(**target)))
        logs.get_logger("test").emit(
            severity_number=SeverityNumber.ERROR, body="no more of them", attributes={"seq": 5}
        )
        reader = PeriodicExportingMetricReader(OTLPMetricExporter(**target))
        meters = MeterProvider([reader], resource=resource)
        meters.get_meter("test").create_counter("sold").add(3, {"what": "tea"})
        logs.shutdown()  # exports what is left
        meters.shutdown()

    async with shepherd(tmp_path, ShepherdConfig(port=0, otlp_grpc_port=0)) as server:
        await asyncio.to_thread(work, await grpc_address(server))
        (log,) = await server.events("shop")
        (metric,) = await server.events("unknown_metrics")
    assert isinstance(log.data, dict)
    assert isinstance(metric.data, dict)
    expected: dict[str, object] = {"body": "no more of them", "severity": "error", "seq": 5}
    assert {name: log.data.get(name) for name in expected} == expected
    assert (metric.data["sold"], metric.data["what"]) == (3, "tea")


async def test_unknown_key_is_given_up_at_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with shepherd(tmp_path, ShepherdConfig(port=0, otlp_grpc_port=0)) as server:
        address = await grpc_address(server)

        def work() -> None:
            with tracing(address, "nobody's", grpc.Compression.NoCompression) as make:
                make(1)

        await asyncio.to_thread(work)
        assert await server.records() == []
    assert "UNAUTHENTICATED" in caplog.text


@pytest.mark.scenario
@pytest.mark.parametrize("compression", ENCODINGS)
async def test_spans_through_kills_of_the_shepherd_are_stored_once(
    tmp_path: Path, compression: grpc.Compression
) -> None:
    with running(tmp_path) as system:
        found = re.search(r"gRPC +(\S+) \(OTLP\)", system.output)
        assert found, system.output
        address = found[1]
        how = f"gRPC ({compression.name})"
        await through_kills(system, how, lambda: tracing(address, system.key, compression))
