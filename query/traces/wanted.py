"""Spans that a question asks for, and the table of those that were gathered."""

from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from query.plan.parts.conditions import Filter
from query.plan.parts.spans import SpansPer

TIME_MIN_NS: Final = -(2**63)
TIME_MAX_NS: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class SpansWanted:
    """The spans of a question, of the environment of the key that asks.

    datasets: their names; None: every dataset of the environment.
    start_ns, end_ns: range of the times at which they start, half open, in unix ns.
    filters, any_filter: as in a plan; names of fields are those of events, not of columns here.
    trace_ids: only spans of these traces, as people write them: in any case, short or padded.
        None: of all traces.
    fields: fields whose values are returned (`SpanTable.field`), of rows per span or service.
    with_data: whether rows per span have all fields of their event. Only few spans are asked so.
    per: what a row is: a span, what the spans of a trace come to, or a service.
    limit: only the first rows in the order of time; None: all, or `Unprocessable`.
    """

    datasets: tuple[str, ...] | None = None
    start_ns: int = TIME_MIN_NS
    end_ns: int = TIME_MAX_NS
    filters: tuple[Filter, ...] = ()
    any_filter: bool = False
    trace_ids: tuple[str, ...] | None = None
    fields: tuple[str, ...] = ()
    with_data: bool = False
    per: SpansPer = SpansPer.SPAN
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class SpanTable:
    """Spans of all partitions and datasets, or traces.

    rows: in the order of time, then of ids. Columns of a row per span:
        dataset (string, its name), time_ns (int64, unix ns of its start), trace_id (string, in the
        common form of `query.share.spans.parts`), span_id, parent_id, name, service (string),
        duration_ms (double), error (bool, never null), annotation (string; null: a span of its own,
        else `span_event`, `link`, `span_start` and the like). What an event lacks is null.
        With `with_data` also data (binary), all fields as a JSON object, in the order of names.
        Of a row per trace: trace_id, start_ns, end_ns (int64), spans, errors (int64, of spans of
        their own), services (list of strings, sorted), and of the first root span root_ns,
        root_id, root_name, root_service, root_ms (double), root_error; null without a root.
        Of a row per service, in the order of names: service (string), spans (int64), for each
        combination of the values of the fields that its spans of their own have.
    coverage, notes: as in every answer. types: by field, the letters of its types.
    names: of the fields, in the order of their columns.
    """

    rows: pa.Table
    coverage: dict[str, Any]
    notes: list[str]
    types: dict[str, str]
    names: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether no span is missing."""
        return bool(self.coverage["complete"])

    def field(self, name: str) -> pa.ChunkedArray:
        """The values of a field that was asked for, as JSON texts; null where it is missing."""
        return self.rows.column(f"f{self.names.index(name)}")
