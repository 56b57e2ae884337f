"""An event as a line of a record: `{"t":<unix ns>,"r":<rate>,"d":<data>}` and a line break.

The same bytes as `common.model.record_value.encode_event_line` makes of what a reference accepted.
"""

from typing import Final

from common.kernels.compile import Bytes, compiled, inlined
from common.kernels.intrinsics import store8, store64
from common.scan.kernel.ascii_codes import CLOSE_BRACE, LINE_BREAK
from common.scan.kernel.decimals import write_integer

LINE_ROOM: Final = 64  # of a line beside its data: `{"t":,"r":,"d":}`, two numbers, a line break
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
