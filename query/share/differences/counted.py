"""Few events: the values of many fields are counted in Arrow.

A statement costs DuckDB milliseconds for each typed column that it groups by, however few the rows
are, and a wide dataset has thousands. So columns are only read by statements here, with no more
cells than `common/limits/differences.py` allows, and counted one by one where they have values.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from common import limits
from query.cancellation import check_cancelled
from query.share.differences.sql import EMPTY_VALUES, Weights
from query.share.sources.field_sql import FieldSql
from query.share.states.buckets import bucket_numbers
from segment.columns import FieldType

Array = npt.NDArray[Any]
_TEXTS: Final = (FieldType.STRING, FieldType.JSON)
_PARTS: Final = [(part, EMPTY_VALUES.schema.field(part).type) for part in ("e", *"nfbs")]
_INT64_END: Final = 2.0**63


def reads_at_once(fields: Sequence[str], rows: int) -> Iterator[Sequence[str]]:
    """Runs of the fields, so few that a statement may read all of these of so many rows."""
    texts = limits.DIFFERENCES_TEXT_CELLS_MAX // (len(_TEXTS) * max(1, rows))
    cells = limits.DIFFERENCES_CELLS_MAX // (len(FieldType) * max(1, rows))
    at_once = max(1, min(texts, cells, limits.DIFFERENCES_FIELDS_READ))
    for first in range(0, len(fields), at_once):
        yield fields[first : first + at_once]


def read_columns(fields: Mapping[int, FieldSql]) -> list[str]:
    """SQL of the columns `v<i>_<type>` that `count_values` needs; i: index in the request."""
    chars = limits.DIFFERENCES_TEXT_CHARS
    found = []
    for index, one in fields.items():
        for kind in sorted(one.types):
            sql = one.column(kind)
            sql = f"left({sql}, {chars:d})" if kind in _TEXTS else sql
            found.append(f"{sql} AS v{index}_{kind.value}")
    return found


def count_values(rows: pa.Table, fields: Mapping[int, FieldSql], weights: Weights) -> pa.Table:
    """The state `values` (`query.share.differences.sql`) of some fields; numbers by value and in
    buckets. rows: columns inside, r and those of `read_columns`; all events.
    """
    sides = _Sides(rows)
    tables = [EMPTY_VALUES]
    for index, one in fields.items():
        check_cancelled()
        columns = {kind: rows.column(f"v{index}_{kind.value}") for kind in one.types}
        tables += _Field(index, sides, weights).tables(columns)
    return pa.concat_tables(tables)


def keys_and_numbers(rows: pa.Table, fields: Mapping[int, FieldSql]) -> pa.Table:
    """The state `sample` (`query.share.differences.sql`). rows: as of `count_values`, some events
    without r.
    """
    columns = {"inside": rows.column("inside")}
    for index, one in fields.items():
        check_cancelled()
        keys, numbers = pa.nulls(len(rows), pa.string()), pa.nulls(len(rows), pa.float64())
        for kind in sorted(one.types):
            column = rows.column(f"v{index}_{kind.value}").combine_chunks()
            if column.null_count == len(column):
                continue
            keys = pc.coalesce(keys, _tagged(column, kind))
            if kind in (FieldType.INT, FieldType.FLOAT):
                numbers = pc.coalesce(numbers, column.cast(pa.float64(), safe=False))
        columns |= {f"k{index}": keys, f"x{index}": numbers}
    return pa.table(columns)


def _tagged(column: pa.Array, kind: FieldType) -> pa.Array:
    """Keys as `query.share.sources.field_sql.tagged_key` makes them, of a column."""
    tag = {FieldType.BOOL: "b", FieldType.INT: "n", FieldType.FLOAT: "n"}.get(kind, "s")
    if kind is not FieldType.FLOAT:
        texts = column.cast(pa.string())
    else:
        reals = column.fill_null(0.5).to_numpy(zero_copy_only=False)
        whole = _is_whole(reals)
        ints = pa.array(np.where(whole, reals, 0).astype(np.int64)).cast(pa.string())
        texts = pc.if_else(pa.array(whole), ints, column.cast(pa.string()))
    return pc.binary_join_element_wise(tag, texts, "")


def _is_whole(reals: Array) -> Array:
    """Whether each is a whole number that fits 64 bits: the same key as that integer."""
    found: Array = (reals >= -_INT64_END) & (reals < _INT64_END) & (reals == np.trunc(reals))
    return found


class _Sides:
    """Weights of rows inside and outside."""

    def __init__(self, rows: pa.Table) -> None:
        inside = rows.column("inside").fill_null(False).to_numpy()
        rates = rows.column("r").to_numpy().astype(np.float64)
        self.rows = len(rates)
        self.inside = np.where(inside, rates, 0.0)
        self.outside = np.where(inside, 0.0, rates)

    def sums(self, rows: Array, codes: Array, many: int) -> tuple[Array, Array]:
        """Weights of both sides by code. codes: of each of these rows, below `many`."""
        return (
            np.bincount(codes, self.inside[rows], many),
            np.bincount(codes, self.outside[rows], many),
        )


class _Field:
    """Counts the values of one field."""

    def __init__(self, index: int, sides: _Sides, weights: Weights) -> None:
        self._index = index
        self._sides = sides
        self._weights = weights

    def tables(self, columns: Mapping[FieldType, pa.ChunkedArray]) -> list[pa.Table]:
        """The rows of the state, of all of its typed columns."""
        held = {kind: _Held.of(columns[kind]) for kind in columns}
        whole, real = held.get(FieldType.INT), held.get(FieldType.FLOAT)
        numbers = _Numbers.of(whole, real)
        flags = held.get(FieldType.BOOL)
        texts = [held[kind] for kind in _TEXTS if kind in held]
        counted = list[_Counted]()
        if numbers is not None:
            counted += [
                self._distinct("n", numbers.whole_rows, numbers.whole),
                self._distinct("f", numbers.real_rows, numbers.real),
            ]
        if flags is not None:
            counted.append(self._distinct("b", flags.rows, np.asarray(flags.values)))
        if texts:
            counted.append(self._texts(texts))
        found = self._listed(counted, sum(len(one.rows) for one in held.values()))
        if numbers is not None and len(numbers.every):
            found.append(self._buckets(numbers))
        return found

    def _distinct(self, part: str, rows: Array, values: Array) -> "_Counted":
        distinct, codes = np.unique(values, return_inverse=True)
        return _Counted(part, pa.array(distinct), *self._sides.sums(rows, codes, len(distinct)))

    def _texts(self, held: Sequence["_Held"]) -> "_Counted":
        encoded = pa.chunked_array([one.values for one in held], held[0].values.type)
        encoded = encoded.combine_chunks().dictionary_encode()
        codes = encoded.indices.to_numpy(zero_copy_only=False)
        rows = np.concatenate([one.rows for one in held])
        texts = encoded.dictionary.cast(pa.string())
        return _Counted("s", texts, *self._sides.sums(rows, codes, len(texts)))

    def _listed(self, counted: Sequence["_Counted"], rows: int) -> list[pa.Table]:
        """The most frequent values of either side, what the others come to, and missing ones."""
        inside = np.concatenate([np.empty(0), *(one.inside for one in counted)])
        outside = np.concatenate([np.empty(0), *(one.outside for one in counted)])
        often = np.maximum(inside / self._weights.inside, outside / self._weights.outside)
        missing_in = self._sides.inside.sum() - inside.sum()
        missing_out = self._sides.outside.sum() - outside.sum()
        found = []
        if rows < self._sides.rows:
            found.append(self._rows([missing_in], [missing_out]))
        most = limits.DIFFERENCES_TEXTS_LISTED - len(found)
        kept = np.ones(len(often), bool)
        if len(often) > most:
            kept[np.argpartition(-often, most)[most:]] = False
            left = ~kept
            sums = [inside[left].sum()], [outside[left].sum()]
            found.append(self._rows(*sums, others=True, number=int(left.sum())))
        begin = 0
        for one in counted:
            some = np.flatnonzero(kept[begin : begin + len(one.inside)])
            begin += len(one.inside)
            if len(some):
                values = {one.part: one.values.take(pa.array(some))}
                found.append(self._rows(one.inside[some], one.outside[some], values=values))
        return found

    def _buckets(self, numbers: "_Numbers") -> pa.Table:
        buckets, codes = np.unique(bucket_numbers(numbers.every), return_inverse=True)
        sums = self._sides.sums(numbers.rows, codes, len(buckets))
        most = limits.DIFFERENCES_NUMBERS_LISTED
        if len(buckets) > most:
            often = np.maximum(sums[0] / self._weights.inside, sums[1] / self._weights.outside)
            kept = np.argpartition(-often, most)[:most]
            buckets, sums = buckets[kept], (sums[0][kept], sums[1][kept])
        return self._rows(*sums, again=True, values={"e": pa.array(buckets, pa.int32())})

    def _rows(
        self,
        inside: Any,
        outside: Any,
        *,
        again: bool = False,
        others: bool = False,
        number: int = 1,
        values: Mapping[str, pa.Array] | None = None,
    ) -> pa.Table:
        many = len(inside)
        given = values or {}
        columns = [
            pa.repeat(pa.scalar(self._index, pa.int32()), many),
            pa.repeat(again, many),
            pa.repeat(others, many),
            *(given[part] if part in given else pa.nulls(many, kind) for part, kind in _PARTS),
            pa.array(np.rint(inside).astype(np.int64)),
            pa.array(np.rint(outside).astype(np.int64)),
            pa.repeat(pa.scalar(number, pa.int64()), many),
        ]
        return pa.Table.from_arrays(columns, schema=EMPTY_VALUES.schema)


class _Counted:
    """Distinct values of a part of a field's keys, and their weights."""

    def __init__(self, part: str, values: pa.Array, inside: Array, outside: Array) -> None:
        self.part = part
        self.values = values
        self.inside = inside
        self.outside = outside


