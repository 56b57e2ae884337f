"""The filters of one calculation: `COUNT WHERE error AS errors`, `COUNT FILTER (WHERE error)`.

A WHERE is that of a calculation if `AS` or a comma follows its conditions: the list of calculations
goes on there. Otherwise it is that of the whole query; but where another calculation has one, it
is refused, as it may be meant either way.
"""

from query.text.cursor import Cursor, Spec
from query.text.where.conditions import read_conditions

_EITHER = (
    "AS name behind it makes it the calculation's; for the whole query name the calculation before "
    "it: COUNT AS all WHERE ..."
)


class OwnFilters:
    """Reads them, of all calculations of a query."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._any_where = False

    def read(self, calculation: Spec) -> Spec:
        """The calculation that was read, with the filters and the name that follow it, if any.

        Raises QueryTextError.
        """
        cursor, began = self._cursor, self._cursor.at
        if cursor.next.is_keyword("FILTER") and cursor.peek().is_symbol("("):
            if not cursor.peek(2).is_keyword("WHERE"):
                return calculation  # the query's: FILTER is another word for WHERE
            for _ in range(3):
                cursor.take()
            filters = read_conditions(cursor)
            cursor.expect(")")
        elif cursor.take_keyword("WHERE"):
            where = cursor.previous
            filters = read_conditions(cursor)
            if not (cursor.next.is_keyword("AS") or cursor.next.is_symbol(",")):
                if self._any_where and "name" not in calculation:
                    raise cursor.fail("is this of the calculation or of the query?", where, _EITHER)
                cursor.at = began
                return calculation
            self._any_where = True
        else:
            return calculation
        if "name" not in calculation and cursor.take_keyword("AS"):
            calculation["name"] = cursor.name("a name for the calculation")
        return calculation | filters
