"""logfmt: `key=value key="quoted value" flag`. A key without a value is true.

Quoted values have the escapes of Go's %q and of JSON. A key that comes again is kept as key_2.
Words without `=` are read as flags only in a line that is mostly pairs, so that a sentence never
becomes a set of fields.
"""

import re

from bellwether.send.event import LineRead, Members
from bellwether.send.formats.names import unused_name
from bellwether.send.prepare.values import typed
from common import limits

_PAIR = re.compile(
    r"""\s*(?:
        (?:(?P<key>[^\s="]+)|"(?P<quoted_key>[^"\\]*(?:\\.[^"\\]*)*)")
        =(?:"(?P<quoted>[^"\\]*(?:\\.[^"\\]*)*)"
           |'(?P<single>[^'\s]*\s[^']*)'
           |(?P<bare>(?!")\S*))
        |(?P<flag>[^\W\d][\w.\-/]*)
        )(?=\s|$)""",
    re.VERBOSE | re.DOTALL,
)
# a high and a low surrogate are one character; then \xHH of Go (bytes of UTF-8), octal, the rest
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}"
    r"|(?:\\x[0-9a-fA-F]{2}|\\[0-3][0-7]{2})+"
    r"|\\.",
    re.DOTALL,
)
_BYTE = re.compile(r"\\x([0-9a-fA-F]{2})|\\([0-3][0-7]{2})")
_SHORT = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "a": "\a", "v": "\v"}
_SELF = frozenset("\"\\'/")  # stand for themselves after a backslash
_REPLACEMENT = "\ufffd"  # for what is no character, as JSON readers have it
_SURE_KEY = re.compile(r"[^\W\d][\w.\-/@]*")


class NotLogfmt(ValueError):
    """The line cannot be read as logfmt. The message states where."""


def parse_line(text: str) -> LineRead:
    """The line's fields. Raises NotLogfmt."""
    members, pairs, flags = _read(text)
    if flags and pairs <= flags:
        raise NotLogfmt(f"not logfmt: {flags} words without = and {pairs} pairs")
    return LineRead(members)


def looks_like(text: str) -> bool:
    """Whether the line surely is logfmt: two pairs or more with plain keys, at most one flag for
    every three of them.
    """
    try:
        members, pairs, flags = _read(text)
    except NotLogfmt:
        return False
    plain = all(map(_SURE_KEY.fullmatch, members))
    return plain and pairs >= 2 and flags * 3 <= pairs


def _read(text: str) -> tuple[Members, int, int]:
    """The fields, and how many pairs and flags there are."""
    members: Members = {}
    repeats: dict[str, int] = {}
    pairs = flags = at = 0
    text = text.rstrip()
    while at < len(text):
        match = _PAIR.match(text, at)
        if match is None:
            raise NotLogfmt(_why(text, at))
        key, quoted_key, quoted, single, bare, flag = match.groups()
        value: object
        if flag is not None:
            key, value = flag, True
            flags += 1
        else:
            pairs += 1
            if quoted_key is not None:
                key = unescape(quoted_key)
            if bare is not None:
                value = typed(bare)
            else:
                value = single if quoted is None else unescape(quoted)
        at = match.end()
        if pairs + flags > limits.EVENT_FIELDS_MAX:
            raise NotLogfmt(f"more than {limits.EVENT_FIELDS_MAX} fields")
        if value is not None:
            members[key if key not in members else unused_name(key, members, repeats)] = value
    return members, pairs, flags


def _why(text: str, at: int) -> str:
    if '="' in text[at:] and text.count('"', at) % 2:
        return f"not logfmt: the quoted text at character {at + 1} does not end"
    return f"not logfmt at character {at + 1}"


def unescape(text: str) -> str:
    """A quoted text without its escapes; what is none stays as it is written."""
    return _ESCAPE.sub(_decode, text) if "\\" in text else text


def _decode(match: re.Match[str]) -> str:
    written = match[0]
    letter = written[1]
    if len(written) == 2:
        if letter in _SELF:
            return letter
        return _SHORT.get(letter, written)
    if len(written) == 12 and letter == "u" and written[6] == "\\":
        high, low = int(written[2:6], 16), int(written[8:], 16)
        return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    if letter in "uU":
        point = int(written[2:], 16)
        is_character = point <= 0x10FFFF and not 0xD800 <= point <= 0xDFFF
        return chr(point) if is_character else _REPLACEMENT
    raw = bytes(int(a, 16) if a else int(b, 8) for a, b in _BYTE.findall(written))
    return raw.decode("utf-8", "replace")
