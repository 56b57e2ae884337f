"""The events of a trace out of the table that was gathered."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from query.traces.one.event import TraceEvent, failed_by
from query.traces.wanted import SpanTable

# read beside the columns that every gathered span has
_ERROR, _STATUS = "error", "status_code"
_KIND, _SIGNAL, _SHARED = "span.kind", "meta.signal_type", "shared"
LINK_TRACE, LINK_SPAN = "trace.link.trace_id", "trace.link.span_id"
_WITHIN: Final = ("span_id", "spanId")  # of a log line: the span in which it was written
_INSTANCE: Final = "service.instance.id"  # one value per process
_HOSTS: Final = ("host.name", "meta.local_hostname", "hostname")
_PIDS: Final = ("process.pid", "pid")
_MACHINE: Final = "state.machine"
_MESSAGES: Final = ("body", "message", "msg", "exception.message")
JUDGED: Final = (
    _ERROR, _STATUS, _KIND, _SIGNAL, _SHARED, LINK_TRACE, LINK_SPAN, *_WITHIN, _INSTANCE,
    *_HOSTS, *_PIDS, _MACHINE,
)  # fmt: skip
_NS_PER_MS: Final = 1e6
_LAST_NS: Final = 2**63 - 1


def fields_read(wanted: Sequence[str], *, with_messages: bool) -> tuple[str, ...]:
    """The fields to gather for a trace of which these are wanted."""
    messages = _MESSAGES if with_messages else ()
    return tuple(dict.fromkeys((*JUDGED, *messages, *wanted)))


def events_of(table: SpanTable, wanted: Sequence[str]) -> Iterator[TraceEvent]:
    """The events. wanted: fields that are returned as they are stored."""
    rows, count = table.rows, table.rows.num_rows
    columns = {name: rows.column(name).to_pylist() for name in _COLUMNS}
    texts = {name: _column(table, name, count) for name in table.names}
    for at in range(count):
        yield _event(at, columns, texts, wanted)


_COLUMNS: Final = (
    "dataset", "time_ns", "span_id", "parent_id", "name", "service", "duration_ms", "error",
    "annotation",
)  # fmt: skip


def _column(table: SpanTable, name: str, count: int) -> list[str | None] | None:
    """JSON texts; None where no event has the field."""
    values = table.field(name)
    return None if values.null_count == count else values.to_pylist()


def _event(
    at: int,
    columns: dict[str, list[Any]],
    texts: dict[str, list[str | None] | None],
    wanted: Sequence[str],
) -> TraceEvent:
    def value(name: str) -> object:
        column = texts.get(name)
        text = None if column is None else column[at]
        return None if text is None else msgspec.json.decode(text)

    def text(*names: str) -> str:
        for name in names:
            found = value(name)
            if found is not None and found != "":
                return found if isinstance(found, str) else msgspec.json.encode(found).decode()
        return ""

    time_ns, duration_ms = columns["time_ns"][at], columns["duration_ms"][at]
    error_by: tuple[str, ...] = ()
    if columns["error"][at]:
        error_by = failed_by(value(_ERROR), value(_STATUS)) or (_ERROR,)
    fields = {
        name: msgspec.Raw(found.encode())
        for name in wanted
        if (column := texts.get(name)) is not None and (found := column[at]) is not None
    }
    return TraceEvent(
        span_id=columns["span_id"][at] or "",
        parent_id=columns["parent_id"][at] or "",
        time_ns=time_ns,
        duration_ns=None if duration_ms is None else _nanoseconds(duration_ms, time_ns),
        name=columns["name"][at] or "",
        service=columns["service"][at] or "",
        dataset=columns["dataset"][at] or "",
        error_by=error_by,
        kind=text(_KIND).lower(),
        annotation=columns["annotation"][at] or "",
        signal=text(_SIGNAL),
        within=text(*_WITHIN),
        process=text(_INSTANCE) or ":".join(filter(None, (text(*_HOSTS), text(*_PIDS)))),
        machine=text(_MACHINE),
        shared=value(_SHARED) is True,
        link_trace_id=text(LINK_TRACE),
        link_span_id=text(LINK_SPAN),
        message=text(*_MESSAGES),
        fields=fields or None,
    )


def _nanoseconds(duration_ms: float, time_ns: int) -> int:
    """A duration that ends within the time that can be stored; negative ones are none."""
    longest = max(_LAST_NS - time_ns, 0)
    wanted = max(duration_ms, 0.0) * _NS_PER_MS
    return round(wanted) if wanted < longest else longest
