"""From text without types (CSV, logfmt, access logs) to JSON members: one rule for all.

Text that is exactly how JSON writes a number becomes that number, `true` and `false` become
booleans, an empty text means that the field is absent, everything else stays text. So `007`,
`1.2.3` and `+1` stay text, and so do integers beyond 64 bits: no digit of an integer changes.
"""

import re
from collections.abc import Iterable

import orjson

from common.scan.json_tokens import INT64_MAX, INT64_MIN

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})((?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?)")


def typed(text: str) -> bytes | None:
    """The JSON text of a value, None if it is absent."""
    if not text:
        return None
    if text in ("true", "false"):
        return text.encode()
    number = _NUMBER.fullmatch(text)
    if number is not None and (number[1] or INT64_MIN <= int(text) <= INT64_MAX):
        return text.encode()
    return quoted(text)


def quoted(text: str) -> bytes:
    """A JSON string. Raises ValueError for text that is not valid Unicode."""
    try:
        return orjson.dumps(text)
    except TypeError as error:  # what orjson raises for a lone surrogate
        raise ValueError("text is not valid UTF-8") from error


def json_object(members: Iterable[tuple[str, bytes | None]]) -> bytes:
    """A JSON object of the members that are not absent."""
    parts = [quoted(name) + b":" + value for name, value in members if value is not None]
    return b"{" + b",".join(parts) + b"}"
