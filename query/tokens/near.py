"""Known words that are similar to an unknown one."""

import difflib
from collections.abc import Iterable

_ALIKE_MIN = 0.7  # WHER and WHERE have 0.89; SERVICE and SINCE, which are different words, 0.67
_WORD_CHARS_MAX = 40  # no keyword is longer; keeps the comparison small


def near_words(word: str, known: Iterable[str], most: int = 1) -> list[str]:
    """The known words, in upper case, that a misspelt one may mean."""
    return difflib.get_close_matches(word[:_WORD_CHARS_MAX].upper(), list(known), most, _ALIKE_MIN)


def suggest(word: str, known: Iterable[str]) -> str:
    """`did you mean X?`, or the list of known words if no word is similar."""
    listed = list(known)
    near = near_words(word, listed)
    return f"did you mean {near[0]}?" if near else f"known here: {', '.join(listed)}"