class _Held:
    """The values of a column that are there, and their rows."""

    def __init__(self, rows: Array, values: pa.Array) -> None:
        self.rows = rows
        self.values = values

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> "_Held":
        """Of a column with a value or null in each row."""
        whole = column.combine_chunks()
        rows = np.flatnonzero(pc.is_valid(whole).to_numpy(zero_copy_only=False))
        return cls(rows, whole.drop_null())


class _Numbers:
    """Numbers of a field: whole ones that fit 64 bits, in whatever type, and others."""

    def __init__(self, ints: Array, int_rows: Array, reals: Array, real_rows: Array) -> None:
        fits = _is_whole(reals)
        self.whole = np.concatenate([ints, reals[fits].astype(np.int64)])
        self.whole_rows = np.concatenate([int_rows, real_rows[fits]])
        self.real, self.real_rows = reals[~fits], real_rows[~fits]
        self.every = np.concatenate([ints.astype(np.float64), reals])
        self.rows = np.concatenate([int_rows, real_rows])

    @classmethod
    def of(cls, whole: _Held | None, real: _Held | None) -> "_Numbers | None":
        """Of both columns, of which either may be absent; None: both are."""
        if whole is None and real is None:
            return None
        ints = np.empty(0, np.int64) if whole is None else whole.values.to_numpy()
        reals = np.empty(0, np.float64) if real is None else real.values.to_numpy()
        no_rows = np.empty(0, np.int64)
        return cls(
            ints, no_rows if whole is None else whole.rows,
            reals, no_rows if real is None else real.rows,
        )  # fmt: skip
