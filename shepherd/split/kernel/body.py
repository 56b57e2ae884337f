"""The array that a batch body is: its elements one after the other, as lines of a record.

A pass goes on where the last one ended, and ends at the end of the body, where memory is full, at
an element that is not proved (whole, or all but its time and rate), or where the text is no array.
Each byte is read once, or twice where a pass ended at its element: linear whatever the bytes are.
"""

from common import limits
from common.scan.kernel.build import Bytes, Words, compiled
from common.scan.kernel.lanes import byte_at, get, put
from common.scan.kernel.words import LINE_BREAK, skip_blanks
from shepherd.split.kernel.element import read_members, read_values
from shepherd.split.kernel.lines import write_line
from shepherd.split.kernel.memory import (
    DATA_AT,
    DATA_BLANKS,
    DATA_BYTES,
    DATA_END,
    LINE_BYTES,
    LINE_ROOM,
    OUT_BYTES,
    RATE,
    ROWS_MAX,
    TIME_NS,
    UNREAD,
)

# Why a pass ended.
(
    DONE,  # the body was read to its end
    MORE,  # there is no room for the next line
    ELEMENT,  # the element at `at` is for the reference
    VALUES,  # the element that ends at `at` is proved, but its time or rate is for the reference
    BROKEN,  # the body as a whole is for the reference
) = range(5)


@compiled
def split_events(
    buffer: Bytes,
    size: int,
    at: int,
    behind: int,
    elements: int,
    depth: int,
    arrival_ns: int,
    words: Words,
    out: Bytes,
) -> tuple[int, int, int, int, int]:
    """One pass over buffer[:size]: (why it ended, at, elements, lines, bytes of the lines).

    at: where it goes on, negative for the body's begin; behind: 1 if an element ends there, 0 if
    one begins; elements: how many were read before.
    """
    rows = 0
    to = 0
    state = BROKEN
    if at < 0:
        at = skip_blanks(buffer, 0, LINE_BREAK)
        if byte_at(buffer, at) != 91:
            return BROKEN, at, elements, rows, to
        at = skip_blanks(buffer, at + 1, LINE_BREAK)
        if byte_at(buffer, at) == 93:
            at = skip_blanks(buffer, at + 1, LINE_BREAK)
            return (DONE if at == size else BROKEN), at, elements, rows, to
    while True:
        if behind:
            at = skip_blanks(buffer, at, LINE_BREAK)
            byte = byte_at(buffer, at)
            at = skip_blanks(buffer, at + 1, LINE_BREAK)
            if byte == 93:
                state = DONE if at == size else BROKEN
                break
            if byte != 44:
                break
            behind = 0
        if elements >= limits.BATCH_EVENTS_MAX:
            break
        if rows >= ROWS_MAX:
            state = MORE
            break
        end = read_members(buffer, at, depth, words)
        if end < 0:
            state = ELEMENT
            break
        read_values(buffer, arrival_ns, words)
        data = get(words, DATA_AT)
        data_bytes = get(words, DATA_END) - data
        if get(words, UNREAD):
            at = end
            state = VALUES
            break
        if to + data_bytes + LINE_ROOM > OUT_BYTES:
            state = MORE
            break
        line = to
        to = write_line(
            buffer,
            data,
            data_bytes,
            get(words, DATA_BLANKS),
            get(words, TIME_NS),
            get(words, RATE),
            out,
            to,
        )
        put(words, LINE_BYTES + rows, to - line)
        put(words, DATA_BYTES + rows, data_bytes)
        rows += 1
        elements += 1
        behind = 1
        at = end
    return state, at, elements, rows, to
