"""Unpacks events and links of OpenTelemetry's spans: Zipkin has no attributes and no links.

The exporter for Python writes an event as an annotation `{"name": {"attribute": value}}`, the one
of the Collector `name|{"attribute": value}|0`, and a link as the tag `otlp.link.0` with the text
`trace|span|state|{"attribute": value}|0`; the last number is that of attributes that were dropped.
Any other annotation's text is the name of an event without attributes, as Zipkin means it.
"""

from typing import NamedTuple

import orjson

from shepherd.zipkin import ids
from shepherd.zipkin.json.values import json_text
from shepherd.zipkin.span import TagValue

LINK_TAG = "otlp.link."  # and a number from 0
_DEPTH_MAX = 5  # maps within attributes are unpacked as deep as those of OTLP
_DROPPED = "meta.dropped_attributes_count"
_DIGITS_MAX = 9
Attributes = dict[str, TagValue]


class Link(NamedTuple):
    """Another span that a span names."""

    trace_id: str
    span_id: str
    attributes: Attributes


def unpack(text: str) -> tuple[str, Attributes]:
    """The name of an event, and its attributes."""
    if text.startswith('{"') and text.endswith("}}"):
        found = _object(text)
        if found is not None and len(found) == 1:
            ((name, attributes),) = found.items()
            if isinstance(attributes, dict) and (flat := _flat(attributes)) is not None:
                return name, flat
    elif "|{" in text:
        name, _, rest = text.partition("|{")
        packed = _counted("{" + rest)
        if packed is not None:
            return name, packed
    return text, {}


def unpack_link(text: TagValue) -> Link | None:
    """The link that a tag writes; None if it writes none."""
    parts = text.split("|", 3) if isinstance(text, str) else ()
    if len(parts) != 4:
        return None
    trace_id, span_id, _, rest = parts
    attributes = _counted(rest)
    if attributes is None or not trace_id:
        return None
    return Link(ids.trace_id(trace_id), ids.span_id(span_id), attributes)


def _counted(text: str) -> Attributes | None:
    """Attributes as JSON, `|`, and the number of those that were dropped; None for another text."""
    packed, _, count = text.rpartition("|")
    if not (count.isascii() and count.isdigit()) or len(count) > _DIGITS_MAX:
        return None
    found = _object(packed)
    attributes = None if found is None else _flat(found)
    if attributes is not None and int(count):
        attributes[_DROPPED] = int(count)
    return attributes


def _object(text: str) -> dict[str, object] | None:
    try:
        found = orjson.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _flat(attributes: dict[str, object]) -> Attributes | None:
    """The fields that attributes become; None if one is nested deeper than can be written."""
    fields: Attributes = {}
    return fields if _flatten("", attributes, 1, fields) else None


def _flatten(prefix: str, members: dict[str, object], depth: int, into: Attributes) -> bool:
    for key, value in members.items():
        name = prefix + key
        if isinstance(value, dict) and depth < _DEPTH_MAX:
            if not _flatten(f"{name}.", value, depth + 1, into):
                return False
        elif isinstance(value, dict | list):
            text = json_text(value)
            if text is None:
                return False
            into[name] = text
        elif value is not None:
            into[name] = value  # type: ignore[assignment]  # of JSON only scalars are left
    return True
