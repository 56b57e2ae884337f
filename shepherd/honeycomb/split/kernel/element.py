"""One event of a batch: its members, of which data, time and samplerate count.

Of a repeated member the last counts; others are only checked to be JSON. The reference reads names
with escapes and other unusual forms.
"""

from common import limits
from common.kernels.compile import FAIL, Bytes, Int64s, compiled
from common.kernels.intrinsics import byte_at, get, load64, put
from common.scan.kernel.ascii_codes import (
    CLOSE_BRACE,
    COLON,
    COMMA,
    LINE_BREAK,
    NINE,
    OPEN_BRACE,
    POINT,
    QUOTE,
    ZERO,
)
from common.scan.kernel.containers import ANY_SIZE, skip_value
from common.scan.kernel.literals import skip_blanks
from common.scan.kernel.strings import scan_string
from shepherd.honeycomb.split.kernel.data import check_data
from shepherd.honeycomb.split.kernel.members import DATA, TIME, member_of
from shepherd.honeycomb.split.kernel.members import RATE as MEMBER_RATE
from shepherd.honeycomb.split.kernel.memory import (
    DATA_AT,
    DATA_BLANKS,
    DATA_END,
    OPENED,
    RATE,
    RATE_AT,
    RATE_END,
    TIME_AT,
    TIME_END,
    TIME_NS,
    UNREAD,
)
from shepherd.honeycomb.split.kernel.times import read_time

_NULL = 0x6C6C756E
_RATE_DIGITS_MAX = 10  # of the largest rate
_FOUR = 0xFFFFFFFF


@compiled
def read_members(buffer: Bytes, at: int, depth: int, words: Int64s) -> int:
    """Where the object at `at` ends, its members noted; or FAIL, also if there is no data."""
    put(words, DATA_AT, -1)
    put(words, TIME_AT, -1)
    put(words, RATE_AT, -1)
    if byte_at(buffer, at) != OPEN_BRACE:
        return FAIL
    at += 1
    while True:
        at = skip_blanks(buffer, at, LINE_BREAK)
        if byte_at(buffer, at) != QUOTE:
            return FAIL
        name = at + 1
        found = scan_string(buffer, name)
        if found < 0 or found & 1:
            return FAIL
        end = found >> 1
        at = skip_blanks(buffer, end + 1, LINE_BREAK)
        if byte_at(buffer, at) != COLON:
            return FAIL
        at = skip_blanks(buffer, at + 1, LINE_BREAK)
        member = member_of(buffer, name, end - name)
        if member == DATA:
            found = check_data(buffer, at, depth, words)
            put(words, DATA_AT, at)
            put(words, DATA_END, found >> 1)
            put(words, DATA_BLANKS, found & 1)
        else:
            found = skip_value(buffer, at, LINE_BREAK, 0, ANY_SIZE, words, OPENED)
            if member == TIME:
                put(words, TIME_AT, at)
                put(words, TIME_END, found >> 1)
            elif member == MEMBER_RATE:
                put(words, RATE_AT, at)
                put(words, RATE_END, found >> 1)
        if found < 0:
            return FAIL
        at = skip_blanks(buffer, found >> 1, LINE_BREAK)
        byte = byte_at(buffer, at)
        at += 1
        if byte == CLOSE_BRACE:
            return at if get(words, DATA_AT) >= 0 else FAIL
        if byte != COMMA:
            return FAIL


@compiled
def _read_rate(buffer: Bytes, at: int, end: int) -> int:
    """The number that buffer[at:end] is if it is whole and written without an exponent, else -1.

    Of a number, which was proved to be one: what follows its point are digits.
    """
    if end - at > _RATE_DIGITS_MAX:
        return -1
    rate = 0
    digit = at
    while digit < end and byte_at(buffer, digit) != POINT:
        byte = byte_at(buffer, digit)
        if byte < ZERO or byte > NINE:
            return -1
        rate = rate * 10 + byte - ZERO
        digit += 1
    for decimal in range(digit + 1, end):  # a point: writers of doubles send 2.0
        if byte_at(buffer, decimal) != ZERO:
            return -1
    return rate


@compiled
def read_values(buffer: Bytes, arrival_ns: int, words: Int64s) -> None:
    """The time and the rate of the element whose members were read last.

    UNREAD is 1 if one of them is not proved: the reference reads those.
    """
    read = True
    time_ns = arrival_ns
    begin = get(words, TIME_AT)
    if begin >= 0 and load64(buffer, begin) & _FOUR != _NULL:
        read, time_ns = read_time(buffer, begin, get(words, TIME_END))
        if time_ns == 0:  # there is none
            time_ns = arrival_ns
    rate = 1
    begin = get(words, RATE_AT)
    if begin >= 0 and load64(buffer, begin) & _FOUR != _NULL:
        rate = _read_rate(buffer, begin, get(words, RATE_END))
        if rate == 0:
            rate = 1
        if rate < 0 or rate > limits.SAMPLE_RATE_MAX:
            read = False
    put(words, TIME_NS, time_ns)
    put(words, RATE, rate)
    put(words, UNREAD, 0 if read else 1)
