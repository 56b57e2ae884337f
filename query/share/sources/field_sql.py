"""SQL expressions of a field: as a number, as text, as a typed key (I12).

A field has up to five typed columns in the source rows, `c<index>_<type letter>`; an event has a
value in at most one of them. Names in SQL consist of numbers and letters made here, so no field
name ever becomes part of a statement.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from segment.columns import FieldType

_SQL_TYPES = {
    FieldType.INT: "BIGINT",
    FieldType.FLOAT: "DOUBLE",
    FieldType.BOOL: "BOOLEAN",
    FieldType.STRING: "VARCHAR",
    FieldType.JSON: "VARCHAR",
}
_INT64_BOUND = "9223372036854775808.0"


def sql_type(field_type: FieldType) -> str:
    """DuckDB's type of a column type."""
    return _SQL_TYPES[field_type]


def _integral(column: str) -> str:
    """SQL: the double is a whole number that fits 64 bits (the same key as that integer)."""
    fits = f"{column} >= -{_INT64_BOUND} AND {column} < {_INT64_BOUND}"
    return f"({column} = trunc({column}) AND {fits})"


@dataclass(frozen=True, slots=True)
class FieldSql:
    """A field of the source rows. index: its index in the plan. types: types that occur.

    every: whether each row has a value, which is of one type. span: no integer is less than the
    first or greater than the second; None: not known.
    """

    index: int
    types: frozenset[FieldType]
    every: bool = False
    span: tuple[int, int] | None = None

    def column(self, field_type: FieldType) -> str:
        """SQL of the typed column; a typed NULL if no source has it."""
        if field_type in self.types:
            return f"c{self.index}_{field_type.value}"
        return f"NULL::{sql_type(field_type)}"

    def has(self, *field_types: FieldType) -> bool:
        """Whether any of the types occurs."""
        return not self.types.isdisjoint(field_types)

    @property
    def is_numeric(self) -> bool:
        """Whether any of its types can be read as a number."""
        return self.has(FieldType.INT, FieldType.FLOAT, FieldType.BOOL)

    @property
    def whole(self) -> str:
        """SQL BIGINT: the integer, or the boolean as 0 or 1."""
        if not self.has(FieldType.BOOL):
            return self.column(FieldType.INT)
        flag = f"{self.column(FieldType.BOOL)}::BIGINT"
        if not self.has(FieldType.INT):
            return flag
        return f"coalesce({self.column(FieldType.INT)}, {flag})"

    @property
    def has_whole(self) -> bool:
        """Whether any value can be read as a whole number."""
        return self.has(FieldType.INT, FieldType.BOOL)

    @property
    def has_real(self) -> bool:
        """Whether any value is a floating-point number."""
        return self.has(FieldType.FLOAT)

    @property
    def real(self) -> str:
        """SQL DOUBLE: the floating-point value."""
        return self.column(FieldType.FLOAT)

    @property
    def number(self) -> str:
        """SQL DOUBLE: the value as a number, integers as the nearest double."""
        if not self.has_whole:
            return self.real
        if not self.has_real:
            return f"({self.whole})::DOUBLE"
        return f"coalesce({self.real}, {self.whole}::DOUBLE)"

    @property
    def has_number(self) -> str:
        """SQL BOOLEAN, never NULL: the event has a value that can be read as a number."""
        return "TRUE" if self.every and self.is_numeric else f"{self.number} IS NOT NULL"

    @property
    def exists(self) -> str:
        """SQL BOOLEAN, never NULL: the event has the field."""
        if self.every:
            return "TRUE"
        present = [f"{self.column(t)} IS NOT NULL" for t in FieldType if t in self.types]
        return f"({' OR '.join(present)})" if present else "FALSE"

    @property
    def text(self) -> str:
        """SQL VARCHAR: every type as text; whole floats like integers, booleans true/false."""
        parts = [self.column(t) for t in (FieldType.STRING, FieldType.JSON) if t in self.types]
        if FieldType.INT in self.types:
            parts.append(f"{self.column(FieldType.INT)}::VARCHAR")
        if FieldType.FLOAT in self.types:
            parts.append(_float_text(self.column(FieldType.FLOAT)))
        if FieldType.BOOL in self.types:
            parts.append(f"{self.column(FieldType.BOOL)}::VARCHAR")
        return _first(parts) if parts else "NULL::VARCHAR"

    @property
    def key_parts(self) -> dict[str, str]:
        """The key parts to group by: name -> SQL. Whole floats equal integers (50.0 is 50)."""
        parts: dict[str, str] = {}
        real = self.column(FieldType.FLOAT)
        if self.has(FieldType.INT, FieldType.FLOAT):
            whole = f"CASE WHEN {_integral(real)} THEN TRY_CAST({real} AS BIGINT) END"
            ints = [self.column(FieldType.INT)] if self.has(FieldType.INT) else []
            reals = [whole] if self.has(FieldType.FLOAT) else []
            parts["n"] = _first([*ints, *reals])
        if self.has(FieldType.FLOAT):
            parts["f"] = f"CASE WHEN NOT {_integral(real)} THEN {real} END"
        if self.has(FieldType.BOOL):
            parts["b"] = self.column(FieldType.BOOL)
        texts = [self.column(t) for t in (FieldType.STRING, FieldType.JSON) if self.has(t)]
        if texts:  # an array and a string of the same text are one group: both look the same
            parts["s"] = _first(texts)
        return parts

    @property
    def key(self) -> str:
        """SQL VARCHAR: the tagged key of the row's value, NULL where the field is missing."""
        return tagged_key(self.key_parts)


def _first(parts: Sequence[str]) -> str:
    """SQL: the first part that is not NULL. A bare column where there is one, as Parquet scans
    compare and group bare columns only.
    """
    return parts[0] if len(parts) == 1 else f"coalesce({', '.join(parts)})"


def _float_text(column: str) -> str:
    whole = f"TRY_CAST({column} AS BIGINT)::VARCHAR"
    return f"CASE WHEN {_integral(column)} THEN {whole} ELSE {column}::VARCHAR END"


def tagged_key(parts: dict[str, str]) -> str:
    """SQL VARCHAR of grouped key parts: `n50`, `n0.5`, `strue`, `btrue`, or NULL."""
    tags = {"n": "n", "f": "n", "b": "b", "s": "s"}
    texts = [f"'{tags[name]}' || {column}::VARCHAR" for name, column in parts.items()]
    return f"coalesce({', '.join(texts)})" if texts else "NULL::VARCHAR"
