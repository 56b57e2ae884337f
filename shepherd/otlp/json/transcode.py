"""The readable transcoder, the oracle of the compiled one.

It goes into the messages that hold items, and writes one item after the other.
"""

from collections.abc import Mapping
from typing import Final

from common.scan.events import MalformedBody
from common.scan.work_budget import Work
from shepherd.otlp.decode.interface import Signal
from shepherd.otlp.json.parse import JsonText, check_size
from shepherd.otlp.json.reference import Walk, write_field, write_message
from shepherd.otlp.json.scalars import delimited
from shepherd.otlp.json.schema import MESSAGES, REQUESTS, Field
from shepherd.otlp.json.tags import tag_of


class ReferenceTranscoder:
    """See `Transcoder`. It holds the GIL."""

    name = "reference"

    def to_protobuf(self, signal: Signal, text: bytes, work: Work) -> bytes:
        """As `Transcoder.to_protobuf`."""
        return to_protobuf(signal, text, work)


def to_protobuf(signal: Signal, text: bytes, work: Work) -> bytes:
    """As `Transcoder.to_protobuf`."""
    check_size(text)
    found = JsonText(text, work)
    if found.next() != "{":
        found.value()
        raise MalformedBody("it is not a JSON object")
    written = _write_holder(REQUESTS[signal], found, Walk(work))
    found.end()
    return written


def _write_holder(message: str, text: JsonText, walk: Walk) -> bytes:
    """A message that holds items, from its opening brace on."""
    fields = _HELD[message]
    parts: dict[str, bytes] = {}  # of several members of one name the last
    for name in text.members():
        field = fields.get(name)
        if field is None:
            text.value()
        elif field.items and text.next() == "[":
            parts[name] = _write_items(field, text, walk)
        elif field.type in _HELD and not field.items and text.next() == "{":
            parts[name] = tag_of(field) + delimited(_write_holder(field.type, text, walk))
        else:
            value = text.value()
            parts[name] = b"" if value is None else write_field(message, name, value, walk)
    return b"".join(parts.values())


def _write_items(field: Field, text: JsonText, walk: Walk) -> bytes:
    """A list whose elements are items or hold them, from its opening bracket on."""
    tag = tag_of(field)
    parts: list[bytes] = []
    for _ in text.elements():
        if text.next() != "{":
            if text.value() is not None:
                raise MalformedBody(f"{field.json_name} has an element that is not an object")
        elif field.type in _HELD:
            parts += (tag, delimited(_write_holder(field.type, text, walk)))
        else:
            parts += (tag, delimited(write_message(field.type, text.value(), walk)))
    return b"".join(parts)


def _holders() -> set[str]:
    """The messages that have items, or messages with items, among their fields."""
    found: set[str] = set()
    while True:
        more = {
            message
            for message, fields in MESSAGES.items()
            if any(field.items or field.type in found for field in fields)
        }
        if more == found:
            return found
        found = more


# Of each message that holds items its fields by their names.
_HELD: Final[Mapping[str, Mapping[str, Field]]] = {
    message: {name: field for field in MESSAGES[message] for name in field.names}
    for message in _holders()
}
