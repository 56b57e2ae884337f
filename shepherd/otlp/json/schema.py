"""The messages of OTLP requests as tables: what a field is called, its number and its kind.

Source: the protobuf definitions of opentelemetry-proto 1.10 (collector, trace, logs, metrics,
resource and common, each v1). A test compares the tables with the descriptors of that package.
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Final

import msgspec

from shepherd.otlp.decode.interface import Signal


class Kind(IntEnum):
    """How a field is written in both encodings."""

    MESSAGE = 0
    STRING = 1
    BYTES = 2  # base64 in JSON
    ID = 3  # bytes, but hexadecimal in JSON: what OTLP changes about protobuf's JSON
    BOOL = 4
    INT32 = 5
    UINT32 = 6
    SINT32 = 7
    INT64 = 8
    UINT64 = 9
    FIXED32 = 10
    FIXED64 = 11
    SFIXED64 = 12
    DOUBLE = 13
    ENUM = 14


class Field(msgspec.Struct, frozen=True):
    """One field of a message.

    type: of a message its name in MESSAGES, of an enum that in ENUMS.
    always: written even if it is its type's zero, because presence means something.
    items: a list of what holds spans, log records or data points. Such a list that is none makes
    the body malformed, since leaving it out would lose items without a word.
    double: number of the field that takes an integer beyond 64 bits, or 0.
    former: the name that the field had in older versions, which old clients still write.
    """

    name: str
    number: int
    kind: Kind
    type: str = ""
    repeated: bool = False
    always: bool = False
    items: bool = False
    double: int = 0
    former: str = ""

    @property
    def json_name(self) -> str:
        """The name in JSON."""
        return _camel_case(self.name)

    @property
    def names(self) -> Sequence[str]:
        """All names that are accepted in JSON."""
        former = (_camel_case(self.former), self.former) if self.former else ()
        return tuple(dict.fromkeys((self.json_name, self.name, *former)))


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _message(name: str, number: int, kind: str) -> Field:
    return Field(name, number, Kind.MESSAGE, kind, always=True)


def _list(name: str, number: int, kind: str) -> Field:
    return Field(name, number, Kind.MESSAGE, kind, repeated=True, always=True)


def _items(name: str, number: int, kind: str, former: str = "") -> Field:
    return Field(
        name, number, Kind.MESSAGE, kind, repeated=True, always=True, items=True, former=former
    )


def _texts(name: str, number: int) -> Field:
    return Field(name, number, Kind.STRING, repeated=True, always=True)


def _text(name: str, number: int = 1) -> Field:
    return Field(name, number, Kind.STRING)


def _attributes(number: int, name: str = "attributes") -> Field:
    return _list(name, number, "KeyValue")


def _one_of(name: str, number: int, kind: Kind, double: int = 0) -> Field:
    return Field(name, number, kind, always=True, double=double)


_SCOPE: Final = Field(
    "scope",
    1,
    Kind.MESSAGE,
    "InstrumentationScope",
    always=True,
    former="instrumentation_library",  # until version 0.15, as those of lists of scopes
)
_DROPPED: Final = "dropped_attributes_count"
_POINT_TIMES: Final = (
    Field("start_time_unix_nano", 2, Kind.FIXED64),
    Field("time_unix_nano", 3, Kind.FIXED64),
)
_TEMPORALITY: Final = Field("aggregation_temporality", 2, Kind.ENUM, "AggregationTemporality")

_COMMON: Final[Mapping[str, tuple[Field, ...]]] = {
    "Resource": (
        _attributes(1),
        Field(_DROPPED, 2, Kind.UINT32),
        _list("entity_refs", 3, "EntityRef"),
    ),
    "EntityRef": (
        _text("schema_url", 1),
        _text("type", 2),
        _texts("id_keys", 3),
        _texts("description_keys", 4),
    ),
    "InstrumentationScope": (
        _text("name", 1),
        _text("version", 2),
        _attributes(3),
        Field(_DROPPED, 4, Kind.UINT32),
    ),
    "KeyValue": (
        _text("key", 1),
        _message("value", 2, "AnyValue"),
        Field("key_strindex", 3, Kind.INT32),
    ),
    "AnyValue": (
        _one_of("string_value", 1, Kind.STRING),
        _one_of("bool_value", 2, Kind.BOOL),
        _one_of("int_value", 3, Kind.INT64, double=4),
        _one_of("double_value", 4, Kind.DOUBLE),
        _message("array_value", 5, "ArrayValue"),
        _message("kvlist_value", 6, "KeyValueList"),
        _one_of("bytes_value", 7, Kind.BYTES),
        _one_of("string_value_strindex", 8, Kind.INT32),
    ),
    "ArrayValue": (_list("values", 1, "AnyValue"),),
    "KeyValueList": (_list("values", 1, "KeyValue"),),
}

_TRACES: Final[Mapping[str, tuple[Field, ...]]] = {
    "ExportTraceServiceRequest": (_items("resource_spans", 1, "ResourceSpans"),),
    "ResourceSpans": (
        _message("resource", 1, "Resource"),
        _items("scope_spans", 2, "ScopeSpans", "instrumentation_library_spans"),
        _text("schema_url", 3),
    ),
    "ScopeSpans": (
        _SCOPE,
        _items("spans", 2, "Span"),
        _text("schema_url", 3),
    ),
    "Span": (
        Field("trace_id", 1, Kind.ID),
        Field("span_id", 2, Kind.ID),
        _text("trace_state", 3),
        Field("parent_span_id", 4, Kind.ID),
        _text("name", 5),
        Field("kind", 6, Kind.ENUM, "SpanKind"),
        Field("start_time_unix_nano", 7, Kind.FIXED64),
        Field("end_time_unix_nano", 8, Kind.FIXED64),
        _attributes(9),
        Field(_DROPPED, 10, Kind.UINT32),
        _list("events", 11, "Event"),
        Field("dropped_events_count", 12, Kind.UINT32),
        _list("links", 13, "Link"),
        Field("dropped_links_count", 14, Kind.UINT32),
        _message("status", 15, "Status"),
        Field("flags", 16, Kind.FIXED32),
    ),
    "Event": (
        Field("time_unix_nano", 1, Kind.FIXED64),
        _text("name", 2),
        _attributes(3),
        Field(_DROPPED, 4, Kind.UINT32),
    ),
    "Link": (
        Field("trace_id", 1, Kind.ID),
        Field("span_id", 2, Kind.ID),
        _text("trace_state", 3),
        _attributes(4),
        Field(_DROPPED, 5, Kind.UINT32),
        Field("flags", 6, Kind.FIXED32),
    ),
    "Status": (_text("message", 2), Field("code", 3, Kind.ENUM, "StatusCode")),
}

_LOGS: Final[Mapping[str, tuple[Field, ...]]] = {
    "ExportLogsServiceRequest": (_items("resource_logs", 1, "ResourceLogs"),),
    "ResourceLogs": (
        _message("resource", 1, "Resource"),
        _items("scope_logs", 2, "ScopeLogs", "instrumentation_library_logs"),
        _text("schema_url", 3),
    ),
    "ScopeLogs": (
        _SCOPE,
        _items("log_records", 2, "LogRecord", "logs"),
        _text("schema_url", 3),
    ),
    "LogRecord": (
        Field("time_unix_nano", 1, Kind.FIXED64),
        Field("severity_number", 2, Kind.ENUM, "SeverityNumber"),
        _text("severity_text", 3),
        _message("body", 5, "AnyValue"),
        _attributes(6),
        Field(_DROPPED, 7, Kind.UINT32),
        Field("flags", 8, Kind.FIXED32),
        Field("trace_id", 9, Kind.ID),
        Field("span_id", 10, Kind.ID),
        Field("observed_time_unix_nano", 11, Kind.FIXED64),
        _text("event_name", 12),
    ),
}

_METRICS: Final[Mapping[str, tuple[Field, ...]]] = {
    "ExportMetricsServiceRequest": (_items("resource_metrics", 1, "ResourceMetrics"),),
    "ResourceMetrics": (
        _message("resource", 1, "Resource"),
        _items("scope_metrics", 2, "ScopeMetrics", "instrumentation_library_metrics"),
        _text("schema_url", 3),
    ),
    "ScopeMetrics": (
        _SCOPE,
        _items("metrics", 2, "Metric"),
        _text("schema_url", 3),
    ),
    "Metric": (
        _text("name", 1),
        _text("description", 2),
        _text("unit", 3),
        _message("gauge", 5, "Gauge"),
        _message("sum", 7, "Sum"),
        _message("histogram", 9, "Histogram"),
        _message("exponential_histogram", 10, "ExponentialHistogram"),
        _message("summary", 11, "Summary"),
        _attributes(12, "metadata"),
    ),
    "Gauge": (_items("data_points", 1, "NumberDataPoint"),),
    "Sum": (
        _items("data_points", 1, "NumberDataPoint"),
        _TEMPORALITY,
        Field("is_monotonic", 3, Kind.BOOL),
    ),
    "Histogram": (_items("data_points", 1, "HistogramDataPoint"), _TEMPORALITY),
    "ExponentialHistogram": (
        _items("data_points", 1, "ExponentialHistogramDataPoint"),
        _TEMPORALITY,
    ),
    "Summary": (_items("data_points", 1, "SummaryDataPoint"),),
    "NumberDataPoint": (
        *_POINT_TIMES,
        _one_of("as_double", 4, Kind.DOUBLE),
        _one_of("as_int", 6, Kind.SFIXED64, double=4),
        _list("exemplars", 5, "Exemplar"),
        _attributes(7),
        Field("flags", 8, Kind.UINT32),
    ),
    "HistogramDataPoint": (
        *_POINT_TIMES,
        Field("count", 4, Kind.FIXED64),
        _one_of("sum", 5, Kind.DOUBLE),
        Field("bucket_counts", 6, Kind.FIXED64, repeated=True),
        Field("explicit_bounds", 7, Kind.DOUBLE, repeated=True),
        _list("exemplars", 8, "Exemplar"),
        _attributes(9),
        Field("flags", 10, Kind.UINT32),
        _one_of("min", 11, Kind.DOUBLE),
        _one_of("max", 12, Kind.DOUBLE),
    ),
    "ExponentialHistogramDataPoint": (
        _attributes(1),
        *_POINT_TIMES,
        Field("count", 4, Kind.FIXED64),
        _one_of("sum", 5, Kind.DOUBLE),
        Field("scale", 6, Kind.SINT32),
        Field("zero_count", 7, Kind.FIXED64),
        _message("positive", 8, "Buckets"),
        _message("negative", 9, "Buckets"),
        Field("flags", 10, Kind.UINT32),
        _list("exemplars", 11, "Exemplar"),
        _one_of("min", 12, Kind.DOUBLE),
        _one_of("max", 13, Kind.DOUBLE),
        Field("zero_threshold", 14, Kind.DOUBLE),
    ),
    "Buckets": (
        Field("offset", 1, Kind.SINT32),
        Field("bucket_counts", 2, Kind.UINT64, repeated=True),
    ),
    "SummaryDataPoint": (
        *_POINT_TIMES,
        Field("count", 4, Kind.FIXED64),
        Field("sum", 5, Kind.DOUBLE),
        _list("quantile_values", 6, "ValueAtQuantile"),
        _attributes(7),
        Field("flags", 8, Kind.UINT32),
    ),
    "ValueAtQuantile": (Field("quantile", 1, Kind.DOUBLE), Field("value", 2, Kind.DOUBLE)),
    "Exemplar": (
        Field("time_unix_nano", 2, Kind.FIXED64),
        _one_of("as_double", 3, Kind.DOUBLE),
        Field("span_id", 4, Kind.ID),
        Field("trace_id", 5, Kind.ID),
        _one_of("as_int", 6, Kind.SFIXED64, double=3),
        _attributes(7, "filtered_attributes"),
    ),
}

MESSAGES: Final[Mapping[str, tuple[Field, ...]]] = {**_COMMON, **_TRACES, **_LOGS, **_METRICS}

REQUESTS: Final[Mapping[Signal, str]] = {
    Signal.TRACES: "ExportTraceServiceRequest",
    Signal.LOGS: "ExportLogsServiceRequest",
    Signal.METRICS: "ExportMetricsServiceRequest",
}

# Names of an enum's values in the order of their numbers, from 0, without the prefix below.
ENUMS: Final[Mapping[str, tuple[str, ...]]] = {
    "SpanKind": ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"),
    "StatusCode": ("UNSET", "OK", "ERROR"),
    "SeverityNumber": (
        "UNSPECIFIED",
        *(
            f"{severity}{step}"
            for severity in ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
            for step in ("", "2", "3", "4")
        ),
    ),
    "AggregationTemporality": ("UNSPECIFIED", "DELTA", "CUMULATIVE"),
}
ENUM_PREFIXES: Final[Mapping[str, str]] = {
    "SpanKind": "SPAN_KIND_",
    "StatusCode": "STATUS_CODE_",
    "SeverityNumber": "SEVERITY_NUMBER_",
    "AggregationTemporality": "AGGREGATION_TEMPORALITY_",
}
