"""How JSON may write a character: as it is, and by the escapes that encoders use.

Many encoders write only ASCII (Python's, PHP's), others escape what HTML reads (Go's). Letters and
digits of ASCII, which nobody escapes, have one form.
"""

import functools
from typing import Final

_SHORT: Final = {"\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t", '"': '"', "/": "/"}
_HTML: Final = frozenset("<>&'+=`")
_CASED_END: Final = 0x1_E944  # no letter from here on has another case


def json_forms(char: str) -> tuple[str, ...]:
    """The ways to write a character, itself first; letters of any case, where they are escaped."""
    if char == "\\":
        return char, "\\\\", "\\u005c"
    short = (f"\\{_SHORT[char]}",) if char in _SHORT else ()
    if not short and " " <= char <= "~" and char not in _HTML:
        return (char,)
    return char, *short, *map(_escape, _alike().get(_folded(char), char))


def _escape(char: str) -> str:
    """`\\u00df`; of a character beyond 16 bits two of them."""
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _folded(char: str) -> str:
    """The same for all characters that differ in case alone."""
    upper = char.upper()
    lower = (upper if len(upper) == 1 else char).lower()
    return lower if len(lower) == 1 else char


@functools.cache
def _alike() -> dict[str, str]:
    """Characters that are the same whatever the case, where there are several."""
    found: dict[str, str] = {}
    for char in map(chr, range(0x80, _CASED_END)):
        folded = _folded(char)
        if folded != char:
            found[folded] = found.get(folded, folded) + char
    return found
