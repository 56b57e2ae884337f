r"""Quoted texts and names. The characters between the quotes are literal.

`"C:\temp"` is that path: a backslash is literal, also before `n` or a quote. A quote inside is
doubled. An E before the quotes enables escapes: `E"line\nline"`.
"""

import re
from collections.abc import Callable

_ESCAPES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "0": "\0",
    "\\": "\\",
    '"': '"',
    "'": "'",
    "`": "`",
}
KNOWN_ESCAPES = r"known after E: \n \t \r \0 \\ \" \' \` \xHH \uHHHH \UHHHHHHHH"
_HEX_DIGITS = {"x": 2, "u": 4, "U": 8}
_HEX = re.compile(r"[0-9a-fA-F]+", re.ASCII)
_CHAR_MAX = 0x10FFFF
_BARE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
Fail = Callable[[int, int, str], Exception]  # arguments: offset and length in the text, reason


def unquote(raw: str, fail: Fail) -> str:
    """The content of a quoted token. raw: with its quotes, and its E if it has one."""
    if raw[0] in "eE":
        return _unescape(raw[2:-1], raw[1], lambda at, n, why: fail(at + 2, n, why))
    return raw[1:-1].replace(raw[0] * 2, raw[0])


def _unescape(body: str, quote: str, fail: Fail) -> str:
    parts: list[str] = []
    at = 0
    while at < len(body):
        char = body[at]
        if char == quote:  # written twice
            parts.append(char)
            at += 2
        elif char != "\\":
            stop = min(
                (found for found in (body.find("\\", at), body.find(quote, at)) if found >= 0),
                default=len(body),
            )
            parts.append(body[at:stop])
            at = stop
        else:
            plain, length = _escaped(body, at, fail)
            parts.append(plain)
            at += length
    text = "".join(parts)
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")  # joins \ud83d\ude00
    except UnicodeDecodeError:
        raise fail(0, max(1, len(body)), "half of a surrogate pair is no character") from None


def _escaped(body: str, at: int, fail: Fail) -> tuple[str, int]:
    kind = body[at + 1 : at + 2]
    if kind in _ESCAPES:
        return _ESCAPES[kind], 2
    wanted = _HEX_DIGITS.get(kind)
    if wanted is None:
        raise fail(at, 2, f"\\{kind} is no escape that is known")
    digits = body[at + 2 : at + 2 + wanted]
    if len(digits) < wanted or not _HEX.fullmatch(digits) or int(digits, 16) > _CHAR_MAX:
        raise fail(
            at, 2 + len(digits), f"\\{kind} needs {wanted} hexadecimal digits of a character"
        )
    return chr(int(digits, 16)), 2 + wanted


def quote_text(text: str) -> str:
    """The text as a quoted value of a query, which `unquote` reads back."""
    if _CONTROL.search(text):
        return f'E"{_escape(text)}"'
    return '"' + text.replace('"', '""') + '"'


def quote_name(name: str, keywords: tuple[str, ...] = ()) -> str:
    """The name of a field as a query needs it: in backticks unless it is a plain word."""
    if _BARE_NAME.fullmatch(name) and name.upper() not in keywords:
        return name
    if _CONTROL.search(name):
        return f"E`{_escape(name).replace('`', '``')}`"
    return "`" + name.replace("`", "``") + "`"


def _escape(text: str) -> str:
    short = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0", "\\": "\\\\", '"': '\\"'}
    return "".join(short.get(c) or (f"\\x{ord(c):02x}" if _CONTROL.match(c) else c) for c in text)
