"""Values as a table shows them. Keys of groups are names and stand as they are stored."""

from collections.abc import Iterable
from typing import Final

import orjson

from bellwether.output import printable

MISSING: Final = "–"
_WHOLE_MIN = 1e6  # from here a fraction is of no interest
_PLAIN_MAX = 1e15  # beyond it the digits are not the number's own
_SHORT_MIN = 1e-4


def show(value: object) -> str:
    """The value of a calculation, for a person: 1,234,567 and 0.333333."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        size = abs(value)
        if size >= _PLAIN_MAX or 0 < size < _SHORT_MIN:
            return f"{value:.6g}"
        return f"{value:,.6g}" if size < _WHOLE_MIN else f"{value:,.0f}"
    if isinstance(value, list):  # a heatmap
        return f"{sum(one['count'] for one in value):,} in {len(value)} bins"
    return printable(str(value))


def exact(value: object) -> str:
    """Every digit of a number, true and false; a text as it is."""
    if isinstance(value, str):
        return value
    return orjson.dumps(value).decode()


def show_keys(values: Iterable[object]) -> list[str]:
    """One column of group keys: numbers digit for digit. A text stands in quotes only where it
    would be taken for something else: empty, with blanks at an end, or like a key that is no text.
    """
    column = list(values)
    others = {_shown(value) for value in column if not isinstance(value, str)}
    return [_quoted(value, others) if isinstance(value, str) else _shown(value) for value in column]


def _shown(value: object) -> str:
    return MISSING if value is None else exact(value)


def _quoted(text: str, others: set[str]) -> str:
    if text and text == text.strip() and text not in others:
        return printable(text)
    return '"' + printable(text) + '"'
