"""Thrift's compact protocol, as far as Parquet needs it: writing structs, field after field.

Source: thrift-compact-protocol.md of Apache Thrift. Fields must be added in the order of their ids.
"""

from collections.abc import Sequence
from typing import Self

_TRUE, _FALSE = 1, 2
_I16, _I32, _I64 = 4, 5, 6
_BINARY, _LIST, _STRUCT = 8, 9, 12
_SHORT_LIST_MAX = 14
_STEP_MAX = 15  # further from the last id, a field's id is written out


def varint(value: int) -> bytes:
    """An unsigned integer, seven bits per byte, the lowest first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _signed(value: int) -> bytes:
    return varint(value << 1 if value >= 0 else (-value << 1) - 1)


class Struct:
    """A struct being written. Every method adds one field and returns the struct."""

    __slots__ = ("_last", "_out")

    def __init__(self) -> None:
        self._out = bytearray()
        self._last = 0

    def i16(self, field: int, value: int) -> Self:
        """A 16-bit integer."""
        return self._add(field, _I16, _signed(value))

    def i32(self, field: int, value: int) -> Self:
        """A 32-bit integer, or an enumeration."""
        return self._add(field, _I32, _signed(value))

    def i64(self, field: int, value: int) -> Self:
        """A 64-bit integer."""
        return self._add(field, _I64, _signed(value))

    def flag(self, field: int, value: bool) -> Self:
        """A boolean: its type is its value."""
        return self._add(field, _TRUE if value else _FALSE, b"")

    def binary(self, field: int, value: bytes) -> Self:
        """Bytes, or a text in UTF-8."""
        return self._add(field, _BINARY, varint(len(value)) + value)

    def struct(self, field: int, value: "Struct") -> Self:
        """A struct, or a union: a struct of one field."""
        return self._add(field, _STRUCT, value.encoded())

    def structs(self, field: int, values: "Sequence[Struct]") -> Self:
        """A list of structs."""
        return self._list(field, _STRUCT, [value.encoded() for value in values])

    def i32s(self, field: int, values: Sequence[int]) -> Self:
        """A list of 32-bit integers."""
        return self._list(field, _I32, [_signed(value) for value in values])

    def i64s(self, field: int, values: Sequence[int]) -> Self:
        """A list of 64-bit integers."""
        return self._list(field, _I64, [_signed(value) for value in values])

    def flags(self, field: int, values: Sequence[bool]) -> Self:
        """A list of booleans."""
        return self._list(field, _TRUE, [bytes([_TRUE if one else _FALSE]) for one in values])

    def binaries(self, field: int, values: Sequence[bytes]) -> Self:
        """A list of bytes."""
        return self._list(field, _BINARY, [varint(len(value)) + value for value in values])

    def encoded(self) -> bytes:
        """The struct's bytes."""
        return bytes(self._out) + b"\0"

    def _list(self, field: int, kind: int, values: Sequence[bytes]) -> Self:
        size = len(values)
        head = bytes([size << 4 | kind]) if size <= _SHORT_LIST_MAX else b""
        return self._add(field, _LIST, (head or bytes([0xF0 | kind]) + varint(size)), *values)

    def _add(self, field: int, kind: int, *value: bytes) -> Self:
        step = field - self._last
        if 0 < step <= _STEP_MAX:
            self._out.append(step << 4 | kind)
        else:
            self._out.append(kind)
            self._out += _signed(field)
        self._last = field
        for part in value:
            self._out += part
        return self
