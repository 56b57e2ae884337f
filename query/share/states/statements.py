"""The statements of a share: each returns one state, a table with one row per cell.

A cell is a group, in series a group and a step. Its columns are the parts of the group's keys that
occur, `k<i>_n` (whole numbers), `k<i>_f` (others), `k<i>_b`, `k<i>_s` (texts and JSON), all NULL
where the field is missing, and in series `b`, the index of the step. Programs of the first versions
expect `n`, the number of rows. Then per need:
- a<i>_w: the weight; for numbers also `_isum` (exact, weighted), `_fsum` (compensated), `_imin`,
  `_imax`, `_fmin`, `_fmax`; for fields `_last` (latest time of an event with the field) and `_top`
  (frequent values, as tagged keys, truncated)
- a<i>_h: list of the smallest hashes of the distinct values, ascending
- a<i>_v, a<i>_vw: lists of the distinct numbers and their weights, or
  a<i>_e, a<i>_ew: of the buckets that hold them (`query.share.states.buckets`)
- a<i>_g, a<i>_gw: lists of the bins of a heatmap and their weights (`query.share.states.heatmap`)
- a<i>_o, a<i>_os, a<i>_oe: lists of parts of steps, and of how many spans start and end in them, in
  states of their own, by group (`query.share.states.concurrency`)
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from common import limits
from common.process.versions import PLAN_VALUE_HASHES
from query.expressions.sql.values import in_64_bits
from query.plan.parts.conditions import Filter
from query.plan.plan import Need, Plan, RowPosition, RowsWanted, State
from query.share.sources.field_sql import FieldSql, tagged_key
from query.share.sources.filters import Parameters, condition
from query.share.sources.sources import POSITION, Sources
from query.share.states.buckets import bucket_sql
from query.share.states.distinct import ROWS, VALUE, WHOLE
from query.share.states.heatmap import bin_sql
from query.share.states.masks import Masks
from segment.columns import FieldType

WANTED = "wanted"
FIRST_HASH_VERSION: Final = 1  # low 64 bits of the MD5 of the tagged key
HASH_VERSION: Final = 2  # XXH64 (`query.share.states.value_hashes`)
# what no columns of `main` are
_APART: Final = (State.DISTINCT, State.QUANTILE, State.HEATMAP, State.CONCURRENCY)
_HASHED_TEXT_BYTES_MAX: Final = 1_024  # of longer ones the SHA-256 is hashed


def hash_version(version: int) -> int:
    """The version of the hashes in states of a version."""
    return HASH_VERSION if version >= PLAN_VALUE_HASHES else FIRST_HASH_VERSION


def step_base_ns(plan: Plan) -> int:
    """Start of the step that includes the plan's start: steps begin at multiples of their width."""
    assert plan.step_ns is not None
    return plan.start_ns // plan.step_ns * plan.step_ns


class _Aggregate(NamedTuple):
    """A column of a cell. sql: over its rows. again: over the columns of finer groups."""

    name: str
    sql: str
    again: str


