"""Structured data of RFC 5424: `[id name="value" ...]`, one or more, or `-`."""

import re

from common import limits

_ELEMENT = re.compile(r"\[(?P<id>[^\s=\]\"]{1,128})")
_PARAMETER = re.compile(
    r' +(?P<name>[^\s=\]"]{1,128})="(?P<value>[^"\\\]]*(?:\\.[^"\\\]]*)*)"', re.S
)
_ESCAPE = re.compile(r'\\(["\\\]])')  # before any other character a backslash is a backslash


class BadStructuredData(ValueError):
    """The structured data does not end or is malformed."""


def structured_data(text: str, at: int) -> tuple[list[tuple[str, str]], int]:
    """`id.name` and value of each parameter, and where the data ends. An element without any is
    kept as (id, "true"). Raises BadStructuredData.
    """
    if text.startswith("-", at):
        return [], at + 1
    found: list[tuple[str, str]] = []
    while text.startswith("[", at):
        element = _ELEMENT.match(text, at)
        if element is None:
            raise BadStructuredData(f"structured data without a name at character {at + 1}")
        at = element.end()
        before = len(found)
        while parameter := _PARAMETER.match(text, at):
            value = _ESCAPE.sub(r"\1", parameter["value"])
            found.append((f"{element['id']}.{parameter['name']}", value))
            at = parameter.end()
            if len(found) > limits.EVENT_FIELDS_MAX:
                raise BadStructuredData(f"more than {limits.EVENT_FIELDS_MAX} parameters")
        if not text.startswith("]", at):
            raise BadStructuredData(f"structured data that does not end at character {at + 1}")
        at += 1
        if len(found) == before:
            found.append((element["id"], "true"))
    if at < len(text) and text[at] != " ":
        raise BadStructuredData(f"no blank after the structured data at character {at + 1}")
    return found, at
