"""Ids of traces and spans as lower-case hexadecimal text, four bytes per step."""

from common.kernels.compile import Bytes, inlined
from common.kernels.intrinsics import load64, store64

_FOUR_BYTES = 0xFFFFFFFF
_TO_LETTERS = 39  # from the character that would follow "9" to "a"


@inlined
def _write_four(out: Bytes, to: int, word: int) -> None:
    """Write the eight digits of the four bytes of a word, the lowest byte first."""
    apart = (word | word << 16) & 0x0000FFFF0000FFFF
    apart = (apart | apart << 8) & 0x00FF00FF00FF00FF
    digits = ((apart >> 4) & 0x000F000F000F000F) | ((apart & 0x000F000F000F000F) << 8)
    letters = ((digits + 0x0606060606060606) >> 4) & 0x0101010101010101
    store64(out, to, digits + 0x3030303030303030 + letters * _TO_LETTERS)


@inlined
def write_id(out: Bytes, to: int, buffer: Bytes, at: int, size: int) -> int:
    """Write buffer[at:at+size], a multiple of 8 bytes, as twice as many digits; their end."""
    for step in range(0, size, 8):
        word = load64(buffer, at + step)
        _write_four(out, to, word & _FOUR_BYTES)
        _write_four(out, to + 8, (word >> 32) & _FOUR_BYTES)
        to += 16
    return to
