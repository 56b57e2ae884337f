"""Computes formulas over rows of an answer, by the SQL of calculated fields: one language, one
meaning of every function, of null and of numbers.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from common import limits
from common.errors import Unprocessable
from query.cancellation import check_cancelled
from query.expressions.check import read_expression
from query.expressions.sql.builder import Builder, Sql
from query.expressions.sql.compile import Compiler
from query.expressions.sql.values import BOOL, FLOAT, INT, STRING, Typed
from query.plan.spec import Formula
from query.results.rows.json_rows import json_texts
from query.results.rows.values import Value, Values
from query.share.compute.database import DatabaseLimits, Databases, ran_out_of_memory
from segment.columns import FieldType

Array = npt.NDArray[Any]
_TYPES: Final = {
    INT: pa.int64(),
    FLOAT: pa.float64(),
    BOOL: pa.bool_(),
    STRING: pa.string(),
}
# Opened when the first formula is computed, and without access to anything outside: what they
# compute follows from the arrays alone, so that they are no state.
_DATABASES: Final = Databases(
    DatabaseLimits(memory_mb=limits.FORMULA_MEMORY_MB, threads=1), limits.MERGES_MAX
)


class FormulaValues(NamedTuple):
    """Values of a formula by cell: numbers, or booleans or texts where there is no number.

    flags, texts: nulls where a cell has none; None: no cell has one.
    """

    numbers: Values
    flags: pa.Array | None
    texts: pa.Array | None

    @property
    def ordered(self) -> Values:
        """As numbers, by which rows are ordered and compared; true is 1, a text is none."""
        if self.flags is None:
            return self.numbers
        held = pc.is_valid(self.flags).to_numpy(zero_copy_only=False)
        ones = pc.fill_null(self.flags, False).cast(pa.int64()).to_numpy()
        old = self.numbers
        return Values(
            np.where(held, ones.astype(np.float64), old.real),
            np.where(held, ones, old.whole),
            old.is_whole | held,
            old.held | held,
        )

    def shown(self, cells: Array) -> list[Value]:
        """The Python values of these cells."""
        found = self.numbers.shown(cells)
        chosen = pa.array(cells)
        for others in (self.flags, self.texts):
            if others is not None:
                more = others.take(chosen).to_pylist()
                found = [m if m is not None else f for f, m in zip(found, more, strict=True)]
        return found

    def json(self, cells: Array) -> pa.Array:
        """As `shown`, a column of JSON texts."""
        if self.flags is None and self.texts is None:
            return self.numbers.json(cells)
        return json_texts(self.shown(cells))


def formula_values(
    formulas: Sequence[Formula], known: Mapping[str, Values], cells: int
) -> dict[str, FormulaValues]:
    """The values of each formula, by its name. known: of the calculations, by label.

    Raises Unprocessable if the formulas nest too deep within each other.
    """
    check_cancelled()
    builder = Builder()
    rows, fields = _columns(known, cells)
    compiler = Compiler(builder, fields)
    outputs: dict[str, dict[FieldType, str]] = {}
    for number, formula in enumerate(formulas):
        found = compiler.compile(read_expression(formula.expression))
        fields[formula.name] = found
        names = {kind: f"r{number}_{kind.value}" for kind in found.parts}
        for kind, name in names.items():
            builder.output(name, found.parts[kind])
        outputs[formula.name] = names
    if not cells:
        return {formula.name: _values({}, 0) for formula in formulas}
    made = _computed(builder, rows, [name for of in outputs.values() for name in of.values()])
    return {
        name: _values({kind: made.column(column) for kind, column in of.items()}, cells)
        for name, of in outputs.items()
    }


def _columns(known: Mapping[str, Values], cells: int) -> tuple[pa.Table, dict[str, Typed]]:
    """The rows of the calculations' values, and where the fields of expressions are in them."""
    columns: dict[str, pa.Array] = {"n": pa.array(np.arange(cells))}
    fields: dict[str, Typed] = {}
    for number, (label, values) in enumerate(known.items()):
        parts: dict[FieldType, Sql] = {}
        whole = values.held & values.is_whole
        # a sum of doubles may leave their range: rows show no value then
        real = values.held & ~values.is_whole & np.isfinite(values.real)
        for kind, held, array in ((INT, whole, values.whole), (FLOAT, real, values.real)):
            if held.any():
                name = f"c{number}_{kind.value}"
                columns[name] = pa.array(array, _TYPES[kind], mask=~held)
                parts[kind] = Sql(name)
        fields[label] = Typed(parts, certain=bool((whole | real).all()) and bool(parts))
    return pa.table(columns), fields


def _computed(builder: Builder, rows: pa.Table, names: Sequence[str]) -> pa.Table:
    """The output columns, in the order of the rows."""
    import duckdb  # 40 MB of memory: only where there are formulas

    try:
        with _DATABASES.use() as connection:
            connection.register("cells", rows)
            found = connection.sql(builder.select("SELECT * FROM cells")).to_arrow_table()
    except duckdb.Error as error:
        if ran_out_of_memory(error):
            why = "the formulas need more memory than they may: compute fewer, over fewer groups"
            raise Unprocessable(why) from None
        raise
    check_cancelled()
    order = found.column("n").to_numpy()
    if not np.array_equal(order, np.arange(len(order))):
        found = found.take(pa.array(np.argsort(order)))
    return found.select(list(names)).combine_chunks()


def _values(parts: Mapping[FieldType, pa.ChunkedArray], cells: int) -> FormulaValues:
    whole, is_whole = _array(parts.get(INT), np.int64, cells)
    real, is_real = _array(parts.get(FLOAT), np.float64, cells)
    is_real = is_real & np.isfinite(real)
    nearest = np.where(is_whole, whole.astype(np.float64), np.where(is_real, real, 0.0))
    others = (parts.get(kind) for kind in (BOOL, STRING))
    flags, texts = (None if one is None or one.null_count == len(one) else one for one in others)
    return FormulaValues(Values(nearest, whole, is_whole, is_whole | is_real), flags, texts)


def _array(column: pa.ChunkedArray | None, kind: Any, cells: int) -> tuple[Array, Array]:
    """(the values, 0 where there is none; whether there is one)."""
    if column is None:
        return np.zeros(cells, kind), np.zeros(cells, np.bool_)
    held = pc.is_valid(column).to_numpy()
    return pc.fill_null(column, 0).to_numpy().astype(kind, copy=False), held
