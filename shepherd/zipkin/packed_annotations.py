"""Unpacks the events of OpenTelemetry spans from annotations: Zipkin has no attributes there.

The exporter for Python writes `{"name": {"attribute": value}}` as an annotation's text. Any other
text is the name of an event without attributes, as Zipkin means it.
"""

import orjson

from shepherd.zipkin.json_values import json_text
from shepherd.zipkin.span import TagValue

_DEPTH_MAX = 5  # maps within attributes are unpacked as deep as those of OTLP


def unpack(text: str) -> tuple[str, dict[str, TagValue]]:
    """The name of an event, and its attributes."""
    if not (text.startswith('{"') and text.endswith("}}")):
        return text, {}
    try:
        found = orjson.loads(text)
    except ValueError:
        return text, {}
    if len(found) != 1:
        return text, {}
    ((name, attributes),) = found.items()
    if not isinstance(attributes, dict):
        return text, {}
    fields: dict[str, TagValue] = {}
    _flatten("", attributes, 1, fields)
    return name, fields


def _flatten(
    prefix: str, members: dict[str, object], depth: int, into: dict[str, TagValue]
) -> None:
    for key, value in members.items():
        name = prefix + key
        if isinstance(value, dict) and depth < _DEPTH_MAX:
            _flatten(f"{name}.", value, depth + 1, into)
        elif isinstance(value, dict | list):
            into[name] = json_text(value)
        elif value is not None:
            into[name] = value  # type: ignore[assignment]  # of JSON only scalars are left
