"""SQL of the parts of a span over the source rows of one dataset, by the dataset's definitions.

A trace's id is compared and returned in one form: in lower case, and 32 digits of which the first
16 are zeros as the last 16. OTLP's ids are stored so; others may send them in any case or padded.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from query.plan.parts.conditions import Filter, FilterOp
from query.plan.parts.spans import SpanNames
from query.share.sources.field_sql import FieldSql
from segment.columns import FieldType

_PADDING: Final = "0" * 16
_FALSE_TEXTS: Final = "('', 'false', '0')"
_OTLP_ERROR: Final = 2


def common_form(trace_id: str) -> str:
    """A trace's id in the form in which shares return it, as `SpanParts.trace_id` makes it."""
    text = trace_id.lower()
    is_padded = len(trace_id.encode()) == 2 * len(_PADDING) and text.startswith(_PADDING)
    return text[len(_PADDING) :] if is_padded else text


def common_form_sql(text: str) -> str:
    """SQL VARCHAR of `common_form`."""
    padded = f"strlen({text}) = {2 * len(_PADDING)} AND starts_with({text}, '{_PADDING}')"
    return f"lower(CASE WHEN {padded} THEN substr({text}, {len(_PADDING) + 1}) ELSE {text} END)"


def with_stored_forms(keys: pa.Table) -> pa.Table:
    """A table of keys with each trace's id in every form in which it may be stored, so that it is
    compared with what is stored: to bring each stored id into one form costs as much as a scan.
    """
    ids = keys.column("trace_id")
    short = pc.equal(pc.binary_length(ids), len(_PADDING))
    padded = keys.filter(short)
    padded = padded.set_column(
        0, "trace_id", pc.utf8_lpad(padded.column("trace_id"), 2 * len(_PADDING), "0")
    )
    every = pa.concat_tables([keys, padded])
    upper = pc.utf8_upper(every.column("trace_id"))
    differs = pc.not_equal(upper, every.column("trace_id"))
    return pa.concat_tables([every, every.set_column(0, "trace_id", upper).filter(differs)])


class SpanParts:
    """The expressions. A part whose fields no source has is a typed NULL."""

    def __init__(self, names: SpanNames, fields_sql: Mapping[str, FieldSql]) -> None:
        self._names = names
        self._fields_sql = fields_sql

    @property
    def trace_id(self) -> str:
        """SQL VARCHAR: the trace's id in its common form; NULL: the event is in no trace."""
        return common_form_sql(self.stored_trace_id)

    @property
    def stored_trace_id(self) -> str:
        """SQL VARCHAR: the trace's id as it is stored."""
        return self._text(self._names.trace_id)

    @property
    def stored_trace_ids(self) -> list[str]:
        """SQL VARCHARs: the id in each field that may hold one."""
        return [one.text for one in self._held(self._names.trace_id)]

    @property
    def span_id(self) -> str:
        """SQL VARCHAR."""
        return self._text(self._names.span_id)

    @property
    def parent_id(self) -> str:
        """SQL VARCHAR. An empty text stands for none."""
        text = self._text(self._names.parent_id)
        return text if text.startswith("NULL") else f"nullif({text}, '')"

    @property
    def name(self) -> str:
        """SQL VARCHAR."""
        return self._text(self._names.name)

    @property
    def service(self) -> str:
        """SQL VARCHAR."""
        return self._text(self._names.service)

    @property
    def annotation(self) -> str:
        """SQL VARCHAR: what an event is that is no finished span."""
        text = self._text(self._names.annotation)
        return text if text.startswith("NULL") else f"nullif({text}, '')"

    @property
    def duration_ms(self) -> str:
        """SQL DOUBLE."""
        held = [one.number for one in self._held(self._names.duration_ms) if one.is_numeric]
        return f"coalesce({', '.join(held)})::DOUBLE" if held else "NULL::DOUBLE"

    @property
    def error(self) -> str:
        """SQL BOOLEAN, never NULL: the field says so, or OTLP's status does.

        A text is an error unless it is empty, `false` or `0`.
        """
        found: list[str] = []
        for one in self._held(self._names.error):
            if one.has(FieldType.BOOL):
                found.append(one.column(FieldType.BOOL))
            found += [f"{one.column(t)} <> 0" for t in _NUMBERS if one.has(t)]
            if one.has(FieldType.STRING):
                found.append(f"lower({one.column(FieldType.STRING)}) NOT IN {_FALSE_TEXTS}")
            if one.has(FieldType.JSON):
                found.append(f"{one.column(FieldType.JSON)} IS NOT NULL")
        own = f"coalesce({', '.join([*found, 'FALSE'])})"
        status = [
            f"coalesce({one.column(t)} = {_OTLP_ERROR}, FALSE)"
            for one in self._held(self._names.status)
            for t in _NUMBERS
            if one.has(t)
        ]
        return f"({' OR '.join([own, *status])})"

    @property
    def is_span(self) -> str:
        """SQL BOOLEAN, never NULL: the event is a span of its own."""
        return f"({self.annotation} IS NULL AND {self.span_id} IS NOT NULL)"

    @property
    def is_root(self) -> str:
        """SQL BOOLEAN, never NULL: a span without a parent."""
        return f"({self.is_span} AND {self.parent_id} IS NULL)"

    def _held(self, names: Iterable[str]) -> Sequence[FieldSql]:
        found = [self._fields_sql[name] for name in names]
        return [one for one in found if one.types]

    def _text(self, names: Iterable[str]) -> str:
        texts = [one.text for one in self._held(names)]
        if len(texts) == 1:  # a bare column where there is one (see `FieldSql`)
            return texts[0]
        return f"coalesce({', '.join(texts)})" if texts else "NULL::VARCHAR"


_NUMBERS: Final = (FieldType.INT, FieldType.FLOAT)


def in_some_trace(names: SpanNames, trace_ids: Sequence[str] | None) -> Filter:
    """The condition that an event has the id of a trace, or one of these.

    Where several fields hold ids it also holds for an event of which only a later one has it.
    """
    if trace_ids is None:
        each = [Filter(name, FilterOp.EXISTS) for name in names.trace_id]
    else:
        each = [Filter(name, FilterOp.IN, tuple(trace_ids)) for name in names.trace_id]
    return Filter("", FilterOp.ANY_OF, (), tuple(each))


def json_value_sql(field: FieldSql) -> str:
    """SQL VARCHAR: a field's value as JSON, with its stored type; NULL where it is missing."""
    found: list[str] = []
    if field.has(FieldType.STRING):
        found.append(f"to_json({field.column(FieldType.STRING)})::VARCHAR")
    if field.has(FieldType.JSON):
        found.append(field.column(FieldType.JSON))
    if field.has(FieldType.INT):
        found.append(f"{field.column(FieldType.INT)}::VARCHAR")
    if field.has(FieldType.FLOAT):
        real = field.column(FieldType.FLOAT)
        found.append(f"CASE WHEN isfinite({real}) THEN to_json({real})::VARCHAR END")
    if field.has(FieldType.BOOL):
        found.append(f"{field.column(FieldType.BOOL)}::VARCHAR")
    return f"coalesce({', '.join(found)})" if found else "NULL::VARCHAR"
