"""Values of one field that begin with a prefix, in any case: for completion."""

from collections.abc import Callable, Sequence

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from common import limits
from indexer.fields.of_source import Times
from query.wire.field_facts import TEXTS, FieldFacts, TypeFacts, Value
from segment.columns import ColumnBlock, ColumnKey, FieldType
from segment.summary.sizes import VALUE_BYTES_MAX


def with_prefix(facts: Sequence[FieldFacts], prefix: str) -> list[FieldFacts]:
    """The facts with only the values that begin so."""
    begin = prefix.casefold()
    return [
        msgspec.structs.replace(
            one, values=[item for item in one.values if text_of(item[1]).startswith(begin)]
        )
        for one in facts
    ]


def values_of_block(
    block: ColumnBlock,
    name: str,
    prefix: str,
    times: Times,
    may_look: Callable[[int], bool],
) -> list[FieldFacts]:
    """The facts of a field of live rows, with the most frequent values that begin so.

    may_look: whether so many values may be looked at; else they are counted only.
    """
    found = FieldFacts(name, {}, first_ns=times.first_ns, last_ns=times.last_ns)
    for field_type in FieldType:
        column = block.columns.get(ColumnKey(name, field_type))
        if column is None:
            continue
        letter, rows = field_type.value, len(column.rows)
        found.types[letter] = TypeFacts(rows)
        if not may_look(rows):
            found.unread += rows
            found.others = True
            continue
        some = _counted(column.values, letter, prefix)
        found.others = found.others or len(some) > limits.FIELD_VALUES_MAX
        found.values += some[: limits.FIELD_VALUES_MAX]
    return [found] if found.types else []


def _counted(values: pa.Array, letter: str, prefix: str) -> list[tuple[str, Value, int]]:
    """The distinct values with their numbers, the most frequent first."""
    if letter in TEXTS:
        if prefix:
            values = values.filter(pc.starts_with(values, prefix, ignore_case=True))
        values = values.filter(pc.less_equal(pc.binary_length(values), VALUE_BYTES_MAX))
    counts = pc.value_counts(values)
    begin = prefix.casefold()
    pairs = zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True)
    found = [(letter, value, count) for value, count in pairs if text_of(value).startswith(begin)]
    return sorted(found, key=lambda item: -item[2])


def text_of(value: Value) -> str:
    """The value as it is typed, in one case."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).casefold()
