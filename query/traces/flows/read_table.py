"""From gathered spans to the columns of steps."""

from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from query.traces.flows.definition import NAME, TRACE_ID, FlowRequest
from query.traces.flows.steps import StepColumns
from query.traces.one.read_table import HOSTS, INSTANCE, PIDS
from query.traces.wanted import SpanTable

_START: Final = "span_start"  # `meta.annotation_type` of an event that tells of a beginning


def step_columns(table: SpanTable, wanted: FlowRequest) -> StepColumns:
    """The columns of the rows that are steps.

    Where the step is the name of a span, span events and links are none: they are parts of spans.
    With another field every event that has it is one.
    """
    rows = table.rows
    annotation = rows.column("annotation")
    announced = pc.fill_null(pc.equal(annotation, _START), False)
    step = _named(table, wanted.step, NAME, "name")
    if wanted.step == NAME:
        own = pc.or_(pc.is_null(annotation), announced)
        step = pc.if_else(own, step, pa.scalar(None, pa.string()))
    nothing = pa.chunked_array([pa.nulls(rows.num_rows, pa.string())])
    following = nothing
    if wanted.next_step is not None:
        following = pc.fill_null(plain_texts(table.field(wanted.next_step)), "")
    return StepColumns(
        instance=_named(table, wanted.instance, TRACE_ID, "trace_id"),
        step=step,
        start_ns=rows.column("time_ns"),
        duration_ms=rows.column("duration_ms"),
        error=rows.column("error"),
        announced=announced,
        process=_process(table, wanted),
        next_step=following,
        trace_id=rows.column("trace_id"),
        span_id=rows.column("span_id"),
        parent_id=rows.column("parent_id"),
    )


def _process(table: SpanTable, wanted: FlowRequest) -> pa.ChunkedArray:
    """A text for each process. An instance id names one; else a process id means one of a host;
    a host or a service alone may have several, and so names none.
    """
    if wanted.process is not None:
        return plain_texts(table.field(wanted.process))
    instance, host, pid = (
        pc.coalesce(*(plain_texts(table.field(name)) for name in names))
        for names in ((INSTANCE,), HOSTS, PIDS)
    )
    one_of_host = pc.binary_join_element_wise(pc.fill_null(host, ""), pid, " ")
    return pc.coalesce(instance, one_of_host)


def _named(table: SpanTable, field: str, usual: str, column: str) -> pa.ChunkedArray:
    """A field, or the column that is made of each dataset's definition of it."""
    return table.rows.column(column) if field == usual else plain_texts(table.field(field))


def plain_texts(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Values that are JSON texts as plain texts; null for null and for an empty string."""
    encoded = values.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    plain = pa.array([_plain(text) for text in encoded.dictionary.to_pylist()], pa.string())
    return pa.chunked_array([plain.take(encoded.indices)])


def _plain(text: str) -> str | None:
    if not text.startswith('"'):
        return None if text == "null" else text
    return msgspec.json.decode(text, type=str) or None
