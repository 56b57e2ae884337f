"""Logs and metrics over HTTP, against a real shepherd."""

import math
from pathlib import Path

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    Exemplar,
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    SummaryDataPoint,
)

from common import limits
from common.metadata import ColumnFacts
from common.model.names import column_id
from tests.shepherd.harness import shepherd
from tests.shepherd.otlp.messages import SPAN, START_NS, TRACE
from tests.shepherd.otlp.signals import (
    TIMES,
    logs_of,
    logs_request,
    metric,
    metrics_of,
    metrics_request,
    number,
    record,
)
from tests.waiting import eventually

PROTOBUF = {"Content-Type": "application/x-protobuf"}


async def test_log_records_are_stored_in_the_dataset_of_their_service(tmp_path: Path) -> None:
    many = [record(number) for number in range(limits.OTLP_NAMED_ITEMS_MIN)]
    web = logs_of(*many, resource={"service.name": "web"})
    body = logs_request(web, logs_of(record("c")))
    async with shepherd(tmp_path) as server:
        for _ in range(2):  # an exporter's repetition of the same bytes is the same records
            status, answer, headers = await server.post("/v1/logs", body, PROTOBUF)
            assert status == 200
            assert ExportLogsServiceResponse.FromString(answer) == ExportLogsServiceResponse()
            assert headers["X-Bellwether-Receipt"]
        batches = {one.batch for _, one in await server.records()}
        assert len(batches) == 2
        stored = await server.events("web")
        numbers = {event.data["body"] for event in stored}  # type: ignore[index]
        assert numbers == set(range(len(many)))
        assert {event.time_ns for event in stored} == {START_NS}
        (other,) = {repr(event.data) for event in await server.events("unknown_log_source")}
        assert "'body': 'c'" in other


async def test_data_points_that_cannot_be_stored_are_counted_in_the_answer(tmp_path: Path) -> None:
    wide = {"k" * 70_000: 1, "host": "b"}
    body = metrics_request(
        metrics_of(
            metric("load", "gauge", number(math.nan), number(1), number(2, wide)),
            metric("none", "sum", number(None), number(3), number(4, flags=1)),
        )
    )
    async with shepherd(tmp_path) as server:
        status, answer, _ = await server.post("/v1/metrics", body, PROTOBUF)
        assert status == 200
        partial = ExportMetricsServiceResponse.FromString(answer).partial_success
        assert partial.rejected_data_points == 2
        assert partial.error_message == "load: is NaN or infinite"
        (first, second) = await server.events("unknown_metrics")
        assert first.data == {"load": 1, "none": 3, "meta.signal_type": "metric"}
        assert second.data == {"load": 2, "host": "b", "meta.signal_type": "metric"}


async def test_facts_of_columns_come_to_metadata_and_a_request_does_not_need_it(
    tmp_path: Path,
) -> None:
    body = metrics_request(
        metrics_of(metric("load", "gauge", number(1), unit="s", description="how long"))
    )
    headers = {**PROTOBUF, "X-Honeycomb-Dataset": "mine"}
    async with shepherd(tmp_path) as server:
        assert (await server.post("/v1/metrics", body, headers))[0] == 200
        dataset = server.dataset("mine")
        metadata = server.backends.metadata
        await eventually(lambda: metadata.list_column_facts(dataset))
        (found,) = metadata.list_column_facts(dataset)
        assert found == ColumnFacts(
            *(column_id(dataset, "load"), dataset, "load", "gauge", "s", "", False, "how long"),
            found.updated_ns,
        )
        metadata.close()
        other = body.replace(b"load", b"last")
        assert (await server.post("/v1/metrics", other, headers))[0] == 200
        metadata.open()
        assert len(await server.events("mine")) == 2


async def test_json_and_protobuf_give_the_same_events(tmp_path: Path) -> None:
    histogram = HistogramDataPoint(
        count=3,
        sum=4.5,
        bucket_counts=[1, 2],
        explicit_bounds=[1.5],
        exemplars=[Exemplar(as_double=0.5, trace_id=TRACE, span_id=SPAN)],
        **TIMES,
    )
    exponential = ExponentialHistogramDataPoint(
        count=2, scale=-1, positive={"offset": -3, "bucket_counts": [1, 1]}, **TIMES
    )
    summary = SummaryDataPoint(count=1, quantile_values=[{"quantile": 0.5, "value": 2.5}], **TIMES)
    metrics = metrics_request(
        metrics_of(
            metric("load", "gauge", number(2**62), number(1.0, {"host": "a"})),
            metric("took", "histogram", histogram, aggregation_temporality=1, unit="ms"),
            metric("size", "exponential_histogram", exponential, aggregation_temporality=2),
            metric("wait", "summary", summary),
        )
    )
    logs = logs_request(
        logs_of(record({"a": [1, None]}, {"k": 2**62}, trace_id=TRACE, severity_number=9))
    )
    async with shepherd(tmp_path) as server:
        for path, body, dataset, kind in (
            ("/v1/metrics", metrics, "unknown_metrics", ExportMetricsServiceRequest),
            ("/v1/logs", logs, "unknown_log_source", ExportLogsServiceRequest),
        ):
            assert (await server.post(path, body, PROTOBUF))[0] == 200
            text = json_format.MessageToJson(kind.FromString(body))
            sent = await server.post(path, text, {"Content-Type": "application/json"})
            assert sent[:2] == (200, {})
            stored = [event.data for event in await server.events(dataset)]
            assert len(stored) == 2 * len({repr(data) for data in stored})
