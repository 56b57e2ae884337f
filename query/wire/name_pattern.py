"""Patterns of field names: a substring, or with `*` or `?` a glob for the whole name.

Case does not matter. `*` matches any characters, `?` one; all others match themselves. The
pieces between stars are searched one after the other, so no pattern backtracks.
"""

import re


class NamePattern:
    """A pattern. The empty one matches every name."""

    def __init__(self, pattern: str) -> None:
        folded = pattern.casefold()
        self._any = not folded
        pieces = folded.split("*") if "*" in folded or "?" in folded else ["", folded, ""]
        self._pieces = [
            re.compile("".join("." if c == "?" else re.escape(c) for c in piece), re.DOTALL)
            for piece in pieces
        ]
        self._lengths = [len(piece) for piece in pieces]

    def matches(self, name: str | bytes) -> bool:
        """Whether the pattern matches the name (text or UTF-8)."""
        if self._any:
            return True
        text = (name if isinstance(name, str) else name.decode()).casefold()
        if len(self._pieces) == 1:
            return self._pieces[0].fullmatch(text) is not None
        if not self._pieces[0].match(text):
            return False
        at, end = self._lengths[0], len(text) - self._lengths[-1]
        if end < at or not self._pieces[-1].match(text, end):
            return False
        for piece in self._pieces[1:-1]:
            found = piece.search(text, at, end)
            if found is None:
                return False
            at = found.end()
        return True
