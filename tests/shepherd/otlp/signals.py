"""Requests of logs and metrics, made with the public library for their protobuf."""

from collections.abc import Mapping
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    SummaryDataPoint,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from tests.shepherd.otlp.messages import START_NS, any_value, key_values

TIMES = {"time_unix_nano": START_NS}
Point = NumberDataPoint | HistogramDataPoint | ExponentialHistogramDataPoint | SummaryDataPoint


def record(body: Any = None, fields: Mapping[str, Any] | None = None, **members: Any) -> LogRecord:
    """A log record. body: None: it has none."""
    if body is not None:
        members["body"] = any_value(body)
    return LogRecord(attributes=key_values(fields or {}), **{**TIMES, **members})


def logs_of(
    *records: LogRecord, resource: Mapping[str, Any] | None = None, **scope: Any
) -> ResourceLogs:
    """The log records of one resource. scope: members of the group of records."""
    return ResourceLogs(
        resource=Resource(attributes=key_values(resource or {})),
        scope_logs=[ScopeLogs(log_records=records, **scope)],
    )


def logs_request(*groups: ResourceLogs) -> bytes:
    """A request's body."""
    return bytes(ExportLogsServiceRequest(resource_logs=groups).SerializeToString())


def number(value: Any, fields: Mapping[str, Any] | None = None, **members: Any) -> NumberDataPoint:
    """A data point of a gauge or sum. value: None: it has none."""
    if value is not None:
        members["as_int" if isinstance(value, int) else "as_double"] = value
    return NumberDataPoint(attributes=key_values(fields or {}), **{**TIMES, **members})


def metric(name: str, kind: str, *points: Point, **members: Any) -> Metric:
    """A metric. kind: the member that has its points. members: of that."""
    of_metric = {key: members.pop(key) for key in ("unit", "description") if key in members}
    return Metric(name=name, **of_metric, **{kind: {"data_points": points, **members}})


def metrics_of(
    *metrics: Metric, resource: Mapping[str, Any] | None = None, **scope: Any
) -> ResourceMetrics:
    """The metrics of one resource. scope: members of the group of metrics."""
    return ResourceMetrics(
        resource=Resource(attributes=key_values(resource or {})),
        scope_metrics=[ScopeMetrics(metrics=metrics, **scope)],
    )


def metrics_request(*groups: ResourceMetrics) -> bytes:
    """A request's body."""
    return bytes(ExportMetricsServiceRequest(resource_metrics=groups).SerializeToString())


def wrapped(item: bytes) -> bytes:
    """A request with one log record or metric, in bytes that the library would not make."""
    for tag in (0x12, 0x12, 0x0A):  # of an item, of a scope's group, of a resource's group
        length = len(item)
        assert length < 128
        item = bytes((tag, length)) + item
    return item
