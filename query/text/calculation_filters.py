"""The filters of one calculation: `COUNT WHERE error = true AS errors`, `COUNT FILTER (WHERE ...)`.

A WHERE is that of a calculation if `AS` or a comma follows its conditions: the list of calculations
goes on there. Otherwise it is that of the whole query.
"""

from query.text.conditions import read_conditions
from query.text.cursor import Cursor, Spec


def with_filters(cursor: Cursor, calculation: Spec) -> Spec:
    """The calculation that was read, with the filters and the name that follow it, if any.

    Raises QueryTextError.
    """
    began = cursor.at
    if cursor.next.is_keyword("FILTER") and cursor.peek().is_symbol("("):
        if not cursor.peek(2).is_keyword("WHERE"):
            return calculation  # the query's: FILTER is another word for WHERE
        for _ in range(3):
            cursor.take()
        filters = read_conditions(cursor)
        cursor.expect(")")
    elif cursor.take_keyword("WHERE"):
        filters = read_conditions(cursor)
        if not (cursor.next.is_keyword("AS") or cursor.next.is_symbol(",")):
            cursor.at = began
            return calculation
    else:
        return calculation
    if "name" not in calculation and cursor.take_keyword("AS"):
        calculation["name"] = cursor.name("a name for the calculation")
    return calculation | filters
