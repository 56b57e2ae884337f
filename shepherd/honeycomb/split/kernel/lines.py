"""An event as a line of a record: `{"t":<unix ns>,"r":<rate>,"d":<data>}` and a line break.

The same bytes as `common.model.record_value.encode_event_line` makes of what the reference
accepted.
"""

from common.kernels.compile import Bytes, compiled, inlined
from common.kernels.intrinsics import byte_at, store8, store64
from common.scan.kernel.ascii_codes import CARRIAGE_RETURN, CLOSE_BRACE, LINE_BREAK, SPACE
from common.scan.kernel.decimals import write_integer
from common.scan.kernel.strings import copy_run

_TIME = int.from_bytes(b'{"t":', "little")
_RATE = int.from_bytes(b',"r":', "little")
_DATA = int.from_bytes(b',"d":', "little")


@compiled
def write_head(out: Bytes, to: int, time_ns: int, rate: int) -> int:
    """Write what stands before a line's data; returns its end."""
    store64(out, to, _TIME)
    to = write_integer(out, to + 5, time_ns)
    store64(out, to, _RATE)
    to = write_integer(out, to + 5, rate)
    store64(out, to, _DATA)
    return to + 5


@inlined
def write_end(out: Bytes, to: int) -> int:
    """Write what stands after the data; returns the line's end."""
    store8(out, to, CLOSE_BRACE)
    store8(out, to + 1, LINE_BREAK)
    return to + 2


@compiled
def _to_one_line(out: Bytes, at: int, end: int) -> None:
    """Line breaks between tokens become blanks; within strings there are none."""
    for n in range(at, end):
        byte = byte_at(out, n)
        if byte == LINE_BREAK or byte == CARRIAGE_RETURN:
            store8(out, n, SPACE)


@compiled
def write_line(
    buffer: Bytes, data: int, size: int, blanks: int, time_ns: int, rate: int, out: Bytes, to: int
) -> int:
    """Write the line of the data at `data`; returns its end. Up to 31 bytes after it are
    overwritten. blanks: whether there may be line breaks in it.
    """
    to = write_head(out, to, time_ns, rate)
    copy_run(out, to, buffer, data, size)
    if blanks:
        _to_one_line(out, to, to + size)
    return write_end(out, to + size)
