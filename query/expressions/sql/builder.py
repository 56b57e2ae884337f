"""SQL of expressions, in layers: what is used more than once is a column of an inner SELECT.

So an expression is computed once per row, its text grows with its nodes and not with their powers,
and no SQL expression nests deep, which takes DuckDB long to bind.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from common import limits
from common.errors import Unprocessable
from segment.columns import FieldType

SQL_TYPES: Final[Mapping[FieldType, str]] = {
    FieldType.INT: "BIGINT",
    FieldType.FLOAT: "DOUBLE",
    FieldType.BOOL: "BOOLEAN",
    FieldType.STRING: "VARCHAR",
}
_NEST_MAX: Final = 12  # SQL expressions within each other, before one becomes a column
_PLAIN: Final = re.compile(r"[A-Za-z0-9 _./:,%+-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Sql:
    """An SQL expression.

    layer: number of SELECTs that must be inside of the one with the expression.
    nest: how deep it nests; of a column or a literal 0.
    """

    text: str
    layer: int = 0
    nest: int = 0

    def __str__(self) -> str:
        return self.text


TRUE: Final = Sql("TRUE")
FALSE: Final = Sql("FALSE")


class Builder:
    """Columns that are computed, by the SELECT that computes them."""

    def __init__(self, prefix: str = "x") -> None:
        """prefix: of the names of inner columns, which the rows must not have."""
        self._prefix = prefix
        self._layers: list[dict[str, str]] = []  # of each, name -> SQL
        self._bound: dict[str, Sql] = {}
        self._outputs: list[str] = []

    def sql(self, template: str, *parts: Sql) -> Sql:
        """The expression of a template with `{}` for each part, which may nest only so deep."""
        shallow = [self.bind(one) if one.nest >= _NEST_MAX else one for one in parts]
        layer = max((one.layer for one in shallow), default=0)
        nest = 1 + max((one.nest for one in shallow), default=0)
        return Sql(f"({template.format(*shallow)})", layer, nest)

    def join(self, separator: str, parts: Sequence[Sql]) -> Sql:
        """The parts in parentheses, joined; a single one is itself."""
        if len(parts) == 1:
            return parts[0]
        return self.sql(separator.join(["{}"] * len(parts)), *parts)

    def call(self, function: str, parts: Sequence[Sql]) -> Sql:
        """An SQL function of the parts."""
        return self.sql(f"{function}({', '.join(['{}'] * len(parts))})", *parts)

    def bind(self, one: Sql) -> Sql:
        """The expression as a column of an inner SELECT; what is cheap remains as it is."""
        if one.nest == 0:
            return one
        if one.text not in self._bound:
            name = f"{self._prefix}{len(self._bound)}"
            self._bound[one.text] = self._place(name, one)
        return self._bound[one.text]

    def output(self, name: str, one: Sql) -> Sql:
        """The expression as a column of this name, which `select` has."""
        self._outputs.append(name)
        return self._place(name, one)

    def _place(self, name: str, one: Sql) -> Sql:
        if one.layer >= limits.EXPRESSION_LAYERS_MAX:
            raise Unprocessable(
                "the calculated fields nest too deep for the types that their fields have:"
                " use fewer of them within each other"
            )
        while len(self._layers) <= one.layer:
            self._layers.append({})
        self._layers[one.layer][name] = one.text
        return Sql(name, one.layer + 1)

    def select(self, rows: str) -> str:
        """SQL of the rows with the output columns besides their own."""
        source = f"({rows})"
        for layer in self._layers:
            columns = ", ".join(f"{text} AS {name}" for name, text in layer.items())
            source = f"(SELECT *, {columns} FROM {source})"
        inner = [name for layer in self._layers for name in layer if name not in self._outputs]
        left_out = f" EXCLUDE ({', '.join(inner)})" if inner else ""
        return f"SELECT *{left_out} FROM {source}"


def whole_literal(value: int) -> Sql:
    """SQL BIGINT."""
    return Sql(f"({value:d})::BIGINT")


def real_literal(value: float) -> Sql:
    """SQL DOUBLE."""
    return Sql(f"'{value!r}'::DOUBLE")


def text_literal(value: str) -> Sql:
    """SQL VARCHAR. A text with other than plain characters is written as its bytes."""
    if _PLAIN.fullmatch(value):
        return Sql(f"'{value}'")
    return Sql(f"decode(from_hex('{value.encode().hex()}'))")


def null_of(kind: FieldType) -> Sql:
    """A typed NULL."""
    return Sql(f"NULL::{SQL_TYPES[kind]}")
