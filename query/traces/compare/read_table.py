"""The spans of several traces out of the table that was gathered."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import msgspec
import pyarrow.compute as pc
from msgspec import structs

from query.traces.compare.span import Spans, spans_of_tree
from query.traces.one.ids import folded
from query.traces.one.read_table import JUDGED, events_of
from query.traces.one.tree import Judging, build
from query.traces.wanted import SpansWanted, SpanTable

_DATA: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def spans_wanted(trace_ids: tuple[str, ...], *, with_data: bool) -> SpansWanted:
    """All events of the traces. with_data: with the fields that are compared."""
    return SpansWanted(trace_ids=trace_ids, fields=JUDGED, with_data=with_data)


def traces_of(table: SpanTable, now_ns: int) -> Iterator[tuple[str, Spans]]:
    """(folded id, spans) of each trace of the table that has a span."""
    for trace_id in pc.unique(table.rows.column("trace_id")).to_pylist():
        if trace_id is None:
            continue
        rows = table.rows.filter(pc.equal(table.rows.column("trace_id"), trace_id))
        events = list(events_of(replace(table, rows=rows), ()))
        if "data" in rows.column_names:
            data = rows.column("data").to_pylist()
            events = [
                structs.replace(event, fields=_DATA.decode(text))
                for event, text in zip(events, data, strict=True)
            ]
        spans = spans_of_tree(trace_id, build(events, Judging(now_ns, 0, 0)))
        if spans.spans:
            yield folded(trace_id), spans
