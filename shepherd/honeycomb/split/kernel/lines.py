"""An event as a line of a record: `{"t":<unix ns>,"r":<rate>,"d":<data>}` and a line break.

The same bytes as `common.model.record.encode_event_line` makes of what the reference accepted.
"""

from common.kernels.compile import Bytes, compiled, inlined
from common.kernels.intrinsics import byte_at, store8, store64
from common.scan.kernel.decimals import write_integer
from common.scan.kernel.strings import copy_run

_TIME = int.from_bytes(b'{"t":', "little")
_RATE = int.from_bytes(b',"r":', "little")
_DATA = int.from_bytes(b',"d":', "little")


@compiled
def write_head(out: Bytes, to: int, time_ns: int, rate: int) -> int:
    """Write what stands before a line's data; returns the place behind it."""
    store64(out, to, _TIME)
    to = write_integer(out, to + 5, time_ns)
    store64(out, to, _RATE)
    to = write_integer(out, to + 5, rate)
    store64(out, to, _DATA)
    return to + 5


@inlined
def write_end(out: Bytes, to: int) -> int:
    """Write what stands behind it; returns the place behind the line."""
    store8(out, to, 125)
    store8(out, to + 1, 10)
    return to + 2


@compiled
def _to_one_line(out: Bytes, at: int, end: int) -> None:
    """Line breaks between tokens become blanks; within strings there are none."""
    for place in range(at, end):
        byte = byte_at(out, place)
        if byte == 10 or byte == 13:
            store8(out, place, 32)


@compiled
def write_line(
    buffer: Bytes, data: int, size: int, blanks: int, time_ns: int, rate: int, out: Bytes, to: int
) -> int:
    """Write the line of the data at `data`; returns the place behind it. Up to 31 bytes more are
    overwritten. blanks: whether there may be line breaks in it.
    """
    to = write_head(out, to, time_ns, rate)
    copy_run(out, to, buffer, data, size)
    if blanks:
        _to_one_line(out, to, to + size)
    return write_end(out, to + size)
