"""An event's data as it came, as a line of a record."""

from common.kernels.compile import Bytes, compiled
from common.kernels.intrinsics import byte_at, store8
from common.scan.kernel.ascii_codes import CARRIAGE_RETURN, LINE_BREAK, SPACE
from common.scan.kernel.record_lines import write_end, write_head
from common.scan.kernel.strings import copy_run


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
