"""Writes the small protobuf messages of answers: three kinds of fields need no library."""

from typing import Final

_VARINT: Final = 0  # protobuf's wire types
_LENGTH_DELIMITED: Final = 2
_MORE: Final = 0x80


def rpc_status(code: int, text: str) -> bytes:
    """A `google.rpc.Status` without details."""
    return number_field(1, code) + text_field(2, text)


def number_field(field: int, value: int) -> bytes:
    """A field that holds a number of 0 or more."""
    return _varint(field << 3 | _VARINT) + _varint(value)


def text_field(field: int, text: str) -> bytes:
    """A field that holds a text; half surrogate pairs become question marks."""
    return bytes_field(field, text.encode(errors="replace"))


def bytes_field(field: int, value: bytes) -> bytes:
    """A field that holds bytes or another message."""
    return _varint(field << 3 | _LENGTH_DELIMITED) + _varint(len(value)) + value


def _varint(number: int) -> bytes:
    written = bytearray()
    while number >= _MORE:
        written.append(number % _MORE | _MORE)
        number //= _MORE
    written.append(number)
    return bytes(written)
