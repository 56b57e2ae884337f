"""Names of the fields that an event has beside its attributes: first in every table of names."""

from typing import Final

CORE: Final = (
    "sampleRate",
    "SampleRate",
    "service.name",
    "trace.trace_id",
    "trace.span_id",
    "trace.parent_id",
    "name",
    "type",
    "span.kind",
    "status_code",
    "status_message",
    "error",
    "duration_ms",
    "meta.invalid_duration",
    "span.num_links",
    "span.num_events",
    "trace.trace_state",
    "meta.signal_type",
    "meta.annotation_type",
    "meta.dropped_attributes_count",
    "parent_name",
    "meta.time_since_span_start_ms",
    "meta.invalid_time_since_span_start",
    "trace.link.trace_id",
    "trace.link.span_id",
    "resource.schema_url",
    "scope.schema_url",
    "library.name",
    "library.version",
    "telemetry.instrumentation_library",
    "exception.type",
    "exception.message",
    "exception.stacktrace",
    "exception.escaped",
)
(
    RATE,
    RATE_CAPITAL,
    SERVICE_NAME,
    TRACE_ID,
    SPAN_ID,
    PARENT_ID,
    NAME,
    TYPE,
    KIND,
    STATUS_CODE,
    STATUS_MESSAGE,
    ERROR,
    DURATION,
    INVALID_DURATION,
    LINKS,
    EVENTS,
    TRACE_STATE,
    SIGNAL_TYPE,
    ANNOTATION_TYPE,
    DROPPED,
    PARENT_NAME,
    SINCE_START,
    INVALID_SINCE_START,
    LINK_TRACE_ID,
    LINK_SPAN_ID,
    RESOURCE_SCHEMA_URL,
    SCOPE_SCHEMA_URL,
    LIBRARY_NAME,
    LIBRARY_VERSION,
    INSTRUMENTATION,
    EXCEPTION_TYPE,
    EXCEPTION_MESSAGE,
    EXCEPTION_STACK,
    EXCEPTION_ESCAPED,
) = range(len(CORE))
COUNT: Final = len(CORE)
# Names that begin a list of attributes, for the prediction of its first name; no name equals them.
SPAN_FIRST, EVENT_FIRST, LINK_FIRST, RESOURCE_FIRST, SCOPE_FIRST = range(COUNT, COUNT + 5)
FIXED: Final = COUNT + 5  # names that are never removed from the table

# Texts that are values; the first six are the kinds of spans by their numbers.
CONSTANTS: Final = (
    "unspecified",
    "internal",
    "server",
    "client",
    "producer",
    "consumer",
    "trace",
    "span_event",
    "link",
)
KINDS: Final = 6
SIGNAL_TRACE, SPAN_EVENT, LINK = range(KINDS, len(CONSTANTS))
CONSTANT_BYTES: Final = 16  # of the arena for each
CONSTANT_SIZES: Final = sum(len(one) + 2 << 4 * at for at, one in enumerate(CONSTANTS))  # quoted
INSTRUMENTATION_SCOPES: Final = (
    "io.opentelemetry",
    "opentelemetry.instrumentation",
    "OpenTelemetry.Instrumentation",
    "OpenTelemetry::Instrumentation",
    "go.opentelemetry.io/contrib/instrumentation",
    "@opentelemetry/instrumentation",
    "io.opentelemetry.contrib.php",
    "github.com/open-telemetry/opentelemetry-collector",
    "@honeycombio/",
)
