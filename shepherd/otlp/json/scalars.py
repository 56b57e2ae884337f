"""Single values of JSON as protobuf writes them, read as leniently as clients write them.

A reader takes a value of JSON that is not null, and gives the payload of a field without its tag,
or None where the value cannot be read as that kind.

Read beside the standard's own forms: numbers as texts and texts as numbers, whole numbers with a
fraction or an exponent, base64 of either alphabet with and without its padding, enums by number,
full name or short name. Bytes that are no UTF-8, and surrogates without a partner, become U+FFFD.
"""

import base64
import binascii
import json
import math
import re
import struct
from collections.abc import Callable, Mapping
from typing import Final

import orjson

from shepherd.otlp.json.schema import ENUM_PREFIXES, ENUMS, Kind

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Payload = bytes | None
Reader = Callable[[Json], Payload]

_INTEGER = re.compile(r"[+-]?[0-9]{1,40}", re.ASCII)
# No part gives back what it matched (`++`), nor matches what the one before it does: a wrong text
# would cost up to the square of its length, within one call, and so stop the whole role.
_NUMBER = re.compile(r"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?", re.ASCII)
_NOT_FINITE: Final = {
    "NaN": math.nan,
    "Infinity": math.inf,
    "+Infinity": math.inf,
    "-Infinity": -math.inf,
}
_SURROGATE = re.compile("[\ud800-\udfff]")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_ID_BYTES: Final = (16, 8)  # of a trace's and of a span's id
_SHORT_VARINTS: Final = 16_384
_WORD: Final = 2**64
_DOUBLE = struct.Struct("<d")


def varint(value: int) -> bytes:
    """A number from 0 in groups of seven bits, the lowest first."""
    if value < _SHORT_VARINTS:
        return _VARINTS[value]
    return _long_varint(value)


def _long_varint(value: int) -> bytes:
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


_VARINTS: Final = tuple(map(_long_varint, range(_SHORT_VARINTS)))


def delimited(data: bytes) -> bytes:
    """The payload of a text, of bytes or of a message."""
    return varint(len(data)) + data


def utf8(text: str) -> bytes:
    """The text's bytes. A surrogate without a partner becomes U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text).encode()


def number(value: Json) -> int | float | None:
    """The number that a value is, or that its text names."""
    if isinstance(value, str):
        text = value.strip()
        if _INTEGER.fullmatch(text):
            return int(text)
        if _NUMBER.fullmatch(text):
            return float(text)
        return _NOT_FINITE.get(text)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return None


def whole(value: Json, least: int, beyond: int) -> int | None:
    """The value's whole number, if least <= number < beyond. A fraction is cut off."""
    read = number(value)
    if read is None or (isinstance(read, float) and not math.isfinite(read)):
        return None
    found = int(read)
    return found if least <= found < beyond else None


def double(value: Json) -> float | None:
    """The nearest double: infinity beyond all of them."""
    read = number(value)
    if read is None:
        return None
    try:
        return float(read)
    except OverflowError:
        return math.copysign(math.inf, read)


def _string(value: Json) -> Payload:
    text = utf8(value) if isinstance(value, str) else json_text(value)
    return None if text is None else delimited(text)


def json_text(value: Json) -> Payload:
    """A value's own text in JSON; None if it is nested too deeply to be written."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:  # surrogates without a partner, integers beyond 64 bits, depth
        pass
    try:
        return utf8(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    except RecursionError:
        return None


def _bytes(value: Json) -> Payload:
    data = from_base64(value) if isinstance(value, str) else None
    return None if data is None else delimited(data)


def from_base64(text: str) -> bytes | None:
    """The bytes of base64 in either alphabet, with or without its padding; None if it is none."""
    standard = utf8(text.strip()).rstrip(b"=").translate(_STANDARD)
    if _NOT_BASE64.search(standard):
        return None
    try:
        return base64.b64decode(standard + b"=" * (-len(standard) % 4))
    except binascii.Error:
        return None


_STANDARD: Final = bytes.maketrans(b"-_", b"+/")


def _id(value: Json) -> Payload:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return delimited(id_bytes(str(value).strip()))


def id_bytes(text: str) -> bytes:
    """An id's bytes: hexadecimal of any length and case, also with the dashes of a UUID; base64
    that holds exactly an id, as plain protobuf JSON writes one; else the text itself, so that what
    has the same odd id is still found together.
    """
    try:
        return bytes.fromhex(text)
    except ValueError:
        pass
    decoded = from_base64(text)
    if decoded is not None and len(decoded) in _ID_BYTES:
        return decoded
    try:
        digits = text.replace("-", "")
        return bytes.fromhex("0" * (len(digits) % 2) + digits)
    except ValueError:
        return utf8(text)


def _bool(value: Json) -> Payload:
    if isinstance(value, str):
        value = {"true": True, "false": False}.get(value.strip().lower())
    if isinstance(value, bool | int | float):
        return b"\x01" if value else b"\x00"
    return None


def _varint_reader(least: int, beyond: int) -> Reader:
    def read(value: Json) -> Payload:
        found = whole(value, least, beyond)
        return None if found is None else varint(found % _WORD)

    return read


def _zigzag(value: Json) -> Payload:
    found = whole(value, -(2**31), 2**31)
    return None if found is None else varint(found * 2 if found >= 0 else -found * 2 - 1)


def _fixed_reader(size: int, least: int, beyond: int) -> Reader:
    def read(value: Json) -> Payload:
        found = whole(value, least, beyond)
        return None if found is None else found.to_bytes(size, "little", signed=least < 0)

    return read


def _double(value: Json) -> Payload:
    found = double(value)
    return None if found is None else _DOUBLE.pack(found)


def enum_reader(name: str) -> Reader:
    """The reader of an enum. Numbers without a name pass."""
    prefix = ENUM_PREFIXES[name]
    numbers = {value: varint(at) for at, value in enumerate(ENUMS[name])}

    def read(value: Json) -> Payload:
        if isinstance(value, str):
            found = numbers.get(value.strip().upper().removeprefix(prefix))
            if found is not None:
                return found
        return READERS[Kind.INT32](value)

    return read


READERS: Final[Mapping[Kind, Reader]] = {
    Kind.STRING: _string,
    Kind.BYTES: _bytes,
    Kind.ID: _id,
    Kind.BOOL: _bool,
    Kind.INT32: _varint_reader(-(2**31), 2**31),
    Kind.UINT32: _varint_reader(0, 2**32),
    Kind.SINT32: _zigzag,
    Kind.INT64: _varint_reader(-(2**63), 2**63),
    Kind.UINT64: _varint_reader(0, _WORD),
    Kind.FIXED32: _fixed_reader(4, 0, 2**32),
    Kind.FIXED64: _fixed_reader(8, 0, _WORD),
    Kind.SFIXED64: _fixed_reader(8, -(2**63), 2**63),
    Kind.DOUBLE: _double,
}
