"""The members of a batch's elements that count, found by their names."""

from common.kernels.compile import Bytes, inlined
from common.kernels.intrinsics import load64

OTHER, DATA, TIME, RATE = range(4)
_DATA = int.from_bytes(b"data", "little")
_TIME = int.from_bytes(b"time", "little")
_SAMPLERA = int.from_bytes(b"samplera", "little")
_MPLERATE = int.from_bytes(b"mplerate", "little")
_TE = int.from_bytes(b"te", "little")
_FOUR_BYTES = 0xFFFFFFFF


@inlined
def member_of(buffer: Bytes, at: int, size: int) -> int:
    """Which member buffer[at:at+size] names. Needs 8 bytes of padding."""
    word = load64(buffer, at)
    if size == 4:
        word = word & _FOUR_BYTES
        return DATA if word == _DATA else (TIME if word == _TIME else OTHER)
    if size == 10 and word == _SAMPLERA and load64(buffer, at + 2) == _MPLERATE:
        return RATE
    return OTHER


@inlined
def member_of_text(first: int, rest: int, size: int) -> int:
    """The same of a name of up to ten ASCII characters: its first eight, the others, how many."""
    if size == 4:
        return DATA if first == _DATA else (TIME if first == _TIME else OTHER)
    return RATE if size == 10 and first == _SAMPLERA and rest == _TE else OTHER
