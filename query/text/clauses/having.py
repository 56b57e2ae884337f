"""HAVING: conditions on calculations and formulas, and on instances where there are any."""

from query.text.calculations import calculation_op, read_calculation
from query.text.clauses.per import PerClause
from query.text.cursor import Cursor, Spec
from query.text.places import Places
from query.text.values import read_number
from query.text.where.comparisons import COMPARISONS
from query.tokens.lexer import Token, TokenKind


class HavingClause:
    """The clause. calculations: those that it names by operator and field, each with its token."""

    def __init__(self, cursor: Cursor, per: PerClause) -> None:
        self._cursor = cursor
        self._per = per
        self._all: list[Spec] = []
        self.calculations: list[tuple[Token, Spec]] = []

    def read(self, calculations: list[Spec], formulas: list[str], places: Places) -> list[Spec]:
        """The conditions. calculations, formulas: of the select list. Raises QueryTextError."""
        cursor = self._cursor
        self._all = calculations
        named: dict[str, Spec | None] = {c["name"]: c for c in calculations if c.get("name")}
        named |= dict.fromkeys(formulas)
        havings: list[Spec] = []
        while True:
            first, before = cursor.next, len(havings)
            havings += self._condition(named)
            places.items("havings", before, len(havings), first)
            if not (cursor.take_keyword("AND") or cursor.take_symbol("&&")):
                break
        if cursor.next.is_keyword("OR") or cursor.next.is_symbol("||"):
            raise cursor.fail("conditions of HAVING are joined by AND only")
        return havings

    def _condition(self, named: dict[str, Spec | None]) -> list[Spec]:
        """Read a condition; BETWEEN becomes two. named: calculations by name; None: a formula."""
        cursor = self._cursor
        token = cursor.next
        is_name = token.kind in (TokenKind.NAME, TokenKind.QUOTED_NAME)
        if is_name and token.text in named:
            cursor.take()
            return self._compared(self._of_name(token.text, named), named[token.text], token)
        if is_name and calculation_op(token) is None:
            return self._per.condition()
        calculation = read_calculation(cursor)
        self.calculations.append((token, calculation))
        return self._compared(_of_calculation(calculation), calculation, token)

    def _of_name(self, name: str, named: dict[str, Spec | None]) -> Spec:
        """The vendor's form where it means one calculation; else the name, which is ours."""
        calculation = named[name]
        if calculation is None:
            return {"column": name}
        having = _of_calculation(calculation)
        same = [one for one in self._all if _of_calculation(one) == having]
        return having if len(same) == 1 else {"column": name}

    def _compared(self, having: Spec, calculation: Spec | None, token: Token) -> list[Spec]:
        """The having with its comparison, which comes next."""
        cursor = self._cursor
        op = "" if calculation is None else calculation["op"]
        if op == "HEATMAP":
            raise cursor.fail("a heatmap is no number to compare", token)
        has_unit = calculation is not None and not op.startswith("COUNT")
        unit_of = (calculation or {}).get("column") or "" if has_unit else ""
        if cursor.take_keyword("BETWEEN"):
            low = read_number(cursor, unit_of)
            if not cursor.take_keyword("AND"):
                raise cursor.fail("expected AND", hint="BETWEEN takes two values")
            high = read_number(cursor, unit_of)
            return [having | {"op": ">=", "value": low}, having | {"op": "<=", "value": high}]
        comparison = cursor.take()
        if comparison.kind is not TokenKind.SYMBOL or comparison.text not in COMPARISONS:
            raise cursor.fail("expected a comparison: = != > >= < <=", comparison)
        value = read_number(cursor, unit_of)
        return [having | {"op": COMPARISONS[comparison.text], "value": value}]


def _of_calculation(calculation: Spec) -> Spec:
    column = calculation.get("column")
    having: Spec = {"calculate_op": calculation["op"]}
    return having if column is None else having | {"column": column}