class Statements:
    """SQL statements of a plan over its sources; `parameters` are bound to each of them.

    masks: which of the rows match the filters of needs.
    """

    def __init__(
        self,
        plan: Plan,
        sources: Sources,
        hash_version: int = HASH_VERSION,
        wanted: str = WANTED,
    ) -> None:
        """wanted: name of the table of wanted groups."""
        self._plan = plan
        self._wanted = wanted
        self._hash_version = hash_version
        self._fields_sql = sources.fields_sql
        self._parameters = Parameters()
        self._rows = sources.sql
        self._matching = self._conditions()
        self.masks = Masks(plan.needs, sources.fields_sql, self._parameters)
        self._chosen = self._picked()
        self._with = f"WITH picked AS ({self._chosen})"

    @property
    def parameters(self) -> list[str]:
        """Values to bind to each statement."""
        return self._parameters.values

    @property
    def picked(self) -> str:
        """The rows that match, with the columns of the sources."""
        return self._chosen

    def all_match(self, filters: Sequence[Filter]) -> str:
        """SQL BOOLEAN, never NULL: a picked row matches all of these filters too."""
        every = [condition(f, self._fields_sql, self._parameters, exact=True) for f in filters]
        return " AND ".join(every) or "TRUE"

    def main(self) -> str:
        """Every cell with its counts and sums."""
        aggregates = self._all_aggregates()
        selected = [*self._cell_columns().values(), *(f"{a.sql} AS {a.name}" for a in aggregates)]
        # a common table expression takes longer to plan
        return f"SELECT {', '.join(selected)} FROM ({self._chosen}) picked{self._by_cell()}"

    def distinct(self, need: Need, *, with_main: bool) -> str:
        """Groups by cell and value (`query.share.states.distinct`), where cells have columns.

        If wanted, rows of the cells alone are among them, with the columns of `main`: one scan
        makes both.
        """
        field_sql = self.field_sql(need)
        parts = self._value_parts(need)
        cells = self._cell_columns()
        keyed = [*cells.values(), *(f"{sql} AS {name}" for name, sql in parts.items())]
        where = "" if with_main else f" WHERE {self.masks.holds(need, field_sql.exists)}"
        selected = [*cells, *self._value_columns(list(parts))]
        groups = ", ".join([*cells, *parts])
        if with_main:
            selected += [f"{a.sql} AS {a.name}" for a in self._all_aggregates()]
            selected.append(f"grouping({next(iter(parts))}) AS {WHOLE}")
            groups = f"GROUPING SETS (({groups}), ({', '.join(cells)}))"
        return (
            f"{self._with}, keyed AS (SELECT *, {', '.join(keyed)} FROM picked{where})"
            f" SELECT {', '.join(selected)} FROM keyed GROUP BY {groups}"
        )

    @property
    def hashes_once(self) -> bool:
        """Whether a hash is so dear that each value is hashed once."""
        return self._hash_version == FIRST_HASH_VERSION

    def values(self, need: Need, *, grouped: bool) -> str:
        """The value of each row, missing ones too; grouped: each once, with the number `n` of rows.

        To hash each row's value costs less than to group by values that are many, and more than to
        group by few.
        """
        parts = self._value_parts(need)
        keyed = f"SELECT {', '.join(f'{sql} AS {name}' for name, sql in parts.items())} FROM picked"
        selected = self._value_columns(list(parts))
        if grouped:
            groups = f"SELECT *, count(*) AS {ROWS} FROM ({keyed}) GROUP BY ALL"
            return f"{self._with} SELECT {', '.join([*selected, ROWS])} FROM ({groups})"
        return f"{self._with} SELECT {', '.join(selected)} FROM ({keyed})"

    def _value_parts(self, need: Need) -> dict[str, str]:
        """The parts of the values of a need's field: name -> SQL."""
        parts = self.field_sql(need).key_parts
        return {f"g_{name}": self.masks.value(need, sql) for name, sql in parts.items()}

    def _value_columns(self, parts: Sequence[str]) -> list[str]:
        """The columns of a value out of which it is hashed, or its hash (`VALUE`)."""
        kinds = {name.removeprefix("g_"): name for name in parts}
        if self._hash_version == FIRST_HASH_VERSION:
            return [f"md5_number_lower({tagged_key(kinds)}) AS {VALUE}h"]
        columns = {kind: name for kind, name in kinds.items() if kind != "s"}
        if "s" in kinds:  # long texts are not moved
            short = f"strlen({kinds['s']}) <= {_HASHED_TEXT_BYTES_MAX}"
            long = f"'sha256:' || sha256({kinds['s']})"
            columns["s"] = f"CASE WHEN {short} THEN {kinds['s']} ELSE {long} END"
        return [f"{sql} AS {VALUE}{kind}" for kind, sql in columns.items()]

    def numbers(
        self,
        index: int,
        need: Need,
        *,
        in_buckets: bool,
        with_main: bool,
        pairs_most: int | None = None,
    ) -> str:
        """The numbers of each cell with their weights; if wanted with the columns of `main`.

        pairs_most: number of cells and of pairs of a cell and a number after which the rest is left
        out, so that what is listed is bounded; None: nothing is.
        """
        number = self.field_sql(need).number
        name, value = ("e", bucket_sql(number)) if in_buckets else ("v", number)
        bound = "" if pairs_most is None else f" LIMIT {pairs_most:d}"
        return self._weighted((f"a{index}_{name}", value), need, bound, with_main=with_main)

    def heatmap(self, index: int, need: Need, width: int, *, with_main: bool) -> str:
        """The bins of each cell with their weights; if wanted with the columns of `main`.

        width: of the bins (`bin_sql`).
        """
        value = bin_sql(self.field_sql(need).number, width)
        return self._weighted((f"a{index}_g", value), need, "", with_main=with_main)

    def _weighted(self, column: tuple[str, str], need: Need, bound: str, *, with_main: bool) -> str:
        """Lists of what numbers become, and of their weights. column: its name, and its SQL."""
        name, value = column
        held = "FILTER (WHERE q_value IS NOT NULL)"
        lists = {name: f"list(q_value) {held}", f"{name}w": f"list(q_w) {held}"}
        weight = [_Aggregate("q_w", "sum(r)::BIGINT", "")]
        where = self.masks.holds(need, f"{self.field_sql(need).number} IS NOT NULL")
        extra = {"q_value": self.masks.value(need, value)}
        finer = self._finer(extra, weight, where, with_main=with_main)
        return f"{self._with} {self._by_cells(lists, f'({finer}{bound})', with_main=with_main)}"

    @property
    def probed_rows(self) -> int:
        """Number of rows that `probe` reads at most."""
        return 2 * limits.QUANTILE_EXACT_PAIRS_MAX

    def probe(self, need: Need) -> str:
        """The number of distinct (cell, number) pairs in some of the rows."""
        number = self.field_sql(need).number
        held = self.masks.holds(need, f"{number} IS NOT NULL")
        columns = ", ".join([*self._cell_columns().values(), f"{number} AS v"])
        return (
            f"{self._with} SELECT count(*) AS pairs FROM (SELECT DISTINCT * FROM"
            f" (SELECT {columns} FROM picked WHERE {held} LIMIT {self.probed_rows}))"
        )

    def some_bins(self, need: Need, rows: int) -> str:
        """The bins `b` of so many of the rows."""
        number = self.field_sql(need).number
        held = self.masks.holds(need, f"{number} IS NOT NULL")
        some = f"SELECT {bin_sql(number)} AS b FROM picked WHERE {held} LIMIT {rows:d}"
        return f"{self._with} SELECT DISTINCT b FROM ({some}) WHERE b IS NOT NULL"

    def field_sql(self, need: Need) -> FieldSql:
        """The SQL expressions of a need's field."""
        assert need.field is not None
        return self._fields_sql[need.field]

    def first_rows(self, wanted: RowsWanted, more: Sequence[str] = ()) -> str:
        """The first rows after a position: their positions, sample rates and sources.

        more: further columns of the sources.
        """
        direction = "ASC" if wanted.oldest else "DESC"
        order = ", ".join(f"{name} {direction}" for name in POSITION)
        return (
            f"SELECT {', '.join([*POSITION, 'r', 's', 'n', *more])} {self._from_rows(wanted)}"
            f" ORDER BY {order} LIMIT {wanted.limit:d}"
        )

    def some_rows(self, wanted: RowsWanted, rows_max: int) -> str:
        """Rows after a position with every column of the sources, in any order, at most so many."""
        return f"SELECT * {self._from_rows(wanted)} LIMIT {rows_max:d}"

    def _from_rows(self, wanted: RowsWanted) -> str:
        """The rows that match after a position."""
        after = "TRUE" if wanted.after is None else _follows(wanted.after, wanted.oldest)
        return f"FROM ({self._rows}) src WHERE ({self._matching}) AND {after}"

    @property
    def cell_names(self) -> list[str]:
        """Names of the columns of a cell."""
        return list(self._cell_columns())

    @property
    def cell_columns(self) -> dict[str, str]:
        """The columns of a cell: name -> SQL with the name."""
        return self._cell_columns()

    def wanted_parts(self) -> list[str]:
        """Names of the columns of the table WANTED, in which each row is a wanted group."""
        return [
            f"k{i}_{name}"
            for i, field in enumerate(self._plan.breakdowns)
            for name in self._fields_sql[field].key_parts
        ]

    def _conditions(self) -> str:
        conditions = [condition(f, self._fields_sql, self._parameters) for f in self._plan.filters]
        return (" OR " if self._plan.any_filter else " AND ").join(conditions) or "TRUE"

    def _picked(self) -> str:
        join = ""
        if self._plan.groups is not None and self._plan.breakdowns:
            pairs = [
                f"{sql} IS NOT DISTINCT FROM w.k{i}_{name}"
                for i, field in enumerate(self._plan.breakdowns)
                for name, sql in self._fields_sql[field].key_parts.items()
            ]
            join = f" JOIN {self._wanted} w ON {' AND '.join(pairs) or 'TRUE'}"
        every = "src.* REPLACE (1::BIGINT AS r)" if self._plan.unweighted else "src.*"
        selected = ", ".join([every, *self.masks.columns])
        return f"SELECT {selected} FROM ({self._rows}) src{join} WHERE {self._matching}"

    def _cell_columns(self) -> dict[str, str]:
        """The columns of a cell: name -> SQL with the name."""
        columns = {
            f"k{i}_{name}": f"{sql} AS k{i}_{name}"
            for i, field in enumerate(self._plan.breakdowns)
            for name, sql in self._fields_sql[field].key_parts.items()
        }
        if self._plan.step_ns is not None:
            base = step_base_ns(self._plan)
            wide = "" if self._plan.end_ns - base < 2**63 else "::HUGEINT"  # t - base may not fit
            columns["b"] = f"((t{wide} - {base:d}) // {self._plan.step_ns:d})::BIGINT AS b"
        return columns

    def _by_cell(self) -> str:
        names = ", ".join(self._cell_columns())
        if names:
            return f" GROUP BY {names}"
        # without rows there is no group, but totals of everything are one cell
        return " HAVING count(*) > 0" if self._plan.breakdowns else ""

    def _finer(
        self, extra: dict[str, str], finer: list[_Aggregate], where: str, *, with_main: bool
    ) -> str:
        """Groups by cell and `extra`; if wanted of all rows, with the columns of `main`."""
        aggregates = [*(self._all_aggregates() if with_main else []), *finer]
        selected = [
            *self._cell_columns().values(),
            *(f"{sql} AS {name}" for name, sql in extra.items()),
            *(f"{a.sql} AS {a.name}" for a in aggregates),
        ]
        kept = "" if with_main else f" WHERE {where}"
        return f"SELECT {', '.join(selected)} FROM picked{kept} GROUP BY ALL"

    def _by_cells(self, lists: dict[str, str], source: str, *, with_main: bool) -> str:
        """The cells of finer groups, with lists of what they have."""
        selected = [
            *self._cell_columns(),
            *(f"{a.again} AS {a.name}" for a in (self._all_aggregates() if with_main else [])),
            *(f"{sql} AS {name}" for name, sql in lists.items()),
        ]
        return f"SELECT {', '.join(selected)} FROM {source}{self._by_cell()}"

    def _all_aggregates(self) -> list[_Aggregate]:
        found: list[_Aggregate] = []
        for index, need in enumerate(self._plan.needs):
            found += self._aggregates(f"a{index}", need)
        # programs of the first versions expect the rows; otherwise they are moved for nothing
        if self._hash_version == FIRST_HASH_VERSION or not (found or self._cell_columns()):
            found.insert(0, _Aggregate(ROWS, "count(*)", f"sum({ROWS})::BIGINT"))
        return found

    def _aggregates(self, name: str, need: Need) -> list[_Aggregate]:
        if need.state in _APART:
            return []
        only = self.masks.only(need)
        if need.field is None:
            return [_weight(name, "r", only)]
        field_sql = self._fields_sql[need.field]
        if need.state is State.COUNT:
            return [_weight(name, _rate_where(field_sql.exists), only)]
        if need.state is State.FIELD:
            return _field_aggregates(name, field_sql)
        found = [_weight(name, _rate_where(field_sql.has_number), only)]
        if field_sql.has_whole:
            whole = field_sql.whole
            wide = "" if _fits_weighted(field_sql) else "::HUGEINT"
            found += [
                _Aggregate(
                    f"{name}_isum",
                    f"(sum(({whole}){wide} * r){only})::DECIMAL(38, 0)",
                    f"sum({name}_isum)::DECIMAL(38, 0)",
                ),
                _end(f"{name}_imin", "min", whole, only),
                _end(f"{name}_imax", "max", whole, only),
            ]
        if field_sql.has_real:
            real = field_sql.real
            found += [
                _Aggregate(f"{name}_fsum", f"fsum(({real}) * r){only}", f"fsum({name}_fsum)"),
                _end(f"{name}_fmin", "min", real, only),
                _end(f"{name}_fmax", "max", real, only),
            ]
        return found


