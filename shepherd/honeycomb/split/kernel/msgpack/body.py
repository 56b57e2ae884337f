"""The array that a msgpack body is: its elements one after the other, as lines of a record.

As `shepherd.honeycomb.split.kernel.body`. An element that is not proved ends a pass, its own end
found: each byte is read once, or twice where a pass ended at its element.
"""

from common import limits
from common.kernels.compile import FULL, Bytes, Int64s, compiled
from common.kernels.intrinsics import byte_at, get, put
from shepherd.honeycomb.split.kernel.element_faults import (
    BROKEN,
    DONE,
    ELEMENT,
    MORE,
    begin_entries,
)
from shepherd.honeycomb.split.kernel.memory import (
    DATA_AT,
    DATA_BYTES,
    DATA_END,
    ELEMENT_END,
    LINE_BYTES,
    OPENED,
    ROWS_MAX,
)
from shepherd.honeycomb.split.kernel.msgpack.element import finish_line, write_members
from shepherd.honeycomb.split.kernel.msgpack.tokens import container_size, skip_value


@compiled
def split_packed(
    buffer: Bytes,
    size: int,
    at: int,
    elements: int,
    depth: int,
    arrival_ns: int,
    words: Int64s,
    out: Bytes,
) -> tuple[int, int, int, int, int]:
    """One pass over buffer[:size]: (why it ended, at, elements, lines, bytes of the lines).

    at: where an element begins, negative for the body's begin.
    elements: number of elements that were read before.
    """
    rows = 0
    to = 0
    begin_entries(words)
    head_end, is_map, count = container_size(buffer, 0, byte_at(buffer, 0))
    if head_end < 0 or head_end > size or is_map or count > limits.BATCH_EVENTS_MAX:
        return BROKEN, at, elements, rows, to
    if at < 0:
        at = head_end
    while elements < count:
        if rows >= ROWS_MAX:
            return MORE, at, elements, rows, to
        end = write_members(buffer, size, at, depth, words, out, to)
        line_end = end if end < 0 else finish_line(buffer, arrival_ns, words, out, to)
        if line_end == FULL and rows > 0:
            return MORE, at, elements, rows, to
        if line_end < 0:  # also what no empty pass has room for: it is too large
            end = skip_value(buffer, size, at, words, OPENED)
            put(words, ELEMENT_END, end)
            return (ELEMENT if end >= 0 else BROKEN), at, elements, rows, to
        put(words, LINE_BYTES + rows, line_end - to)
        put(words, DATA_BYTES + rows, get(words, DATA_END) - get(words, DATA_AT))
        rows += 1
        elements += 1
        at = end
        to = line_end
    return (DONE if at == size else BROKEN), at, elements, rows, to
