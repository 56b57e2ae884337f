"""White space, the words true, false and null, and equality of byte runs."""

from common.kernels.compile import FAIL, Bytes, inlined
from common.kernels.intrinsics import byte_at, differing, load64

NO_BREAK = 32  # for `skip_blanks`: lines of a record, where a line break ends the event
LINE_BREAK = 10  # for `skip_blanks`: bodies, where it is white space like any other
_TRUE = 0x65757274
_NULL = 0x6C6C756E
_FALSE = 0x65736C6166
_FOUR = 0xFFFFFFFF
_FIVE = 0xFFFFFFFFFF


@inlined
def skip_blanks(buffer: Bytes, at: int, line_break: int) -> int:
    """The first place from `at` on that is not white space. line_break: see above."""
    while True:
        byte = byte_at(buffer, at)
        if byte == 32 or byte == line_break or byte == 13 or byte == 9:
            at += 1
        else:
            return at


@inlined
def read_word(buffer: Bytes, at: int) -> tuple[int, int]:
    """(end or FAIL, value): 1 for true, 0 for false, -1 for null. One load and a compare each."""
    word = load64(buffer, at)
    if word & _FOUR == _TRUE:
        return at + 4, 1
    if word & _FOUR == _NULL:
        return at + 4, -1
    if word & _FIVE == _FALSE:
        return at + 5, 0
    return FAIL, 0


@inlined
def equal(left: Bytes, i: int, right: Bytes, j: int, size: int) -> bool:
    """Whether `size` bytes are the same. 32 per step; both buffers need 32 bytes of padding."""
    while size > 32:
        if differing(left, i, right, j) != 0:
            return False
        i += 32
        j += 32
        size -= 32
    return bool(differing(left, i, right, j) & ((1 << size) - 1) == 0)
