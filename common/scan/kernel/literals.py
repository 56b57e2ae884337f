"""White space, the literals true, false and null, and equality of byte runs."""

from common.kernels.compile import FAIL, Bytes, inlined
from common.kernels.intrinsics import byte_at, differing, load64
from common.scan.kernel.ascii_codes import CARRIAGE_RETURN, SPACE, TAB

NO_BREAK = SPACE  # for `skip_blanks`: in a line of a record, where a line break ends the event
_TRUE = int.from_bytes(b"true", "little")
_NULL = int.from_bytes(b"null", "little")
_FALSE = int.from_bytes(b"false", "little")
_FOUR_BYTES = 0xFFFFFFFF
_FIVE_BYTES = 0xFFFFFFFFFF


@inlined
def skip_blanks(buffer: Bytes, at: int, line_break: int) -> int:
    """The first position from `at` on that is not white space.

    line_break: LINE_BREAK in bodies, where it is white space like any other; else NO_BREAK.
    """
    while True:
        byte = byte_at(buffer, at)
        if byte == SPACE or byte == line_break or byte == CARRIAGE_RETURN or byte == TAB:
            at += 1
        else:
            return at


@inlined
def read_literal(buffer: Bytes, at: int) -> tuple[int, int]:
    """(end or FAIL, value): 1 for true, 0 for false, -1 for null. One load and a compare each."""
    word = load64(buffer, at)
    if word & _FOUR_BYTES == _TRUE:
        return at + 4, 1
    if word & _FOUR_BYTES == _NULL:
        return at + 4, -1
    if word & _FIVE_BYTES == _FALSE:
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
