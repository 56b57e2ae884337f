"""PER: a question about instances of a field, and conditions of HAVING on their columns."""

from query.text.cursor import Cursor, Spec
from query.text.where.comparisons import read_comparison
from query.tokens.lexer import Token


class PerClause:
    """The clause, and the conditions of HAVING that only it allows, wherever it stands."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._conditions: list[Token] = []

    def read(self) -> str:
        """The field after PER. Raises QueryTextError."""
        cursor = self._cursor
        field = cursor.name("a field's name: PER trace.trace_id")
        if cursor.next.is_symbol(","):
            raise cursor.fail("instances are of one field", hint="its values are the instances")
        return field

    def condition(self) -> list[Spec]:
        """A condition of HAVING that is on no calculation. Raises QueryTextError."""
        self._conditions.append(self._cursor.next)
        return [read_comparison(self._cursor)]

    def check(self, spec: Spec) -> None:
        """Whether there are instances for the conditions. Raises QueryTextError."""
        if "per" in spec or not self._conditions:
            return
        token = self._conditions[0]
        hint = (
            "conditions on fields stand in WHERE; on calculations: HAVING COUNT > 5; "
            "on whole traces: PER trace.trace_id HAVING extent_ms > 500"
        )
        raise self._cursor.fail(f"{token.text[:40]!r} is not a calculation", token, hint)
