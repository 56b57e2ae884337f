"""Thrift's compact protocol, as far as Parquet needs it: writing structs, field after field.

Source: thrift-compact-protocol.md of Apache Thrift. Fields must be added in the order of their ids.
"""

from collections.abc import Sequence
from typing import Self

_TRUE, _FALSE = 1, 2
_I16, _I32, _I64 = 4, 5, 6
_BINARY, _LIST, _STRUCT = 8, 9, 12
_SHORT_LIST_MAX = 14
_ONE_BYTE = 128


def varint(value: int) -> bytes:
    """An unsigned integer, seven bits per byte, the lowest first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def zigzag(value: int) -> int:
    """A signed integer as an unsigned one, small where its size is small."""
    return value << 1 if value >= 0 else (-value << 1) - 1


class Struct:
    """A struct being written. Every method adds one field and returns the struct.

    A segment has 50 of these calls for each of its columns: they are short before they are pretty.
    """

    __slots__ = ("_last", "_out")

    def __init__(self) -> None:
        self._out = bytearray()
        self._last = 0

    def i16(self, field: int, value: int) -> Self:
        """A 16-bit integer."""
        return self._integer(field, _I16, value)

    def i32(self, field: int, value: int) -> Self:
        """A 32-bit integer, or an enumeration."""
        return self._integer(field, _I32, value)

    def i64(self, field: int, value: int) -> Self:
        """A 64-bit integer."""
        return self._integer(field, _I64, value)

    def flag(self, field: int, value: bool) -> Self:
        """A boolean: its type is its value."""
        self._begin(field, _TRUE if value else _FALSE)
        return self

    def binary(self, field: int, value: bytes) -> Self:
        """Bytes, or a text in UTF-8."""
        self._begin(field, _BINARY)
        self._put(len(value))
        self._out += value
        return self

    def struct(self, field: int, value: "Struct") -> Self:
        """A struct, or a union: a struct of one field."""
        self._begin(field, _STRUCT)
        self._out += value.encoded()
        return self

    def structs(self, field: int, values: "Sequence[Struct]") -> Self:
        """A list of structs."""
        self._begin_list(field, _STRUCT, len(values))
        for value in values:
            self._out += value.encoded()
        return self

    def i32s(self, field: int, values: Sequence[int]) -> Self:
        """A list of 32-bit integers."""
        return self._integers(field, _I32, values)

    def i64s(self, field: int, values: Sequence[int]) -> Self:
        """A list of 64-bit integers."""
        return self._integers(field, _I64, values)

    def flags(self, field: int, values: Sequence[bool]) -> Self:
        """A list of booleans."""
        self._begin_list(field, _TRUE, len(values))
        self._out += bytes(_TRUE if one else _FALSE for one in values)
        return self

    def binaries(self, field: int, values: Sequence[bytes]) -> Self:
        """A list of bytes."""
        self._begin_list(field, _BINARY, len(values))
        for value in values:
            self._put(len(value))
            self._out += value
        return self

    def encoded(self) -> bytes:
        """The struct's bytes."""
        return bytes(self._out) + b"\0"

    def _integers(self, field: int, kind: int, values: Sequence[int]) -> Self:
        self._begin_list(field, kind, len(values))
        for value in values:
            self._put(zigzag(value))
        return self

    def _integer(self, field: int, kind: int, value: int) -> Self:
        self._begin(field, kind)
        value = value << 1 if value >= 0 else (-value << 1) - 1
        if value < _ONE_BYTE:
            self._out.append(value)
        else:
            self._out += varint(value)
        return self

    def _begin(self, field: int, kind: int) -> None:
        self._out.append(
            field - self._last << 4 | kind
        )  # a step of up to 15, as all of Parquet's are
        self._last = field

    def _begin_list(self, field: int, kind: int, size: int) -> None:
        self._begin(field, _LIST)
        if size <= _SHORT_LIST_MAX:
            self._out.append(size << 4 | kind)
        else:
            self._out.append(0xF0 | kind)
            self._out += varint(size)

    def _put(self, size: int) -> None:
        if size < _ONE_BYTE:
            self._out.append(size)
        else:
            self._out += varint(size)
