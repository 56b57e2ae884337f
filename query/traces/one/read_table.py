"""The events of a trace out of the table that was gathered."""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any, Final, TypeVar

import msgspec

from query.traces.one.event import TraceEvent, failed_by
from query.traces.wanted import SpanTable

# read beside the columns that every gathered span has
_ERROR, _STATUS = "error", "status_code"
_KIND, _SIGNAL, _SHARED = "span.kind", "meta.signal_type", "shared"
LINK_TRACE, LINK_SPAN = "trace.link.trace_id", "trace.link.span_id"
_WITHIN: Final = ("span_id", "spanId")  # of a log line: the span in which it was written
INSTANCE: Final = "service.instance.id"  # one value per process
HOSTS: Final = ("host.name", "meta.local_hostname", "hostname")
PIDS: Final = ("process.pid", "pid")
_MACHINE: Final = "state.machine"
_MESSAGES: Final = ("body", "message", "msg", "exception.message")
JUDGED: Final = (
    _ERROR, _STATUS, _KIND, _SIGNAL, _SHARED, LINK_TRACE, LINK_SPAN, *_WITHIN, INSTANCE,
    *HOSTS, *PIDS, _MACHINE,
)  # fmt: skip
_Value = TypeVar("_Value")
_NS_PER_MS: Final = 1e6
_LAST_NS: Final = 2**63 - 1


def fields_read(wanted: Sequence[str], *, with_messages: bool) -> tuple[str, ...]:
    """The fields to gather for a trace of which these are wanted."""
    messages = _MESSAGES if with_messages else ()
    return tuple(dict.fromkeys((*JUDGED, *messages, *wanted)))


def events_of(table: SpanTable, wanted: Sequence[str]) -> Iterator[TraceEvent]:
    """The events. wanted: fields that are returned as they are stored."""
    columns = _Columns(table)
    rows = zip(
        columns.plain("span_id"), columns.plain("parent_id"), columns.plain("time_ns"),
        columns.durations(), columns.shared("name"), columns.shared("service"),
        columns.shared("dataset"), columns.errors(), columns.texts(_KIND),
        columns.shared("annotation"), columns.texts(_SIGNAL), columns.texts(*_WITHIN),
        columns.texts(INSTANCE), columns.texts(*HOSTS), columns.texts(*PIDS),
        columns.texts(_MACHINE), columns.texts(_SHARED), columns.texts(LINK_TRACE),
        columns.texts(LINK_SPAN), columns.texts(*_MESSAGES), columns.fields(wanted),
        strict=True,
    )  # fmt: skip
    for (
        span_id, parent_id, time_ns, duration_ns, name, service, dataset, error_by, kind,
        annotation, signal, within, instance, host, pid, machine, shared, link_trace, link_span,
        message, fields,
    ) in rows:  # fmt: skip
        yield TraceEvent(
            span_id or "", parent_id or "", time_ns, duration_ns, name or "", service or "",
            dataset or "", error_by, kind.lower(), annotation or "", signal, within,
            instance or ":".join(filter(None, (host, pid))), machine, shared == "true",
            link_trace, link_span, message, fields,
        )  # fmt: skip


class _Columns:
    """Columns of the table as values of Python, one per row."""

    def __init__(self, table: SpanTable) -> None:
        self._table = table
        self._rows = table.rows.num_rows
        self._seen: dict[Any, Any] = {}

    def _once(self, value: _Value) -> _Value:
        """The equal value that came first."""
        first: _Value = self._seen.setdefault(value, value)
        return first

    def plain(self, name: str) -> list[Any]:
        """A column that every gathered span has."""
        values: list[Any] = self._table.rows.column(name).to_pylist()
        return values

    def shared(self, name: str) -> list[Any]:
        """The same of a column of few values, each of which is held once."""
        return list(map(self._once, self.plain(name)))

    def texts(self, *names: str) -> Iterable[str]:
        """As text, of the first of these fields that an event has; empty without any."""
        found: list[str] | None = None
        for column in filter(None, map(self._stored, names)):
            if found is None:
                found = [self._once(_text(value)) for value in column]
            else:
                found = [known or _text(value) for known, value in zip(found, column, strict=True)]
        return repeat("", self._rows) if found is None else found

    def durations(self) -> Iterator[int | None]:
        """Nanoseconds; None where there is none."""
        times = self.plain("time_ns")
        for duration_ms, time_ns in zip(self.plain("duration_ms"), times, strict=True):
            known = duration_ms is not None and not math.isnan(duration_ms)
            yield _nanoseconds(duration_ms, time_ns) if known else None

    def errors(self) -> Iterator[tuple[str, ...]]:
        """The fields by which an event failed."""
        columns = (self._stored(name) or repeat(None, self._rows) for name in (_ERROR, _STATUS))
        for failed, error, status in zip(self.plain("error"), *columns, strict=True):
            yield failed_by(_value(error), _value(status)) or (_ERROR,) if failed else ()

    def fields(self, names: Sequence[str]) -> Iterable[dict[str, msgspec.Raw] | None]:
        """The fields of these names that an event has."""
        columns = [(name, column) for name in names if (column := self._stored(name)) is not None]
        if not columns:
            return repeat(None, self._rows)
        return (
            {name: msgspec.Raw(v.encode()) for name, column in columns if (v := column[at])} or None
            for at in range(self._rows)
        )

    def _stored(self, name: str) -> list[str | None] | None:
        """JSON texts of a field; None where it was not read, or no event has it."""
        if name not in self._table.names:
            return None
        values = self._table.field(name)
        return None if values.null_count == self._rows else values.to_pylist()


def _value(text: str | None) -> object:
    return None if text is None else msgspec.json.decode(text)


def _text(stored: str | None) -> str:
    """The text of a JSON text; numbers and the like as they are written."""
    if stored is None:
        return ""
    if not stored.startswith('"'):
        return "" if stored == "null" else stored
    return msgspec.json.decode(stored, type=str) if "\\" in stored else stored[1:-1]


def _nanoseconds(duration_ms: float, time_ns: int) -> int:
    """A duration that ends within the time that can be stored; negative ones are none."""
    longest = max(_LAST_NS - time_ns, 0)
    wanted = max(duration_ms, 0.0) * _NS_PER_MS
    return round(wanted) if wanted < longest else longest
