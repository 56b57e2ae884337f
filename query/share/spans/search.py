"""Reads spans of several datasets over the views of some partitions, in one statement.

A row is a span, or what the spans of one trace that the share has come to: a trace lies in many
partitions, so that `query.traces.merge` puts the rows of all shares together. A view of a partition
may be newer than that of another dataset; all are read up to the end of the oldest one, as if they
were one view.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import pyarrow as pa

from common.errors import Unavailable
from query.plan.plan import Filter, FilterOp, Plan, RowPosition, SpanDataset, SpanQuery, SpansPer
from query.share.answer import PartitionCovered
from query.share.filters import Parameters, condition
from query.share.pruning.footer_facts import FooterFacts
from query.share.row_reader import FoundRow, RowReader, RunStatement
from query.share.small_segments import SmallSegments
from query.share.sources import POSITION, RowSource, gather
from query.share.spans.parts import SpanParts, common_form, in_some_trace, json_value_sql
from query.share.too_heavy import too_many_span_bytes
from query.share.view import DatasetView
from segment.columns import FieldType

SPAN_COLUMNS: Final = {
    "dataset": "INTEGER",
    "time_ns": "BIGINT",
    "trace_id": "VARCHAR",
    "span_id": "VARCHAR",
    "parent_id": "VARCHAR",
    "name": "VARCHAR",
    "service": "VARCHAR",
    "duration_ms": "DOUBLE",
    "error": "BOOLEAN",
    "annotation": "VARCHAR",
}
_NS_PER_MS: Final = 1_000_000
_POSITION: Final = (*POSITION, "s", "n")
_ROWS_READ: Final = 1_000  # whose fields are read at once


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, what is bound to it, and the tables that it reads.

    types: as of a report. sources: by the number of a dataset, those that `s` refers to.
    """

    sql: str
    parameters: list[str]
    tables: Mapping[str, pa.Table]
    types: dict[str, str]
    sources: Mapping[int, Sequence[RowSource]]


def span_filters(plan: Plan, dataset: SpanDataset) -> tuple[Filter, ...]:
    """The filters that every span of the dataset matches: of the plan, and of its trace's id."""
    assert plan.spans is not None
    of_trace = in_some_trace(dataset.names, plan.spans.trace_ids)
    if plan.any_filter and plan.filters:
        return Filter("", FilterOp.ANY_OF, (), plan.filters), of_trace
    return *plan.filters, of_trace


def with_common_ends(plan: Plan, views: Sequence[DatasetView]) -> Plan:
    """The plan that reads each partition up to the end of the oldest of its views.

    Raises Unavailable if a log was replaced meanwhile.
    """
    upto = dict(plan.upto)
    epochs: dict[int, str] = {}
    for view in views:
        if epochs.setdefault(view.partition, view.epoch) != view.epoch:
            raise Unavailable(f"the log of partition {view.partition} was replaced meanwhile")
        upto[view.partition] = min(view.end_offset, upto.get(view.partition, view.end_offset))
    return msgspec.structs.replace(plan, upto=upto)


def covered_together(covered: Sequence[PartitionCovered]) -> list[PartitionCovered]:
    """The coverage of each partition, of those of its datasets."""
    together: dict[int, PartitionCovered] = {}
    for one in covered:
        known = together.get(one.partition)
        together[one.partition] = one if known is None else _both(known, one)
    return list(together.values())


def _both(one: PartitionCovered, other: PartitionCovered) -> PartitionCovered:
    relies_on = dict(one.relies_on)
    for partition, position in other.relies_on.items():
        relies_on[partition] = max(position, relies_on.get(partition, position))
    damaged = (*one.damaged, *(d for d in other.damaged if d not in one.damaged))
    return msgspec.structs.replace(
        one,
        end_offset=min(one.end_offset, other.end_offset),
        watermark_ns=min(one.watermark_ns, other.watermark_ns),
        gaps=one.gaps if len(one.gaps) >= len(other.gaps) else other.gaps,
        unserved=one.unserved + other.unserved,
        complete=one.complete and other.complete,
        reason=one.reason or other.reason,
        undecided=(*one.undecided, *other.undecided),
        relies_on=relies_on,
        damaged=damaged,
        damaged_more=max(one.damaged_more, other.damaged_more),
        given_up=max(one.given_up, other.given_up),
    )