def _rate_where(condition: str) -> str:
    """SQL BIGINT: the sample rate of rows for which a condition holds."""
    return "r" if condition == "TRUE" else f"CASE WHEN {condition} THEN r END"


def _fits_weighted(field_sql: FieldSql) -> bool:
    """Whether each whole number times a sample rate is known to fit 64 bits."""
    span, most = field_sql.span, limits.SAMPLE_RATE_MAX
    if span is None or field_sql.has(FieldType.BOOL):
        return False
    return in_64_bits((span[0] * most, span[1] * most))


def _weight(name: str, rate: str, only: str = "") -> _Aggregate:
    return _Aggregate(f"{name}_w", f"(sum({rate}){only})::BIGINT", f"sum({name}_w)::BIGINT")


def _end(name: str, function: str, value: str, only: str) -> _Aggregate:
    return _Aggregate(name, f"{function}({value}){only}", f"{function}({name})")


def _field_aggregates(name: str, field_sql: FieldSql) -> list[_Aggregate]:
    """Of a plan for details of fields, which has no lists: never aggregated again."""
    cut = f"left({field_sql.key}, {limits.FIELD_SAMPLE_CHARS_MAX + 2:d})"  # the tag, one more
    held = f"FILTER (WHERE {field_sql.exists})"
    top = f"approx_top_k({cut}, {limits.FIELD_SAMPLES_MAX:d}) {held}"
    return [
        _weight(name, _rate_where(field_sql.exists)),
        _Aggregate(f"{name}_last", f"max(CASE WHEN {field_sql.exists} THEN t END)::BIGINT", ""),
        _Aggregate(f"{name}_top", top, ""),
    ]


def _follows(position: RowPosition, oldest: bool) -> str:
    """SQL BOOLEAN: the row comes after the position, in lexicographic order."""
    sign, sql = ">" if oldest else "<", "FALSE"
    for name, value in reversed(list(zip(POSITION, position, strict=True))):
        sql = f"({name} {sign} {value:d} OR ({name} = {value:d} AND {sql}))"
    return sql
