"""The statements of a share: each returns one state as rows that merge with a group-by.

Every result has the columns k0, k1, ... (tagged group keys, NULL: the field is missing) and `b`
(index of the series step, NULL for totals), then the state's own columns:
- main: n (rows), and per need i: `a<i>_w` weight; for numbers `a<i>_isum` (exact, weighted),
  `_fsum`, `_imin`, `_imax`, `_fmin`, `_fmax`; for quantiles `_many` (approximate number of values);
  for fields `_last` (latest time of an event with the field) and `_top` (frequent values, as tagged
  keys, truncated)
- distinct: h, the smallest hashes of the group's values
- quantile: v, w: values with their weights
"""

import math

from common import limits
from query.plan.plan import Need, Plan, RowPosition, RowsWanted, State
from query.share.field_sql import FieldSql, tagged_key
from query.share.filters import Parameters, condition
from query.share.sources import POSITION, Sources

WANTED = "wanted"
HASH_VERSION = 1  # low 64 bits of the MD5 of the tagged key
GAMMA = (1 + limits.QUANTILE_RELATIVE_ERROR) / (1 - limits.QUANTILE_RELATIVE_ERROR)


def step_base_ns(plan: Plan) -> int:
    """Start of the step that includes the plan's start: steps begin at multiples of their width."""
    assert plan.step_ns is not None
    return plan.start_ns // plan.step_ns * plan.step_ns


