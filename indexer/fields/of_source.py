"""The facts of one source: a segment's summary, a small segment, or a block of live rows."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pyarrow as pa

from common.errors import DamagedObject
from query.wire.field_facts import TEXTS, FieldFacts, TypeFacts, Value
from segment.columns import ColumnBlock, ColumnKey
from segment.columns.key import OVERFLOW, parse_physical
from segment.columns.overflow.overflow import decode_overflow
from segment.columns.segment_read import read_table, sparse
from segment.parquet.encoders import Encoders
from segment.summary.compute import summarize_column
from segment.summary.sizes import HASHES_MAX
from segment.summary.summary import ColumnSummary, SegmentSummary


class Times(NamedTuple):
    """Append times of the first and the last record of a source, unix ns."""

    first_ns: int
    last_ns: int


def facts_of_columns(
    columns: Iterable[tuple[ColumnKey, ColumnSummary]],
    times: Times,
    sizes: Mapping[str, int] | None = None,
) -> list[FieldFacts]:
    """Facts of columns. sizes: bytes of each in a segment by physical name; None: not stored."""
    by_field: dict[str, list[tuple[ColumnKey, ColumnSummary]]] = {}
    for key, summary in columns:
        if summary.rows:
            by_field.setdefault(key.field, []).append((key, summary))
    return [_field(name, some, times, sizes) for name, some in by_field.items()]


def facts_of_summary(
    summary: SegmentSummary, times: Times, sizes: Mapping[str, int] | None
) -> list[FieldFacts]:
    """Facts of a segment. Raises NoSummary."""
    columns = ((key, summary.column(key)) for key in summary.keys)
    some = ((key, column) for key, column in columns if column is not None)
    return facts_of_columns(some, times, sizes)


def facts_of_block(block: ColumnBlock, times: Times, encoders: Encoders) -> list[FieldFacts]:
    """Facts of live rows."""
    columns = (
        (key, summarize_column(key.type, column.values, encoders))
        for key, column in block.columns.items()
    )
    return facts_of_columns(columns, times)


def counts_of_block(block: ColumnBlock, times: Times) -> list[FieldFacts]:
    """Facts of live rows without their values."""
    by_field: dict[str, FieldFacts] = {}
    for key, column in block.columns.items():
        found = by_field.get(key.field)
        if found is None:
            found = by_field[key.field] = FieldFacts(
                key.field,
                {},
                others=True,
                few=False,
                first_ns=times.first_ns,
                last_ns=times.last_ns,
            )
        found.types[key.type.value] = TypeFacts(len(column.rows))
        found.unread += len(column.rows)
    return list(by_field.values())


def facts_of_small(data: bytes, times: Times, encoders: Encoders) -> list[FieldFacts]:
    """Facts of a segment whose SHA-256 was just checked. Raises DamagedObject."""
    table = read_table(data)
    columns: dict[ColumnKey, ColumnSummary] = {}
    for name in table.column_names:
        key = parse_physical(name)
        if key is not None:
            values = sparse(table.column(name), key.type.arrow).values
            columns[key] = summarize_column(key.type, values, encoders)
    if OVERFLOW in table.column_names:
        try:
            rest = decode_overflow(sparse(table.column(OVERFLOW), pa.large_string()))
        except (pa.ArrowException, ValueError) as error:
            raise DamagedObject(f"bad rest column: {error}") from error
        for key, column in rest.items():
            columns[key] = summarize_column(key.type, column.values, encoders)
    sizes = {key.physical: summary.size_bytes for key, summary in columns.items()}
    return facts_of_columns(columns.items(), times, sizes)


def _field(
    name: str,
    columns: Iterable[tuple[ColumnKey, ColumnSummary]],
    times: Times,
    sizes: Mapping[str, int] | None,
) -> FieldFacts:
    types: dict[str, TypeFacts] = {}
    values: list[tuple[str, Value, int]] = []
    hashes: list[bytes] = []
    others, few, distinct, stored, unread = False, True, 0, 0, 0
    for key, summary in columns:
        letter = key.type.value
        types[letter] = TypeFacts(
            summary.rows,
            summary.size_bytes,
            shown(letter, summary.low),
            shown(letter, summary.high),
        )
        for value, count in summary.values:
            text = shown(letter, value)
            if text is not None:
                values.append((letter, text, count))
        others = others or not summary.values_complete
        few = few and summary.distinct <= HASHES_MAX and len(summary.hashes) >= 8 * summary.distinct
        distinct += summary.distinct
        hashes.append(summary.hashes)
        if not summary.values and others:
            unread += summary.rows
        if sizes is not None:
            stored += sizes.get(key.physical, summary.size_bytes)
    values.sort(key=lambda item: -item[2])
    return FieldFacts(
        name, types, values, others, unread, b"".join(hashes), few, distinct, stored, *times
    )


def shown(letter: str, value: int | float | bool | bytes | None) -> Value | None:
    """A summary's value as it is sent; None for a text that is cut within a character."""
    if isinstance(value, bytes):
        text = value.decode("utf-8", "ignore")
        return text or ("" if not value else None)
    if letter in TEXTS or value is None:
        return None
    return value
