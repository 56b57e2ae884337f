"""Writes a parsed message of OTLP/JSON as protobuf, field by field in the text's order.

- null is absent, an unknown field is ignored, and so is a value that its field cannot hold: the
  rest of the message is kept. Only a list of items that is no list refuses the whole body.
- What an attribute's value says badly is not lost: a whole number beyond 64 bits becomes the
  nearest double, and a value of another type than its field's name keeps its own.
- Of several fields that exclude each other the last one counts, as in protobuf.
"""

import struct
from collections.abc import Callable, Mapping
from typing import Final

from common import limits
from common.scan.events import MalformedBody
from common.scan.work_budget import Work
from shepherd.otlp.json.scalars import (
    READERS,
    Json,
    Reader,
    delimited,
    double,
    enum_reader,
)
from shepherd.otlp.json.schema import MESSAGES, Field, Kind
from shepherd.otlp.json.tags import (
    DELIMITED,
    EIGHT_BYTES,
    FOUR_BYTES,
    VARINT,
    tag_of,
    varint_tag,
    wire_type_of,
)

# Writes a value that is not null as a whole field, with its tag; empty if nothing is to be written.
Writer = Callable[[Json, "Walk"], bytes]

_ZEROS: Final[Mapping[int, bytes]] = {
    VARINT: b"\x00",
    DELIMITED: b"\x00",
    FOUR_BYTES: bytes(4),
    EIGHT_BYTES: bytes(8),
}
_DOUBLE: Final = struct.Struct("<d")
_ANY: Final = "AnyValue"
# The field of AnyValue for a value that does not name its type. A list or an object becomes text.
_FIELD_OF_TYPE: Final[Mapping[type, str]] = {
    bool: "boolValue",
    int: "intValue",
    float: "doubleValue",
}
# Lists and objects in a value. Deeper ones are written empty: they are null for the decoder, which
# takes OTLP_VALUE_DEPTH_MAX of them in a value's JSON, within the few that become fields.
VALUE_NESTING_MAX: Final = limits.OTLP_VALUE_DEPTH_MAX + 5


class Walk:
    """One walk over a request: its work, and in how many arrays and lists it is.

    Raises TooMuchWork and WorkStopped.
    """

    __slots__ = ("_work", "nesting")

    def __init__(self, work: Work, nesting: int = 0) -> None:
        self._work = work
        self.nesting = nesting

    def see(self, elements: int) -> None:
        """Count a list before its elements are written."""
        self._work.spend(1 + elements)


def write_message(name: str, value: Json, walk: Walk) -> bytes:
    """The message of that name without its tag; empty for a value that is no object.

    Of a message that holds no items. Raises TooMuchWork, WorkStopped.
    """
    if not isinstance(value, dict):
        return _of_json_type(value, walk) if name == _ANY and value is not None else b""
    writers = _WRITERS[name]
    parts = []
    for field, item in value.items():
        if item is not None and (write := writers.get(field)) is not None:
            parts.append(write(item, walk))
    return b"".join(parts)


def write_field(message: str, field: str, value: Json, walk: Walk) -> bytes:
    """A field of that message with its tag, for a value that is not null.

    Raises MalformedBody for a list of items that is none, TooMuchWork, WorkStopped.
    """
    return _WRITERS[message][field](value, walk)


def _of_json_type(value: Json, walk: Walk) -> bytes:
    """An AnyValue of the type that the value has in JSON."""
    return _WRITERS[_ANY][_FIELD_OF_TYPE.get(type(value), "stringValue")](value, walk)


def _nested_writer(field: Field) -> Writer:
    """The writer of a value that holds values."""
    write_nested, empty = _message_writer(field), tag_of(field) + delimited(b"")

    def write(value: Json, walk: Walk) -> bytes:
        if walk.nesting == VALUE_NESTING_MAX:
            return empty if isinstance(value, dict) else b""
        walk.nesting += 1
        written = write_nested(value, walk)
        walk.nesting -= 1
        return written

    return write


