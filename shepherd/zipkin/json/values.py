"""Reads members of spans as clients really write them: numbers as strings, null, members missing.

What cannot be read is left out of its span and noted; it refuses neither the span nor others.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from common.model.times.api import INT64_MAX
from common.scan.events import Mended, Rule
from shepherd.zipkin.span import Endpoint, TagValue

_US_NS: Final = 1_000
_NUMBER: Final = re.compile(r"\s*[+-]?\d{1,30}(?:\.\d{0,30})?(?:[eE][+-]?\d{1,2})?\s*", re.ASCII)
_INTEGER: Final = re.compile(r"\s*[+-]?\d{1,20}\s*", re.ASCII)
_PORT_MAX: Final = 65_535
Members = Mapping[str, Any]  # of a JSON object: none of its values is checked
_NONE: Final[Members] = {}


class Reading:
    """Reads the members of one span, and keeps what could not be read."""

    __slots__ = ("mended",)

    def __init__(self) -> None:
        self.mended: list[Mended] = []

    def leave_out(self, rule: Rule, member: str) -> None:
        """Note that a member could not be read."""
        self.mended.append(Mended(rule, member))

    def text(self, of: Members, member: str) -> str:
        """A text; empty if there is none. A number is its text: ids come as numbers too."""
        value = of.get(member)
        if isinstance(value, str):
            return value
        if value is None:
            return ""
        if type(value) is int or type(value) is float:
            return str(value)
        self.leave_out(Rule.UNSUPPORTED_VALUE, member)
        return ""

    def flag(self, of: Members, member: str) -> bool:
        """A boolean, also as a text or a number."""
        value = of.get(member)
        if value is None or isinstance(value, bool):
            return value is True
        if isinstance(value, str):
            return value.strip().lower() in ("true", "1")
        return bool(value == 1)

    def number(self, of: Members, member: str) -> int | float | None:
        """A number, also as a text; None if there is none."""
        value = of.get(member)
        if type(value) is int or type(value) is float:
            return value
        if value is None or value == "":
            return None
        if isinstance(value, str) and (read := _number(value)) is not None:
            return read
        self.leave_out(Rule.UNSUPPORTED_VALUE, member)
        return None

    def time_ns(self, of: Members, member: str) -> int | None:
        """Unix ns of a time in us; None for none and for zero."""
        micros = self.number(of, member)
        if not micros:
            return None
        whole = int(micros)  # a double has no room for the product
        time_ns = whole * _US_NS + round((micros - whole) * _US_NS)
        if 0 < time_ns <= INT64_MAX:
            return time_ns
        self.leave_out(Rule.TIME, member)
        return None

    def endpoint(self, of: Members, member: str) -> Endpoint:
        """A service and its address, any part of which may be missing."""
        found = self.members(of, member)
        if not found:
            return Endpoint()
        port = self.number(found, "port") or 0
        if port != int(port) or not 0 <= port <= _PORT_MAX:
            self.leave_out(Rule.UNSUPPORTED_VALUE, f"{member}.port")
            port = 0
        return Endpoint(
            self.text(found, "serviceName").strip(),
            self.text(found, "ipv4").strip(),
            self.text(found, "ipv6").strip(),
            int(port),
        )

    def members(self, of: Members, member: str) -> Members:
        """An object's members; none if it is missing or no object."""
        value = of.get(member)
        if isinstance(value, dict):
            return value
        if value is not None:
            self.leave_out(Rule.UNSUPPORTED_VALUE, member)
        return _NONE

    def objects(self, of: Members, member: str) -> Sequence[Members]:
        """The objects of a list; what is none is left out."""
        value = of.get(member)
        if value is None:
            return []
        found = [one for one in value if isinstance(one, dict)] if isinstance(value, list) else None
        if found is None or len(found) != len(value):
            self.leave_out(Rule.UNSUPPORTED_VALUE, member)
        return found or []

    def tag(self, value: object) -> TagValue | None:
        """A tag's value. Zipkin's are texts; others are kept, lists and objects as JSON text."""
        if value is None or isinstance(value, str | int | float):
            return value
        text = json_text(value)
        if text is None:
            self.leave_out(Rule.TOO_DEEP, "tags")
        return text


def json_text(value: object) -> str | None:
    """A list or an object as text, with the line break that OTLP's texts of them end with; None
    if it is nested deeper than the writer goes, which is less deep than what the parser reads.
    """
    try:
        return orjson.dumps(value).decode() + "\n"
    except orjson.JSONEncodeError:
        return None


def _number(text: str) -> int | float | None:
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else None
