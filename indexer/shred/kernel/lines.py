"""The lines of records: `{"t":<unix ns>,"r":<sample rate>,"d":{...}}`, each with its line break.

A line that is not proved to be an event keeps its row and is noted for the fallback: the reference
then reads that line alone. Reading goes on after the next line break, so work is linear for all
bytes.
"""

from common.kernels.compile import FAIL, FULL, Bytes, Int64s, compiled, inlined
from common.kernels.intrinsics import byte_at, get, load64, put
from common.scan.kernel.ascii_codes import CLOSE_BRACE, LINE_BREAK, MINUS
from common.scan.kernel.literals import NO_BREAK, skip_blanks
from common.scan.kernel.numbers import INTEGER, read_number
from indexer.shred.kernel.events import read_event
from indexer.shred.kernel.memory import (
    AT,
    BYTES,
    CELLS,
    CELLS_MAX,
    FALLBACK_BYTES,
    FALLBACK_LINE,
    FALLBACK_RECORD,
    FALLBACK_SHARE,
    FALLBACK_WORDS,
    FALLBACKS,
    FALLBACKS_FEW,
    FALLBACKS_MAX,
    INDEX_IN_RECORD,
    RATE,
    RECORD,
    ROW_INDEX,
    ROW_RECORD,
    ROWS,
    ROWS_MAX,
    STAMP,
    TIME,
)

_TIME = 0x3A227422_7B  # {"t":
_RATE = 0x3A227222_2C  # ,"r":
_DATA = 0x3A226422_2C  # ,"d":
_FIVE = 0xFFFFFFFFFF

# Reasons why reading ended.
(
    DONE,  # all lines are read
    FULL_PASS,  # a table is full, or too many lines are left to the fallback
    PAUSED,  # the first line of a record is left to the fallback: the pass goes on
) = range(3)


@compiled
def _read_line(buffer: Bytes, at: int, row: int, depth: int, words: Int64s, arena: Bytes) -> int:
    """Cells, time and rate of the line at `at`. Returns where its line break is; or FAIL, FULL."""
    if load64(buffer, at) & _FIVE != _TIME:
        return FAIL
    at, kind, time_ns = read_number(buffer, at + 5)
    if at < 0 or kind != INTEGER or load64(buffer, at) & _FIVE != _RATE:
        return FAIL
    if time_ns == 0 and byte_at(buffer, at - 2) == MINUS:  # "-0" is not a time
        return FAIL
    at, kind, rate = read_number(buffer, at + 5)
    if at < 0 or kind != INTEGER or rate < 1 or load64(buffer, at) & _FIVE != _DATA:
        return FAIL
    at = read_event(buffer, skip_blanks(buffer, at + 5, NO_BREAK), row, depth, words, arena)
    if at < 0:
        return at
    if byte_at(buffer, at) != CLOSE_BRACE:
        at = skip_blanks(buffer, at, NO_BREAK)
        if byte_at(buffer, at) != CLOSE_BRACE:
            return FAIL
    if byte_at(buffer, at + 1) != LINE_BREAK:
        return FAIL
    put(words, TIME + row, time_ns)
    put(words, RATE + row, rate)
    return at + 1


@inlined
def too_many_fallbacks(fallbacks: int, rows: int, fallback_bytes: int, size: int) -> bool:
    """Whether the reference alone would be faster for data like this."""
    return fallbacks >= FALLBACKS_FEW and (
        fallbacks * FALLBACK_SHARE > rows or fallback_bytes * 4 > size
    )


@compiled
def begin_pass(words: Int64s) -> None:
    """Reset the counters of a pass; the position in the lines stays."""
    put(words, ROWS, 0)
    put(words, CELLS, 0)
    put(words, FALLBACKS, 0)
    put(words, BYTES, 0)
    put(words, FALLBACK_BYTES, 0)
    put(words, FALLBACK_RECORD, -1)


@compiled
def read_lines(
    buffer: Bytes, starts: Int64s, ends: Int64s, depths: Int64s, words: Int64s, arena: Bytes
) -> int:
    """A pass, or a part of it, from where the last one ended. Returns why it ended.

    No record is empty, and each ends with a line break. A pass always advances by a line. It also
    ends when too many lines are left to the fallback: the caller then leaves the remainder to the
    reference. At the first such line of a record it pauses: if that line is bad, so is the record,
    and no more of it is read.
    """
    record = get(words, RECORD)
    at = get(words, AT)
    index = get(words, INDEX_IN_RECORD)
    row = get(words, ROWS)
    fallbacks = get(words, FALLBACKS)
    size = get(words, BYTES)
    fallback_bytes = get(words, FALLBACK_BYTES)
    why = FULL_PASS
    while why != PAUSED:
        if record >= starts.shape[0]:
            why = DONE
            break
        if at < 0:
            at = get(starts, record)
        if row >= ROWS_MAX or fallbacks >= FALLBACKS_MAX:
            break
        if too_many_fallbacks(fallbacks, row, fallback_bytes, size):
            break
        cells = get(words, CELLS)
        end = _read_line(buffer, at, row, get(depths, record), words, arena)
        if end < 0:
            put(words, CELLS, cells)
            put(words, STAMP, get(words, STAMP) + CELLS_MAX)
            if end == FULL and row > 0:
                break
            end = at
            while byte_at(buffer, end) != LINE_BREAK:
                end += 1
            put(words, FALLBACK_LINE + fallbacks * FALLBACK_WORDS, row)
            put(words, FALLBACK_LINE + fallbacks * FALLBACK_WORDS + 1, record)
            put(words, FALLBACK_LINE + fallbacks * FALLBACK_WORDS + 2, at)
            put(words, FALLBACK_LINE + fallbacks * FALLBACK_WORDS + 3, end)
            fallbacks += 1
            fallback_bytes += end - at
            put(words, TIME + row, 0)
            put(words, RATE + row, 0)
            if get(words, FALLBACK_RECORD) != record:
                put(words, FALLBACK_RECORD, record)
                why = PAUSED
        put(words, ROW_INDEX + row, index)
        put(words, ROW_RECORD + row, record)
        row += 1
        index += 1
        size += end - at
        at = end + 1
        if at >= get(ends, record):
            record += 1
            at = -1
            index = 0
    put(words, STAMP, get(words, STAMP) + CELLS_MAX)
    put(words, RECORD, record)
    put(words, AT, at)
    put(words, INDEX_IN_RECORD, index)
    put(words, ROWS, row)
    put(words, FALLBACKS, fallbacks)
    put(words, BYTES, size)
    put(words, FALLBACK_BYTES, fallback_bytes)
    return why
