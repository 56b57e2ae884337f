"""Reads the array of a batch body: its elements one after the other, as lines of a record.

A pass continues where the last one ended, and ends at the end of the body, where memory is full, or
where the text is no array. An element that is not proved valid is checked for its fault, which is
noted beside the lines. Each byte is read at most three times: linear for any body.
"""

from common import limits
from common.kernels.compile import Bytes, Int64s, compiled
from common.kernels.intrinsics import byte_at, get, put
from common.scan.kernel.ascii_codes import CLOSE_BRACKET, COMMA, LINE_BREAK, OPEN_BRACKET
from common.scan.kernel.literals import skip_blanks
from common.scan.kernel.record_lines import LINE_ROOM
from shepherd.honeycomb.split.kernel.element import read_members, read_values
from shepherd.honeycomb.split.kernel.element_faults import (
    ELEMENT,
    FAULTY,
    MORE,
    add_entry,
    begin_entries,
    body_end,
    check_element,
    fault_after_element,
    fault_at_begin,
    fault_at_limit,
    has_room,
)
from shepherd.honeycomb.split.kernel.lines import write_line
from shepherd.honeycomb.split.kernel.memory import (
    DATA_AT,
    DATA_BLANKS,
    DATA_BYTES,
    DATA_END,
    ELEMENT_FAULT,
    LINE_BYTES,
    OUT_BYTES,
    RATE,
    ROWS_MAX,
    SCAN_HARD,
    TIME_NS,
    UNREAD,
)
from shepherd.honeycomb.split.kernel.scan import NO_FAULT


@compiled
def split_events(
    buffer: Bytes,
    size: int,
    at: int,
    after_element: int,
    elements: int,
    depth: int,
    arrival_ns: int,
    words: Int64s,
    out: Bytes,
) -> tuple[int, int, int, int, int]:
    """One pass over buffer[:size]: (why it ended, at, elements, lines, bytes of the lines).

    at: where the pass goes on, negative for the body's begin.
    after_element: 1 if an element ends there, 0 if one begins.
    elements: number of elements that were read before.
    """
    rows = 0
    to = 0
    state = FAULTY
    begin_entries(words)
    if at < 0:
        at = skip_blanks(buffer, 0, LINE_BREAK)
        if byte_at(buffer, at) != OPEN_BRACKET:
            fault_at_begin(buffer, size, at, words)
            return FAULTY, at, elements, rows, to
        at = skip_blanks(buffer, at + 1, LINE_BREAK)
        if byte_at(buffer, at) == CLOSE_BRACKET:
            return body_end(buffer, size, at + 1, words), at, elements, rows, to
    while True:
        if after_element:
            at = skip_blanks(buffer, at, LINE_BREAK)
            byte = byte_at(buffer, at)
            if byte == CLOSE_BRACKET:
                state = body_end(buffer, size, at + 1, words)
                break
            if byte != COMMA:
                fault_after_element(buffer, size, at, words)
                break
            at = skip_blanks(buffer, at + 1, LINE_BREAK)
            after_element = 0
        if elements >= limits.BATCH_EVENTS_MAX:
            fault_at_limit(buffer, size, at, words)
            break
        if rows >= ROWS_MAX or not has_room(words):
            state = MORE
            break
        end = read_members(buffer, at, depth, words)
        proved = False
        if end < 0:
            end = check_element(buffer, size, at, depth, words)
            if end < 0:
                break
            if get(words, SCAN_HARD):
                state = ELEMENT
                break
        else:
            read_values(buffer, arrival_ns, words)
            proved = get(words, UNREAD) == 0
            put(words, ELEMENT_FAULT, NO_FAULT)
        if not proved:
            add_entry(elements, rows, words)
            elements += 1
            after_element = 1
            at = end
            continue
        data = get(words, DATA_AT)
        data_bytes = get(words, DATA_END) - data
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
        after_element = 1
        at = end
    return state, at, elements, rows, to
