"""Tags of fields: a field's number and how its payload is written."""

from collections.abc import Mapping
from typing import Final

from shepherd.otlp.json.scalars import varint
from shepherd.otlp.json.schema import Field, Kind

VARINT, EIGHT_BYTES, DELIMITED, FOUR_BYTES = 0, 1, 2, 5
_WIRE_TYPES: Final[Mapping[Kind, int]] = {
    Kind.MESSAGE: DELIMITED,
    Kind.STRING: DELIMITED,
    Kind.BYTES: DELIMITED,
    Kind.ID: DELIMITED,
    Kind.FIXED32: FOUR_BYTES,
    Kind.FIXED64: EIGHT_BYTES,
    Kind.SFIXED64: EIGHT_BYTES,
    Kind.DOUBLE: EIGHT_BYTES,
}


def wire_type_of(field: Field) -> int:
    """How one payload of the field is written."""
    return _WIRE_TYPES.get(field.kind, VARINT)


def tag_of(field: Field) -> bytes:
    """The tag of one payload of the field."""
    return varint_tag(field.number, wire_type_of(field))


def varint_tag(number: int, wire_type: int) -> bytes:
    """The tag of a field's number and a wire type."""
    return varint(number << 3 | wire_type)
