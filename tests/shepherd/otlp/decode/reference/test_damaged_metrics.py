"""Damaged requests of logs and metrics: what the public library can read has as many items here."""

from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    Exemplar,
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    SummaryDataPoint,
)

from common.scan.events import MalformedBody
from common.scan.work_budget import Work
from shepherd.otlp.decode.interface import OtlpBody, Signal
from shepherd.otlp.decode.reference.decoder import ReferenceDecoder
from tests.shepherd.otlp.messages import ARRIVAL_NS, SPAN, TRACE
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

METRICS = metrics_request(
    metrics_of(
        metric("load", "gauge", number(1, {"k": [1, {"a": None}]}), number(2.5), unit="s"),
        metric(
            "took",
            "histogram",
            HistogramDataPoint(
                count=3,
                sum=1.0,
                bucket_counts=[1, 2],
                explicit_bounds=[1],
                exemplars=[Exemplar(as_int=1, trace_id=TRACE)],
                **TIMES,
            ),
            aggregation_temporality=1,
        ),
        metric(
            "size",
            "exponential_histogram",
            ExponentialHistogramDataPoint(
                scale=-1, positive={"offset": -3, "bucket_counts": [1, 300]}, **TIMES
            ),
            aggregation_temporality=1,
        ),
        metric("wait", "summary", SummaryDataPoint(quantile_values=[{"quantile": 0.5}])),
        resource={"service.name": "web"},
        scope={"name": "meter"},
    )
)
LOGS = logs_request(
    logs_of(
        record({"a": [1, None]}, {"k": 1.5}, trace_id=TRACE, span_id=SPAN, severity_text="WARN"),
        record("text", flags=1),
        resource={"service.name": "web"},
    )
)
DAMAGE = st.lists(
    st.tuples(st.integers(0, 10_000), st.integers(0, 3), st.binary(max_size=3)), max_size=3
)


def damaged(body: bytes, damage: list[tuple[int, int, bytes]]) -> bytes:
    """The body with some pieces replaced."""
    for where, size, piece in damage:
        at = where % (len(body) + 1)
        body = body[:at] + piece + body[at + size :]
    return body


def items_of(signal: Signal, body: bytes) -> int:
    """Items that the library finds. Raises DecodeError."""
    if signal is Signal.LOGS:
        logs = ExportLogsServiceRequest.FromString(body)
        return sum(
            len(scope.log_records) for group in logs.resource_logs for scope in group.scope_logs
        )
    found = ExportMetricsServiceRequest.FromString(body)
    count = 0
    for group in found.resource_metrics:
        for scope in group.scope_metrics:
            for one in scope.metrics:
                kind = one.WhichOneof("data")
                count += len(getattr(one, kind).data_points) if kind else 0
    return count


@pytest.mark.parametrize(("signal", "whole"), [(Signal.LOGS, LOGS), (Signal.METRICS, METRICS)])
@given(data=st.data())
@settings(max_examples=100)
def test_what_the_library_can_read_has_as_many_items(
    signal: Signal, whole: bytes, data: Any
) -> None:
    body = damaged(whole, data.draw(DAMAGE))
    try:
        expected = items_of(signal, body)
    except DecodeError:
        expected = None
    try:
        found = ReferenceDecoder().decode(OtlpBody(signal, body, ARRIVAL_NS), Work())
    except MalformedBody:
        assert expected is None
        return
    if expected is not None:
        assert found.items == expected
    events = sum(group.events.events for group in found.groups)
    assert events <= found.items
