"""Reads protobuf messages field by field, as the encoding's public description tells.

A field that is written with another wire type than its message declares is an unknown field, and
unknown fields are skipped: their content is not looked at. A message that is cut off, or whose
lengths pass its end, is malformed, and so is the request that it is in.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from common import limits
from common.scan.events import MalformedBody
from common.scan.work_budget import Work

_VARINT: Final = 0
_FIXED64: Final = 1
_LENGTH: Final = 2
_GROUP_START: Final = 3
_GROUP_END: Final = 4
_FIXED32: Final = 5
_KIND_BITS: Final = 3
_KIND: Final = 7
_TAG_MAX: Final = 2**32 - 1  # field numbers have 29 bits
_VARINT_BYTES_MAX: Final = 10
_MORE: Final = 0x80
_SEVEN_BITS: Final = 0x7F
_UINT64: Final = 2**64 - 1
_INT64_MAX: Final = 2**63 - 1
_GROUPS_MAX: Final = 32  # within each other, all unknown: no OTLP message has ever had one
_FIELDS_CHECKED: Final = 64  # between two looks at the work that is left
_FIELDS_PER_UNIT: Final = 2
_NOTHING: Final = memoryview(b"")
_UTF8_BYTES_MAX: Final = 4  # of one character
_LEADING_BITS: Final = 0xC0
_CONTINUATION: Final = 0x80
_TEXT_READ_MAX: Final = limits.LONG_STRING_BYTES_MAX + 2 * _UTF8_BYTES_MAX


def varint(number: int) -> int:
    """The tag of a field of integers, enums or booleans."""
    return number << _KIND_BITS | _VARINT


def fixed64(number: int) -> int:
    """The tag of a field of 8 bytes: fixed64, sfixed64, double."""
    return number << _KIND_BITS | _FIXED64


def fixed32(number: int) -> int:
    """The tag of a field of 4 bytes."""
    return number << _KIND_BITS | _FIXED32


def length_delimited(number: int) -> int:
    """The tag of a field of strings, bytes, messages or packed numbers."""
    return number << _KIND_BITS | _LENGTH


class Field(NamedTuple):
    """One field of a message."""

    tag: int  # its number and wire type, as `varint`, `fixed64` and `length_delimited` give it
    value: int  # of a number, unsigned; 0 of others
    content: memoryview  # of a length-delimited field; empty of others


def fields(message: memoryview, work: Work) -> Iterator[Field]:
    """The fields of a message in their order, without groups.

    Raises MalformedBody where a field is broken, TooMuchWork, WorkStopped.
    """
    at, end = 0, len(message)
    read = 0
    while at < end:
        read += 1
        if read == _FIELDS_CHECKED:
            work.spend(read // _FIELDS_PER_UNIT)
            read = 0
        tag, at = _read_tag(message, at)
        kind = tag & _KIND
        if kind == _VARINT:
            value, at = _read_varint(message, at)
            yield Field(tag, value, _NOTHING)
        elif kind == _LENGTH:
            length, at = _read_varint(message, at)
            if length > end - at:
                raise _malformed()
            yield Field(tag, 0, message[at : at + length])
            at += length
        elif kind == _GROUP_START:
            at = _skip_group(message, at, tag >> _KIND_BITS, work)
        else:
            size = _fixed_size(kind)
            if size > end - at:
                raise _malformed()
            yield Field(tag, int.from_bytes(message[at : at + size], "little"), _NOTHING)
            at += size
    work.spend(1 + read // _FIELDS_PER_UNIT)


def varints(packed: memoryview, work: Work) -> Iterator[int]:
    """The unsigned numbers of a packed field. Raises as `fields`."""
    at = read = 0
    while at < len(packed):
        read += 1
        if read == _FIELDS_CHECKED:
            work.spend(read // _FIELDS_PER_UNIT)
            read = 0
        value, at = _read_varint(packed, at)
        yield value


def signed(value: int) -> int:
    """An int32, int64 or enum from its unsigned 64 bits."""
    return value if value <= _INT64_MAX else value - _UINT64 - 1


def text_of(content: memoryview) -> tuple[str, bool]:
    """A string, and whether it is UTF-8 as it must be: each wrong part becomes U+FFFD.

    Of a string that is longer than any that can be stored there is more than can be, and not all.
    """
    raw = bytes(content[:_TEXT_READ_MAX])
    if len(raw) == _TEXT_READ_MAX < len(content):
        raw = raw[: _whole_characters(raw)]
    try:
        return raw.decode(), True
    except UnicodeDecodeError:
        return raw.decode(errors="replace"), False


def _whole_characters(raw: bytes) -> int:
    """Where the last character begins that may be cut off at the end."""
    end = len(raw) - 1
    while end > len(raw) - _UTF8_BYTES_MAX and raw[end] & _LEADING_BITS == _CONTINUATION:
        end -= 1
    return end


def _malformed() -> MalformedBody:
    return MalformedBody("a protobuf message in it is truncated or damaged")


def _read_tag(message: memoryview, at: int) -> tuple[int, int]:
    tag, at = _read_varint(message, at)
    if tag > _TAG_MAX or not tag >> _KIND_BITS:
        raise _malformed()
    return tag, at


def _read_varint(message: memoryview, at: int) -> tuple[int, int]:
    """An unsigned number of at most 64 bits, and where it ends."""
    value = shift = 0
    for byte in message[at : at + _VARINT_BYTES_MAX]:
        at += 1
        value |= (byte & _SEVEN_BITS) << shift
        if byte < _MORE:
            return value & _UINT64, at
        shift += 7
    raise _malformed()


def _fixed_size(kind: int) -> int:
    if kind == _FIXED64:
        return 8
    if kind == _FIXED32:
        return 4
    raise _malformed()


def _skip_group(message: memoryview, at: int, number: int, work: Work) -> int:
    """Where an unknown group ends that begins at `at`."""
    open_groups = [number]
    while open_groups:
        work.spend(1)
        if at >= len(message) or len(open_groups) > _GROUPS_MAX:
            raise _malformed()
        tag, at = _read_tag(message, at)
        kind = tag & _KIND
        if kind == _GROUP_START:
            open_groups.append(tag >> _KIND_BITS)
        elif kind == _GROUP_END:
            if open_groups.pop() != tag >> _KIND_BITS:
                raise _malformed()
        elif kind == _VARINT:
            _, at = _read_varint(message, at)
        elif kind == _LENGTH:
            length, at = _read_varint(message, at)
            at += length
        else:
            at += _fixed_size(kind)
        if at > len(message):
            raise _malformed()
    return at
