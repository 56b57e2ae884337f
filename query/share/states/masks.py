"""Filters of single needs: whether a row matches them is a column `m<i>` of the rows, which is
computed once for all aggregates that have the same filters.
"""

from collections.abc import Mapping, Sequence

from query.plan.parts.conditions import Filter
from query.plan.plan import Need
from query.share.sources.field_sql import FieldSql
from query.share.sources.filters import Parameters, condition

_Filters = tuple[tuple[Filter, ...], bool]


class Masks:
    """The columns. Without filters of needs there are none."""

    def __init__(
        self, needs: Sequence[Need], fields_sql: Mapping[str, FieldSql], parameters: Parameters
    ) -> None:
        self._names: dict[_Filters, str] = {}
        self._columns: list[str] = []
        for need in needs:
            key = need.filters, need.any_filter
            if not need.filters or key in self._names:
                continue
            joined = " OR " if need.any_filter else " AND "
            matching = joined.join(condition(f, fields_sql, parameters) for f in need.filters)
            self._names[key] = name = f"m{len(self._names)}"
            self._columns.append(f"({matching}) AS {name}")

    @property
    def columns(self) -> list[str]:
        """SQL of the columns, with their names."""
        return self._columns

    def name(self, need: Need) -> str | None:
        """The column of a need; None: it has no filters."""
        return self._names.get((need.filters, need.any_filter))

    def only(self, need: Need) -> str:
        """SQL after an aggregate, so that only rows of the need count."""
        name = self.name(need)
        return "" if name is None else f" FILTER (WHERE {name})"

    def value(self, need: Need, sql: str) -> str:
        """SQL of a value, NULL in rows that are not of the need."""
        name = self.name(need)
        return sql if name is None else f"CASE WHEN {name} THEN {sql} END"

    def holds(self, need: Need, sql: str) -> str:
        """SQL of a condition that also holds only in rows of the need."""
        name = self.name(need)
        return sql if name is None else f"({name} AND {sql})"
