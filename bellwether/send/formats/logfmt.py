"""logfmt: `key=value key="quoted value" flag`. A key without a value is true."""

import re

from bellwether.send.event import LineRead
from bellwether.send.values import typed

_PAIR = re.compile(
    r"""\s*(?P<key>[^\s="]+)
        (?:=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s"]*(?:"[^\s]*)?)))?
        (?=\s|$)""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_SHORT = {"n": "\n", "t": "\t", "r": "\r"}


class NotLogfmt(ValueError):
    """The line cannot be read as logfmt; the text says where."""


def parse_line(text: str) -> LineRead:
    """The line's fields. Raises NotLogfmt."""
    members: dict[str, object] = {}
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _PAIR.match(text, at)
        if match is None:
            raise NotLogfmt(f"not logfmt at character {at + 1}")
        value: object = True
        if match["quoted"] is not None:
            value = _ESCAPE.sub(_unescape, match["quoted"])
        elif match["bare"] is not None:
            value = typed(match["bare"])
        if value is not None:
            members[match["key"]] = value
        at = match.end()
    return LineRead(members)


def looks_like(text: str) -> bool:
    """Whether at least two, and most words, are pairs."""
    pairs = re.findall(r'(?:^|\s)[^\s="]+=(?:"(?:[^"\\]|\\.)*"|[^\s"]*)', text)
    rest = re.sub(r'(?:^|\s)[^\s="]+=(?:"(?:[^"\\]|\\.)*"|[^\s"]*)', " ", text).split()
    return len(pairs) >= 2 and len(pairs) >= len(rest)


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    if code.startswith("u") and len(code) == 5:
        point = int(code[1:], 16)
        return "\ufffd" if 0xD800 <= point <= 0xDFFF else chr(point)
    return _SHORT.get(code, code)
