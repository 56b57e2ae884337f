"""Which names a pattern means: those that hold it, or, with `*` or `?`, those of that shape.

Case does not matter. `*` stands for any characters, `?` for one; nothing else is special. The
pieces between stars are looked for one after the other, so no pattern takes long.
"""

import re


class NamePattern:
    """A pattern; the empty one fits every name."""

    def __init__(self, pattern: str) -> None:
        folded = pattern.casefold()
        self._any = not folded
        pieces = folded.split("*") if "*" in folded or "?" in folded else ["", folded, ""]
        self._pieces = [
            re.compile("".join("." if c == "?" else re.escape(c) for c in piece), re.DOTALL)
            for piece in pieces
        ]
        self._lengths = [len(piece) for piece in pieces]

    def fits(self, name: str | bytes) -> bool:
        """Whether the name (text or UTF-8) is one that the pattern means."""
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