def span_statement(
    plan: Plan,
    wanted: SpanQuery,
    views: Sequence[DatasetView],
    small: SmallSegments | None = None,
    facts: FooterFacts | None = None,
) -> Statement:
    """The statement of the rows. Raises DamagedObject."""
    parameters, tables = Parameters(), dict[str, pa.Table]()
    types: dict[str, set[FieldType]] = {}
    row_sources: dict[int, Sequence[RowSource]] = {}
    parts: list[str] = []
    by_dataset: dict[str, list[DatasetView]] = {}
    for view in views:
        by_dataset.setdefault(view.dataset, []).append(view)
    for number, dataset in enumerate(wanted.datasets):
        filters = span_filters(plan, dataset)
        narrowed = msgspec.structs.replace(plan, filters=filters, any_filter=False)
        held = by_dataset.get(dataset.id, [])
        if not any(view.segments or view.blocks for view in held):
            continue
        with_positions = wanted.with_data
        sources = gather(
            narrowed, held, small, facts, with_positions=with_positions, suffix=f"_{number}"
        )
        for field, field_sql in sources.fields_sql.items():
            types.setdefault(field, set()).update(field_sql.types)
        if sources.is_empty:
            continue
        tables |= sources.tables
        row_sources[number] = sources.row_sources
        span = SpanParts(dataset.names, sources.fields_sql)
        where = [condition(one, sources.fields_sql, parameters) for one in filters]
        if wanted.trace_ids is not None and span.several_trace_ids:
            forms = dict.fromkeys(map(common_form, wanted.trace_ids))
            bound = ", ".join(map(parameters.bind, forms))
            where.append(f"{span.trace_id} IN ({bound})")
        columns = _columns(number, span)
        for index, field in enumerate(wanted.fields):
            columns[f"f{index}"] = json_value_sql(sources.fields_sql[field])
        if wanted.with_data:
            columns |= {name: name for name in _POSITION}
        if wanted.per is SpansPer.TRACE:
            columns["is_span"] = span.is_span
            columns["is_root"] = span.is_root
        selected = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
        parts.append(f"SELECT {selected} FROM ({sources.sql}) src WHERE {' AND '.join(where)}")
    spans = " UNION ALL ".join(parts) or _no_spans(wanted)
    sql = _traces(spans) if wanted.per is SpansPer.TRACE else spans
    letters = {field: "".join(sorted(t.value for t in some)) for field, some in types.items()}
    return Statement(sql, parameters.values, tables, letters, row_sources)


def with_data(spans: pa.Table, statement: Statement, ask: RunStatement, bytes_max: int) -> pa.Table:
    """The spans with a column `data`. Raises ShareTooHeavy."""
    rows = [
        FoundRow(RowPosition(*row[1:6]), 1, statement.sources[row[0]][row[6]], row[7])
        for row in zip(
            *(spans.column(name).to_pylist() for name in ("dataset", *_POSITION)), strict=True
        )
    ]
    order = sorted(range(len(rows)), key=lambda at: (id(rows[at].source), rows[at].position))
    reader, size = RowReader(None, ask), spans.nbytes
    texts = [b""] * len(rows)
    for begin in range(0, len(rows), _ROWS_READ):
        some = order[begin : begin + _ROWS_READ]
        for at, text in zip(some, reader.texts([rows[at] for at in some]), strict=True):
            texts[at] = text
            size += len(text)
        if size > bytes_max:
            raise too_many_span_bytes(bytes_max)
    return spans.drop_columns(list(_POSITION)).append_column("data", pa.array(texts, pa.binary()))


def _columns(number: int, span: SpanParts) -> dict[str, str]:
    return {
        "dataset": f"{number:d}::INTEGER",
        "time_ns": "t",
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_id": span.parent_id,
        "name": span.name,
        "service": span.service,
        "duration_ms": span.duration_ms,
        "error": span.error,
        "annotation": span.annotation,
    }


def _no_spans(wanted: SpanQuery) -> str:
    columns = [f"NULL::{kind} AS {name}" for name, kind in SPAN_COLUMNS.items()]
    columns += [f"NULL::VARCHAR AS f{index}" for index, _ in enumerate(wanted.fields)]
    if wanted.with_data:
        columns += [f"0::BIGINT AS {name}" for name in _POSITION]
    if wanted.per is SpansPer.TRACE:
        columns += ["FALSE AS is_span", "FALSE AS is_root"]
    return f"SELECT {', '.join(columns)} WHERE FALSE"


def _traces(spans: str) -> str:
    """What the spans of each trace come to; of several roots the first one.

    Times are summed as 128-bit integers: a duration may lead beyond the last time there is.
    """
    length = f"coalesce(TRY_CAST(greatest(duration_ms, 0) * {_NS_PER_MS} AS HUGEINT), 0)"
    end = f"least(time_ns::HUGEINT + {length}, {2**63 - 1})::BIGINT"
    root = (
        "min(struct_pack(root_ns := time_ns, root_id := coalesce(span_id, ''),"
        " root_name := name, root_service := service, root_ms := duration_ms,"
        " root_error := error)) FILTER (WHERE is_root)"
    )
    inner = (
        f"SELECT trace_id, min(time_ns) AS start_ns, max({end}) AS end_ns,"
        " count(*) FILTER (WHERE is_span) AS spans,"
        " count(*) FILTER (WHERE is_span AND error) AS errors,"
        " list(DISTINCT service) FILTER (WHERE service IS NOT NULL) AS services,"
        f" {root} AS root FROM ({spans}) GROUP BY trace_id"
    )
    return (
        "SELECT trace_id, start_ns, end_ns, spans, errors, services, root.root_ns, root.root_id,"
        f" root.root_name, root.root_service, root.root_ms, root.root_error FROM ({inner})"
    )
