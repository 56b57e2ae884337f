"""The lines of records: `{"t":<unix ns>,"r":<sample rate>,"d":{...}}`, each with its line break.

A line that is not proved to be an event keeps its row and is handed over by its place; the
reference then reads that line alone. Reading goes on behind the next line break, so work is linear
whatever the bytes are.
"""

from common.kernels.compile import FAIL, FULL, Bytes, Int64s, compiled, inlined
from common.kernels.intrinsics import byte_at, get, load64, put
from common.scan.kernel.literals import NO_BREAK, skip_blanks
from common.scan.kernel.numbers import INTEGER, read_number
from indexer.shred.kernel.events import read_event
from indexer.shred.kernel.memory import (
    ASKED,
    AT,
    BYTES,
    CELLS,
    CELLS_MAX,
    HANDED,
    HANDED_BYTES,
    HANDED_FEW,
    HANDED_LINE,
    HANDED_MAX,
    HANDED_SHARE,
    HANDED_WORDS,
    PLACE,
    RATE,
    RECORD,
    ROW_PLACE,
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

# Why reading ended.
(
    DONE,  # all lines are read
    FULL_PASS,  # a table is full, or too much is handed over
    PAUSED,  # a line is handed over, the first of its record: the pass goes on
) = range(3)


@compiled
def _read_line(buffer: Bytes, at: int, row: int, depth: int, words: Int64s, arena: Bytes) -> int:
    """Cells, time and rate of the line at `at`: the place of its line break; or FAIL, FULL."""
    if load64(buffer, at) & _FIVE != _TIME:
        return FAIL
    at, kind, time_ns = read_number(buffer, at + 5)
    if at < 0 or kind != INTEGER or load64(buffer, at) & _FIVE != _RATE:
        return FAIL
    if time_ns == 0 and byte_at(buffer, at - 2) == 45:  # "-0" is no time
        return FAIL
    at, kind, rate = read_number(buffer, at + 5)
    if at < 0 or kind != INTEGER or rate < 1 or load64(buffer, at) & _FIVE != _DATA:
        return FAIL
    at = read_event(buffer, skip_blanks(buffer, at + 5, NO_BREAK), row, depth, words, arena)
    if at < 0:
        return at
    if byte_at(buffer, at) != 125:
        at = skip_blanks(buffer, at, NO_BREAK)
        if byte_at(buffer, at) != 125:
            return FAIL
    if byte_at(buffer, at + 1) != 10:
        return FAIL
    put(words, TIME + row, time_ns)
    put(words, RATE + row, rate)
    return at + 1


@inlined
def too_many_handed(handed: int, rows: int, handed_bytes: int, size: int) -> bool:
    """Whether the reference alone would be faster for data like this."""
    return handed >= HANDED_FEW and (handed * HANDED_SHARE > rows or handed_bytes * 4 > size)


@compiled
def begin_pass(words: Int64s) -> None:
    """Nothing is read yet; where reading goes on stays as it was."""
    put(words, ROWS, 0)
    put(words, CELLS, 0)
    put(words, HANDED, 0)
    put(words, BYTES, 0)
    put(words, HANDED_BYTES, 0)
    put(words, ASKED, -1)


@compiled
def read_lines(
    buffer: Bytes, starts: Int64s, ends: Int64s, depths: Int64s, words: Int64s, arena: Bytes
) -> int:
    """A pass, or a part of it: lines from where the last one ended. Returns why it ended.

    Each record is not empty and ends with a line break. A pass always gets on by a line. It also
    ends when too much is handed over: the caller then leaves the rest to the reference. At the
    first line of a record that is handed over it pauses: if that line is bad, so is the record, and
    nothing more of it is wanted.
    """
    record = get(words, RECORD)
    at = get(words, AT)
    place = get(words, PLACE)
    row = get(words, ROWS)
    handed = get(words, HANDED)
    size = get(words, BYTES)
    handed_bytes = get(words, HANDED_BYTES)
    why = FULL_PASS
    while why != PAUSED:
        if record >= starts.shape[0]:
            why = DONE
            break
        if at < 0:
            at = get(starts, record)
        if row >= ROWS_MAX or handed >= HANDED_MAX:
            break
        if too_many_handed(handed, row, handed_bytes, size):
            break
        cells = get(words, CELLS)
        end = _read_line(buffer, at, row, get(depths, record), words, arena)
        if end < 0:
            put(words, CELLS, cells)
            put(words, STAMP, get(words, STAMP) + CELLS_MAX)
            if end == FULL and row > 0:
                break
            end = at
            while byte_at(buffer, end) != 10:
                end += 1
            put(words, HANDED_LINE + handed * HANDED_WORDS, row)
            put(words, HANDED_LINE + handed * HANDED_WORDS + 1, record)
            put(words, HANDED_LINE + handed * HANDED_WORDS + 2, at)
            put(words, HANDED_LINE + handed * HANDED_WORDS + 3, end)
            handed += 1
            handed_bytes += end - at
            put(words, TIME + row, 0)
            put(words, RATE + row, 0)
            if get(words, ASKED) != record:
                put(words, ASKED, record)
                why = PAUSED
        put(words, ROW_PLACE + row, place)
        put(words, ROW_RECORD + row, record)
        row += 1
        place += 1
        size += end - at
        at = end + 1
        if at >= get(ends, record):
            record += 1
            at = -1
            place = 0
    put(words, STAMP, get(words, STAMP) + CELLS_MAX)
    put(words, RECORD, record)
    put(words, AT, at)
    put(words, PLACE, place)
    put(words, ROWS, row)
    put(words, HANDED, handed)
    put(words, BYTES, size)
    put(words, HANDED_BYTES, handed_bytes)
    return why
