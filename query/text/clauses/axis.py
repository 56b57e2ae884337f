"""BY END behind a time range: by which time of an event the range and the steps run.

`GROUP BY end`, and BY anywhere else, names a field; so does one in backticks here.
"""

from typing import Final

from query.text.cursor import Cursor
from query.tokens.lexer import TokenKind

# `query.plan.spec.TimeAxis`, which commands would have to import msgspec for.
AXES: Final = {"START": "start", "END": "end", "OVERLAP": "overlap"}


def read_axis(cursor: Cursor) -> str | None:
    """The axis, if one is named here."""
    word = cursor.peek()
    if not cursor.next.is_keyword("BY") or word.kind is not TokenKind.NAME:
        return None
    if word.text.upper() not in AXES or cursor.tokens[cursor.at + 2].is_symbol(","):
        return None
    cursor.take()
    return AXES[cursor.take().text.upper()]
