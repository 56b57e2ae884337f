"""OpenTelemetry's SDK for Python, unmodified, sends logs and metrics over HTTP; they are asked back
through queries and commands.
"""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from tests.system.harness import System, running

pytestmark = pytest.mark.system

RESOURCE = Resource.create({"service.name": "shop"})
PATIENCE_MS = 120_000
RECORDS = 300
FAILED_EACH = 100
REQUESTS = 40


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("otel")) as found:
        yield found


def rows_of(system: System, dataset: str, spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The groups of an answer that has everything."""
    result = system.ask(dataset, {"time_range": 3_600, **spec})
    return [row["data"] for row in result["data"]["results"]]


def test_records_of_the_logging_module_are_events_of_their_service(system: System) -> None:
    exporter = OTLPLogExporter(
        endpoint=f"{system.url}/v1/logs",
        headers={"x-honeycomb-team": system.key},
        compression=Compression.Gzip,
    )
    provider = LoggerProvider(resource=RESOURCE)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    logger = logging.Logger("shop.orders")
    logger.addHandler(LoggingHandler(logger_provider=provider))
    tracer = TracerProvider().get_tracer("test")
    with tracer.start_as_current_span("order") as span:
        for number in range(RECORDS):
            if number % FAILED_EACH:
                logger.info("order %d", number, extra={"order": number})
                continue
            try:
                raise ValueError(f"no stock for {number}")
            except ValueError:
                logger.exception("order failed", extra={"order": number})
    assert provider.force_flush(PATIENCE_MS)
    provider.shutdown()
    count = [{"op": "COUNT"}, {"op": "COUNT_DISTINCT", "column": "order"}]
    wanted: dict[str, Any] = {"breakdowns": ["severity", "severity_code"], "calculations": count}
    system.wait_until(
        lambda: rows_of(system, "shop", {"calculations": count})[0]["COUNT"] == RECORDS, "records"
    )
    failed = RECORDS // FAILED_EACH
    found = sorted(rows_of(system, "shop", wanted), key=lambda row: row["COUNT"])
    assert found == [
        {
            "severity": "error",
            "severity_code": 17,
            "COUNT": failed,
            "COUNT_DISTINCT(order)": failed,
        },
        {
            "severity": "info",
            "severity_code": 9,
            "COUNT": RECORDS - failed,
            "COUNT_DISTINCT(order)": RECORDS - failed,
        },
    ]
    trace = {
        "column": "trace.trace_id",
        "op": "=",
        "value": f"{span.get_span_context().trace_id:032x}",
    }
    (of_trace,) = rows_of(system, "shop", {"calculations": count, "filters": [trace]})
    assert of_trace["COUNT"] == RECORDS
    done = system.run("rows", "shop", "WHERE order = 100 LAST 1h", "--json")
    (row,) = map(json.loads, done.stdout.splitlines())
    data = row.get("data", row)
    assert data["body"] == "order failed"
    assert data["exception.message"] == "no stock for 100"
    assert data["library.name"] == "shop.orders"
    assert data["exception.signature"]


def test_metrics_of_a_periodic_reader_are_fields_with_their_facts(system: System) -> None:
    exporter = OTLPMetricExporter(
        endpoint=f"{system.url}/v1/metrics",
        headers={"x-honeycomb-team": system.key, "x-honeycomb-dataset": "shop-metrics"},
        compression=Compression.Gzip,
        preferred_temporality={
            Histogram: AggregationTemporality.DELTA,
            Counter: AggregationTemporality.CUMULATIVE,
        },
    )
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=PATIENCE_MS)
    view = View(instrument_name="size", aggregation=ExponentialBucketHistogramAggregation())
    provider = MeterProvider([reader], RESOURCE, views=[view])
    meter = provider.get_meter("test", "1")
    requests = meter.create_counter("requests", "{request}", "requests that were taken")
    took = meter.create_histogram("took", "ms", "time of a request")
    size = meter.create_histogram("size", "By")

    def load(_: CallbackOptions) -> list[Observation]:
        return [Observation(0.25, {"cpu": 0}), Observation(3.0, {"cpu": 1})]

    meter.create_observable_gauge("load", [load])
    for _ in range(2):
        for number in range(REQUESTS):
            route = {"route": "/a" if number % 2 else "/b"}
            requests.add(1, route)
            took.record(number, route)
            size.record(2**number, route)
        assert provider.force_flush(PATIENCE_MS)
    provider.shutdown()  # exports once more
    by_route = {
        "breakdowns": ["route"],
        "filters": [{"column": "route", "op": "exists"}],
        "orders": [{"column": "route", "order": "ascending"}],
        "calculations": [
            {"op": "MAX", "column": "requests"},
            {"op": "SUM", "column": "took.count"},
            {"op": "SUM", "column": "took.sum"},
            {"op": "MAX", "column": "took.max"},
            {"op": "MAX", "column": "took.p50"},
            {"op": "SUM", "column": "size.count"},
        ],
    }

    def answer() -> list[dict[str, Any]]:
        return rows_of(system, "shop-metrics", by_route)

    system.wait_until(
        lambda: [row["SUM(took.count)"] for row in answer()] == [REQUESTS, REQUESTS], "metrics"
    )
    first, second = answer()
    assert (first["route"], second["route"]) == ("/a", "/b")
    for row, numbers in ((first, range(1, REQUESTS, 2)), (second, range(0, REQUESTS, 2))):
        assert row["MAX(requests)"] == REQUESTS  # cumulative: twice half of them
        assert row["SUM(took.sum)"] == 2 * sum(numbers)
        assert row["MAX(took.max)"] == numbers[-1]
        assert row["SUM(size.count)"] == REQUESTS
        assert abs(row["MAX(took.p50)"] - REQUESTS / 2) < 5
    (cpus,) = rows_of(
        system,
        "shop-metrics",
        {
            "calculations": [{"op": "MAX", "column": "load"}, {"op": "MIN", "column": "load"}],
            "filters": [{"column": "cpu", "op": "exists"}],
        },
    )
    assert cpus == {"MAX(load)": 3.0, "MIN(load)": 0.25}
    _facts_are_shown(system)


def _facts_are_shown(system: System) -> None:
    def shown() -> dict[str, Any]:
        done = system.run("fields", "shop-metrics", "--json", "--all")
        fields = map(json.loads, done.stdout.splitlines())
        return {field["name"]: field.get("metric") for field in fields}

    system.wait_until(lambda: bool(shown().get("size.buckets")), "facts of columns")
    found = shown()
    assert found["requests"] == {
        "type": "sum",
        "unit": "{request}",
        "temporality": "cumulative",
        "monotonic": True,
        "description": "requests that were taken",
    }
    assert found["took.p99"] == {
        "type": "histogram",
        "unit": "ms",
        "temporality": "delta",
        "monotonic": False,
        "description": "time of a request",
    }
    assert found["size.buckets"]["type"] == "exponential_histogram"
    assert found["load"] == {"type": "gauge"}
    assert found["route"] is None
    table = system.run("fields", "shop-metrics", "took.sum").stdout
    assert "time of a request; histogram, delta, in ms" in table
