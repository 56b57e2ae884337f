"""The distributions of fields inside and outside of a selection: which statements are run.

First the events of both sides are counted; that decides whether all of them are read or a part that
is drawn at random (`common/limits/differences.py`). Then a statement per few fields counts values,
or, of few events, reads them (`query.share.differences.counted`).
The states are `main` (a row per side), and `values` or `sample` (`query.share.differences.sql`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import pyarrow as pa

from common import limits
from query.plan.plan import DifferencesWanted, Plan
from query.share.differences.counted import (
    count_values,
    keys_and_numbers,
    read_columns,
    reads_at_once,
)
from query.share.differences.sql import (
    EMPTY_VALUES,
    Counting,
    Drawn,
    Weights,
    counted_sides,
    events_of_sides,
    probed_values,
    sampled_events,
    values_of_fields,
)
from query.share.sources.field_sql import FieldSql
from query.share.sources.sources import Sources
from query.share.states.statements import Statements

Gather = Callable[[Sequence[str]], tuple[Plan, Sources]]
Ask = Callable[[str, list[str], Mapping[str, pa.Table]], pa.Table]
_WHOLE: Final = Drawn(1.0, 1.0)


class _Sides(NamedTuple):
    """Numbers of stored events inside and outside."""

    inside: int
    outside: int

    @property
    def both(self) -> int:
        """All events of the query."""
        return self.inside + self.outside

    def part(self, inside_most: int, outside_most: int) -> Drawn:
        """The chances that draw about so many events of each side."""
        return Drawn(
            min(1.0, inside_most / max(1, self.inside)),
            min(1.0, outside_most / max(1, self.outside)),
        )


class Distributions:
    """Computes the states of a request, once. types: by field, the letters of its types."""

    def __init__(
        self, wanted: DifferencesWanted, gather: Gather, ask: Ask, hash_version: int
    ) -> None:
        """gather: the sources of the query's events with these fields. ask: runs a statement."""
        self._wanted = wanted
        self._gather = gather
        self._ask = ask
        self._hash_version = hash_version
        self._weights = Weights(1.0, 1.0)
        self.types: dict[str, str] = {}

    def run(self) -> dict[str, pa.Table]:
        """The states. Raises as `Computation.run` does."""
        sources, statements = self._over(())
        main = self._table(counted_sides(statements, self._wanted), statements, sources)
        counted = {row["inside"]: row for row in main.to_pylist()}
        rows = {side: row["rows"] for side, row in counted.items()}
        sides = _Sides(rows.get(True, 0), rows.get(False, 0))
        weights = {side: float(max(1, row["w"])) for side, row in counted.items()}
        self._weights = Weights(weights.get(True, 1.0), weights.get(False, 1.0))
        if self._wanted.sample:
            return {"main": main, "sample": self._sample(sides)}
        tables = list(self._values(sides)) if sides.both else []
        return {"main": main, "values": pa.concat_tables([EMPTY_VALUES, *tables])}

    def _values(self, sides: _Sides) -> Iterator[pa.Table]:
        fields, at_once = self._wanted.fields, limits.DIFFERENCES_FIELDS_AT_ONCE
        if sides.both <= limits.DIFFERENCES_SMALL:
            yield from self._few_rows(sides)
            return
        drawn = _drawn(sides, len(fields))
        for first in range(0, len(fields), at_once):
            some = fields[first : first + at_once]
            sources, statements = self._over(some)
            held = {
                first + at: sources.fields_sql[name]
                for at, name in enumerate(some)
                if sources.fields_sql[name].types
            }
            if not held:
                continue
            counting = self._counting(statements, sources, held, sides, drawn)
            sql = values_of_fields(statements, self._wanted, counting)
            yield self._table(sql, statements, sources).cast(EMPTY_VALUES.schema)

    def _few_rows(self, sides: _Sides) -> Iterator[pa.Table]:
        first = 0
        for some in reads_at_once(self._wanted.fields, sides.both):
            sources, statements = self._over(some)
            held = {
                first + at: sources.fields_sql[name]
                for at, name in enumerate(some)
                if sources.fields_sql[name].types
            }
            first += len(some)
            if held:
                sql = events_of_sides(statements, self._wanted, read_columns(held))
                yield count_values(self._table(sql, statements, sources), held, self._weights)

    def _counting(
        self,
        statements: Statements,
        sources: Sources,
        held: Mapping[int, FieldSql],
        sides: _Sides,
        drawn: Drawn,
    ) -> Counting:
        """How these fields are counted, by how many values each has."""
        small = limits.DIFFERENCES_SMALL
        of_many = sides.part(small, small)
        of_many = Drawn(
            min(1.0, of_many.inside / drawn.inside), min(1.0, of_many.outside / drawn.outside)
        )
        probed = self._table(probed_values(statements, held), statements, sources).to_pylist()[0]
        texts, numbers = set[int](), set[int]()
        for field in held:
            if (probed[f"s{field}"] or 0) > limits.DIFFERENCES_TEXTS_FEW:
                texts.add(field)
            if (probed[f"n{field}"] or 0) > limits.DIFFERENCES_NUMBERS_FEW:
                numbers.add(field)
        return Counting(held, drawn, of_many, frozenset(texts), frozenset(numbers), self._weights)

    def _sample(self, sides: _Sides) -> pa.Table:
        sources, statements = self._over(self._wanted.fields)
        fields = {at: sources.fields_sql[name] for at, name in enumerate(self._wanted.fields)}
        drawn = sides.part(self._wanted.sample, self._wanted.sample)
        sql = sampled_events(statements, self._wanted, read_columns(fields), drawn)
        return keys_and_numbers(self._table(sql, statements, sources), fields)

    def _over(self, fields: Sequence[str]) -> tuple[Sources, Statements]:
        plan, sources = self._gather(fields)
        for field, field_sql in sources.fields_sql.items():
            self.types[field] = "".join(sorted(field_sql.types))
        return sources, Statements(plan, sources, self._hash_version)

    def _table(self, sql: str, statements: Statements, sources: Sources) -> pa.Table:
        return self._ask(sql, statements.parameters, sources.tables)


def _drawn(sides: _Sides, fields: int) -> Drawn:
    """The chances by which values of so many fields are counted: half of the room for each side,
    or what the smaller one leaves.
    """
    room = max(2 * limits.DIFFERENCES_DRAWN_MIN, limits.DIFFERENCES_VALUES_MAX // max(1, fields))
    if sides.both <= room:
        return _WHOLE
    inside = min(sides.inside, max(room // 2, room - sides.outside))
    return sides.part(inside, room - inside)
