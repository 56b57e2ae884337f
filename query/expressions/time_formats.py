"""The specifiers of FORMAT_TIME: POSIX strftime's in the C locale and in UTC.

Each is made of those that DuckDB's `strftime` writes alike, or of numbers of the time.
"""

import re
from typing import Final

# What DuckDB writes as POSIX has it.
_DIRECT: Final = frozenset("aAbBdGHIjmMpSuUVwWyY")
# Written out. `%s`, `%C`, `%e` and `%g` are computed (`query.expressions.sql.times`).
_WRITTEN_OUT: Final = {
    "c": "%a %b %e %H:%M:%S %Y",
    "D": "%m/%d/%y",
    "F": "%Y-%m-%d",
    "h": "%b",
    "n": "\n",
    "r": "%I:%M:%S %p",
    "R": "%H:%M",
    "t": "\t",
    "T": "%H:%M:%S",
    "x": "%m/%d/%y",
    "X": "%H:%M:%S",
    "z": "+0000",
    "Z": "UTC",
}
COMPUTED: Final = frozenset("Cegs")
_KNOWN: Final = _DIRECT | COMPUTED | _WRITTEN_OUT.keys() | {"%"}
_SPECIFIER = re.compile(r"%(.?)", re.DOTALL)


def format_fault(form: str) -> tuple[str, str] | None:
    """(why a format is refused, a hint); None: it is not."""
    for one in _SPECIFIER.findall(form):
        if one not in _KNOWN:
            known = " ".join(f"%{name}" for name in sorted(_KNOWN, key=str.lower))
            return f"%{one} is no part of a time that is known", f"known: {known}"
    return None


def pieces(form: str) -> list[str]:
    """The format in pieces: literal texts, and specifiers of DuckDB or computed ones (`%s`)."""
    found: list[str] = []
    for text, name in re.findall(r"([^%]+)|%(.)", form, re.DOTALL):
        if text:
            found.append(text)
        elif name == "%":
            found.append("%%")
        elif name in _WRITTEN_OUT:
            found += pieces(_WRITTEN_OUT[name])
        else:
            found.append(f"%{name}")
    return found