def _message_writer(field: Field) -> Writer:
    tag, name = tag_of(field), field.type

    def write(value: Json, walk: Walk) -> bytes:
        if not isinstance(value, dict) and name != _ANY:
            return b""
        return tag + delimited(write_message(name, value, walk))

    return write


def _list_writer(field: Field) -> Writer:
    """The writer of a list of messages. An element null of an array keeps its position."""
    tag, name, keeps_null = tag_of(field), field.type, field.type == _ANY

    def write(value: Json, walk: Walk) -> bytes:
        if not isinstance(value, list):
            return b""
        walk.see(len(value))
        return b"".join(
            tag + delimited(write_message(name, item, walk))
            for item in value
            if isinstance(item, dict) or keeps_null
        )

    return write


def _items_writer(field: Field) -> Writer:
    """The writer of a list of items that is none; `transcode` reads those that are."""

    def write(value: Json, walk: Walk) -> bytes:
        if value in ({}, ""):  # how some languages write an empty list
            return b""
        raise MalformedBody(f"{field.json_name} is not a list")

    return write


def _scalar_writer(field: Field, reader: Reader) -> Writer:
    tag = tag_of(field)
    unwritten = None if field.always else _ZEROS[wire_type_of(field)]

    def write(value: Json, walk: Walk) -> bytes:
        payload = reader(value)
        return b"" if payload is None or payload == unwritten else tag + payload

    return write


def _value_writer(field: Field, reader: Reader) -> Writer:
    """The writer of a scalar of AnyValue: what it cannot read it writes with the type it has."""
    tag = tag_of(field)

    def write(value: Json, walk: Walk) -> bytes:
        payload = reader(value)
        if payload is not None:
            return tag + payload
        return b"" if field.kind is Kind.STRING else _of_json_type(value, walk)

    return write


def _integer_writer(field: Field, otherwise: Writer) -> Writer:
    """The writer of a whole number that may be beyond 64 bits, or none: it is a double then."""
    tag, tag_of_double = tag_of(field), varint_tag(field.double, EIGHT_BYTES)
    reader = READERS[field.kind]

    def write(value: Json, walk: Walk) -> bytes:
        read = double(value)
        if read is None:
            return otherwise(value, walk)
        payload = reader(value) if read.is_integer() else None
        return tag_of_double + _DOUBLE.pack(read) if payload is None else tag + payload

    return write


def _texts_writer(field: Field, reader: Reader) -> Writer:
    tag = tag_of(field)

    def write(value: Json, walk: Walk) -> bytes:
        if not isinstance(value, list):
            return b""
        walk.see(len(value))
        return b"".join(tag + (reader(item) or b"\x00") for item in value if item is not None)

    return write


def _packed_writer(field: Field, reader: Reader) -> Writer:
    """The writer of a list of numbers. What is none becomes 0, so that the others keep theirs."""
    tag, zero = varint_tag(field.number, DELIMITED), _ZEROS[wire_type_of(field)]

    def write(value: Json, walk: Walk) -> bytes:
        if not isinstance(value, list) or not value:
            return b""
        walk.see(len(value))
        return tag + delimited(b"".join(reader(item) or zero for item in value))

    return write


def _writer(message: str, field: Field) -> Writer:
    if field.kind is Kind.MESSAGE:
        if message == _ANY:
            return _nested_writer(field)
        if field.items:
            return _items_writer(field)
        return _list_writer(field) if field.repeated else _message_writer(field)
    reader = enum_reader(field.type) if field.kind is Kind.ENUM else READERS[field.kind]
    if field.repeated:
        make = _texts_writer if field.kind is Kind.STRING else _packed_writer
        return make(field, reader)
    if field.double:
        return _integer_writer(field, _of_json_type if message == _ANY else _nothing)
    return _value_writer(field, reader) if message == _ANY else _scalar_writer(field, reader)


def _nothing(value: Json, walk: Walk) -> bytes:
    return b""


_WRITERS: Final[Mapping[str, Mapping[str, Writer]]] = {
    message: {
        name: writer
        for field in fields
        for writer in (_writer(message, field),)
        for name in field.names
    }
    for message, fields in MESSAGES.items()
}
