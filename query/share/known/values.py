"""Whether each row of the sources has a value of a column, and between which integers they are.

What is known of single sources is put together. An answer never depends on it: SQL that knows
computes the same values, only without branches for rows without one and for sums beyond 64 bits.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from query.expressions.sql.values import Span
from query.share.pruning.facts import SourceFacts
from segment.columns import ColumnKey, FieldType


class KnownValues(NamedTuple):
    """The values of one typed column in all rows.

    every: each row has one. span: no integer is less than the first or greater than the second;
    None: not known, or they are no integers.
    """

    every: bool = False
    span: Span | None = None


def known_values(
    keys: Iterable[ColumnKey], sources: Iterable[SourceFacts]
) -> dict[ColumnKey, KnownValues]:
    """What is known of these columns in the rows of all sources, of which any may be hidden."""
    every = [one for one in sources if one.rows]
    return {key: _known(key, every) for key in keys}


def _known(key: ColumnKey, sources: Iterable[SourceFacts]) -> KnownValues:
    whole, spans, is_bounded = True, list[Span](), key.type is FieldType.INT
    for source in sources:
        facts = source.columns.get(key)
        values = 0 if facts is None else facts.values
        whole = whole and values == source.rows
        if facts is None or values == 0:
            continue
        if isinstance(facts.low, int) and isinstance(facts.high, int):
            spans.append((facts.low, facts.high))
        else:
            is_bounded = False
    if not (spans and is_bounded):
        return KnownValues(whole)
    return KnownValues(whole, (min(low for low, _ in spans), max(high for _, high in spans)))


def columns_named(
    keys: Iterable[ColumnKey], known: Mapping[ColumnKey, KnownValues]
) -> dict[str, KnownValues]:
    """By field with one type, what is known of its values."""
    by_field: dict[str, list[ColumnKey]] = {}
    for key in keys:
        by_field.setdefault(key.field, []).append(key)
    return {name: known[some[0]] for name, some in by_field.items() if len(some) == 1}
