"""Apache's and nginx's access logs: common and combined format, and what real logs hold of them.

Fields: remote_host, ident, user, method, url, protocol, status, bytes, referer, user_agent; a
request that is no HTTP request line (probes, binary rubbish, time-outs) is kept as `request`;
what a server was told to add at the end is kept as `rest`. A `-` means that the field is absent.
"""

import re

from bellwether.send.event import LineRead

_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_LAST = r'"((?:[^"\\]|\\.)*)(?:"|\\?$)'  # lines that were cut off end without their quote
_LINE = re.compile(
    rf"(\S+) (\S+) (.*?) \[([^\]]+)\] {_QUOTED} (\d{{3}}|-) (\d+|-)"
    rf"(?: {_QUOTED} {_LAST})?(?:\s+(.*))?"
)
_REQUEST = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (.*?)(?: (HTTP/\d(?:\.\d)?))?")
_ESCAPES = re.compile(r"(?:\\x[0-9a-fA-F]{2})+|\\(.)")
_SHORT = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "v": "\v", "f": "\f"}


class NotAccessLog(ValueError):
    """The line is not in the common or combined format."""


def parse_line(text: str) -> LineRead:
    """The line's fields, and its date as it is written. Raises NotAccessLog."""
    match = _LINE.fullmatch(text.rstrip())
    if match is None:
        raise NotAccessLog("not a line of the common or combined log format")
    host, ident, user, date, request, status, size, referer, agent, rest = match.groups()
    request = _unescape(request)
    parts = _REQUEST.fullmatch(request)
    if parts is not None and (parts[3] or parts[1].isupper()):
        method, url, protocol = parts.groups()
        request = None
    else:
        method = url = protocol = None
    found = (
        ("remote_host", _text(host)),
        ("ident", _text(ident)),
        ("user", _text(user)),
        ("method", _text(method)),
        ("url", _text(url)),
        ("protocol", _text(protocol)),
        ("request", _text(request)),
        ("status", _number(status)),
        ("bytes", _number(size)),
        ("referer", _text(_unescape(referer or ""))),
        ("user_agent", _text(_unescape(agent or ""))),
        ("rest", _text(rest)),
    )
    return LineRead({name: value for name, value in found if value is not None}, date)


def looks_like(text: str) -> bool:
    """Whether the line is one of an access log."""
    return _LINE.fullmatch(text.rstrip()) is not None


def _text(text: str | None) -> str | None:
    return None if text in ("", "-") else text


def _number(text: str) -> int | None:
    return None if text == "-" else int(text)


def _unescape(text: str) -> str:
    return _ESCAPES.sub(_decode, text) if "\\" in text else text


def _decode(match: re.Match[str]) -> str:
    if match[1] is not None:
        return _SHORT.get(match[1], match[1])
    raw = bytes.fromhex(match[0].replace("\\x", ""))
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return match[0]  # bytes that are no text stay as the server wrote them