class Statements:
    """SQL statements of a plan over its sources; `parameters` are bound to each of them."""

    def __init__(self, plan: Plan, sources: Sources) -> None:
        self._plan = plan
        self._fields_sql = sources.fields_sql
        self._parameters = Parameters()
        self._with = f"WITH src AS ({sources.sql}), picked AS ({self._picked()})"

    @property
    def parameters(self) -> list[str]:
        """Values to bind to each statement."""
        return self._parameters.values

    def main(self) -> str:
        """Counts and sums of every group."""
        aggregates = ["count(*) AS n"]
        for index, need in enumerate(self._plan.needs):
            aggregates += self._aggregates(f"a{index}", need)
        return self._grouped(aggregates, "TRUE")

    def distinct(self, need: Need) -> str:
        """The smallest hashes of the values of each group."""
        field_sql = self.field_sql(need)
        hashed = self._grouped(
            [], field_sql.exists, extra={"h": f"md5_number_lower({field_sql.key})"}
        )
        keys = ", ".join([*self._key_names(), "b"])
        return (
            f"SELECT * FROM ({hashed}) QUALIFY"
            f" row_number() OVER (PARTITION BY {keys} ORDER BY h) <= {limits.DISTINCT_EXACT_MAX}"
        )

    def quantile(self, need: Need, exact: bool) -> str:
        """Values with weights; unless `exact`, the middle of its bucket replaces each value."""
        field_sql = self.field_sql(need)
        value = field_sql.number if exact else _bucket_middle(field_sql.number)
        return self._grouped(
            ["sum(r)::BIGINT AS w"], f"{field_sql.number} IS NOT NULL", extra={"v": value}
        )

    def field_sql(self, need: Need) -> FieldSql:
        """The SQL expressions of a need's field."""
        assert need.field is not None
        return self._fields_sql[need.field]

    def first_rows(self, wanted: RowsWanted) -> str:
        """The first rows after a position: their positions, sample rates and sources."""
        direction = "ASC" if wanted.oldest else "DESC"
        order = ", ".join(f"{name} {direction}" for name in POSITION)
        after = "TRUE" if wanted.after is None else _follows(wanted.after, wanted.oldest)
        return (
            f"{self._with} SELECT {', '.join(POSITION)}, r, s, n FROM picked WHERE {after}"
            f" ORDER BY {order} LIMIT {wanted.limit:d}"
        )

    def _key_names(self) -> list[str]:
        return [f"k{i}" for i in range(len(self._plan.breakdowns))]

    def _picked(self) -> str:
        conditions = [condition(f, self._fields_sql, self._parameters) for f in self._plan.filters]
        joined = (" OR " if self._plan.any_filter else " AND ").join(conditions) or "TRUE"
        join = ""
        if self._plan.groups is not None and self._plan.breakdowns:
            pairs = [
                f"coalesce({self._fields_sql[field].key}, '') = w.k{i}"
                for i, field in enumerate(self._plan.breakdowns)
            ]
            join = f" JOIN {WANTED} w ON {' AND '.join(pairs)}"
        return f"SELECT src.* FROM src{join} WHERE {joined}"

    def _grouped(
        self, aggregates: list[str], where: str, extra: dict[str, str] | None = None
    ) -> str:
        """Group the selected rows by key, step and `extra`; turn key parts into tagged keys."""
        inner: list[str] = []
        outer: list[str] = []
        for i, field in enumerate(self._plan.breakdowns):
            parts = self._fields_sql[field].key_parts
            inner += [f"{sql} AS g{i}_{name}" for name, sql in parts.items()]
            outer.append(f"{tagged_key({n: f'g{i}_{n}' for n in parts})} AS k{i}")
        if self._plan.step_ns is not None:
            base = step_base_ns(self._plan)
            wide = "" if self._plan.end_ns - base < 2**63 else "::HUGEINT"  # t - base may not fit
            inner.append(f"((t{wide} - {base:d}) // {self._plan.step_ns:d})::BIGINT AS b")
            outer.append("b")
        else:
            outer.append("NULL::BIGINT AS b")
        for name, sql in (extra or {}).items():
            inner.append(f"{sql} AS {name}")
            outer.append(name)
        outer += [a.rsplit(" AS ", 1)[1] for a in aggregates]
        group_by = " GROUP BY ALL" if inner else ""
        if self._plan.breakdowns and not inner:  # no row has the fields: one group at most
            group_by = " HAVING count(*) > 0"
        selected = ", ".join([*inner, *aggregates])
        return (
            f"{self._with} SELECT {', '.join(outer)} FROM"
            f" (SELECT {selected} FROM picked WHERE {where}{group_by})"
        )

    def _aggregates(self, name: str, need: Need) -> list[str]:
        if need.field is None:
            return [f"sum(r)::BIGINT AS {name}_w"]
        field_sql = self._fields_sql[need.field]
        if need.state in (State.COUNT, State.DISTINCT):
            return [f"sum(CASE WHEN {field_sql.exists} THEN r END)::BIGINT AS {name}_w"]
        if need.state is State.FIELD:
            cut = (
                f"left({field_sql.key}, {limits.FIELD_SAMPLE_CHARS_MAX + 2:d})"  # the tag, one more
            )
            held = f"FILTER (WHERE {field_sql.exists})"
            return [
                f"sum(CASE WHEN {field_sql.exists} THEN r END)::BIGINT AS {name}_w",
                f"max(CASE WHEN {field_sql.exists} THEN t END)::BIGINT AS {name}_last",
                f"approx_top_k({cut}, {limits.FIELD_SAMPLES_MAX:d}) {held} AS {name}_top",
            ]
        weight = f"sum(CASE WHEN {field_sql.number} IS NOT NULL THEN r END)::BIGINT AS {name}_w"
        if need.state is State.QUANTILE:
            return [weight, f"approx_count_distinct({field_sql.number})::BIGINT AS {name}_many"]
        whole, real = field_sql.whole, field_sql.real
        return [
            weight,
            f"sum(({whole})::HUGEINT * r)::DECIMAL(38, 0) AS {name}_isum",
            f"fsum(({real}) * r) AS {name}_fsum",
            f"min({whole}) AS {name}_imin",
            f"max({whole}) AS {name}_imax",
            f"min({real}) AS {name}_fmin",
            f"max({real}) AS {name}_fmax",
        ]


def _follows(position: RowPosition, oldest: bool) -> str:
    """SQL BOOLEAN: the row comes after the position, in lexicographic order."""
    sign, sql = ">" if oldest else "<", "FALSE"
    for name, value in reversed(list(zip(POSITION, position, strict=True))):
        sql = f"({name} {sign} {value:d} OR ({name} = {value:d} AND {sql}))"
    return sql


def _bucket_middle(value: str) -> str:
    """SQL DOUBLE within QUANTILE_RELATIVE_ERROR of the value, one per logarithmic bucket."""
    exponent = f"ceil(ln(abs({value})) / {math.log(GAMMA)!r})"
    middle = f"{2 / (GAMMA + 1)!r} * pow({GAMMA!r}, {exponent})"
    return f"CASE WHEN {value} = 0 THEN 0 ELSE sign({value}) * {middle} END"
