"""BY END behind a time range: by which time of an event the range and the steps run.

`GROUP BY end`, and BY anywhere else, names a field; so does one in backticks here.
"""

from query.plan.spec import TimeAxis
from query.text.cursor import Cursor
from query.tokens.lexer import TokenKind


def read_axis(cursor: Cursor) -> str | None:
    """The axis, if one is named here."""
    word = cursor.peek()
    known = {axis.name for axis in TimeAxis}
    if not cursor.next.is_keyword("BY") or word.kind is not TokenKind.NAME:
        return None
    if word.text.upper() not in known or cursor.tokens[cursor.at + 2].is_symbol(","):
        return None
    cursor.take()
    return TimeAxis[cursor.take().text.upper()].value
