"""The error of the text form: it shows the query with a mark under the word."""

import unicodedata

_SHOWN_CHARS = 160  # characters shown of a long line, around the mark


class QueryTextError(ValueError):
    """A query that cannot be parsed. start, end: the word in the text, half open."""

    def __init__(self, text: str, start: int, end: int, why: str, hint: str = "") -> None:
        line, mark = _marked(text, start, end)
        super().__init__("\n".join(filter(None, [why, f"  {line}", f"  {mark}", hint])))
        self.start = start
        self.end = end
        self.why = why
        self.hint = hint


def _marked(text: str, start: int, end: int) -> tuple[str, str]:
    """(the line with the word, truncated if it is long; the line with the mark)."""
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", start)
    last = len(text) if last < 0 else last
    cut = max(first, start - _SHOWN_CHARS // 2)
    stop = min(last, cut + _SHOWN_CHARS)
    before = ("..." if cut > first else "") + _plain(text[cut:start])
    line = before + _plain(text[start:stop]) + ("..." if stop < last else "")
    return line, " " * _width(before) + "^" * max(1, _width(_plain(text[start : min(end, stop)])))


def _plain(text: str) -> str:
    """One column for each character: a tab is a blank, a control character a question mark."""
    return "".join(
        " "
        if c == "\t"
        else "?"
        if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        else c
        for c in text
    )


def _width(text: str) -> int:
    """The columns of a terminal that the text takes."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) != 0 for c in text)
