"""One event of a batch: its members, of which data, time and samplerate count.

Of a repeated member the last counts; others are only checked to be msgpack. The data is written as
it is read, after room for the head of its line, and moved up to it when time and rate are known:
twenty loads and stores for a wide event, where reading it twice would cost a tenth of the whole.
"""

from common import limits
from common.kernels.compile import FAIL, FULL, Bytes, Int64s, compiled
from common.kernels.intrinsics import byte_at, get, put
from common.scan.kernel.decimals import TEXT_ROOM
from common.scan.kernel.record_lines import LINE_ROOM, write_end, write_head
from common.scan.kernel.strings import copy_run
from shepherd.honeycomb.split.kernel.members import DATA, OTHER, TIME, member_of
from shepherd.honeycomb.split.kernel.members import RATE as MEMBER_RATE
from shepherd.honeycomb.split.kernel.memory import (
    DATA_AT,
    DATA_END,
    OPENED,
    OUT_BYTES,
    RATE_AT,
    TIME_AT,
)
from shepherd.honeycomb.split.kernel.msgpack.data import write_data
from shepherd.honeycomb.split.kernel.msgpack.times import packed_time, whole_at
from shepherd.honeycomb.split.kernel.msgpack.tokens import (
    NIL,
    container_size,
    is_text,
    skip_value,
    text_span,
)


@compiled
def write_members(
    buffer: Bytes, size: int, at: int, depth: int, words: Int64s, out: Bytes, to: int
) -> int:
    """Where the event at `at` ends, its data written and its members noted; or FAIL, FULL.

    FAIL also if there is no data. `to`: where its line begins.
    """
    at, is_map, left = container_size(buffer, at, byte_at(buffer, at))
    if at < 0 or is_map == 0:
        return FAIL
    if to + LINE_ROOM + TEXT_ROOM > OUT_BYTES:
        return FULL
    data = to + LINE_ROOM
    put(words, DATA_END, -1)
    put(words, TIME_AT, -1)
    put(words, RATE_AT, -1)
    while left > 0:
        left -= 1
        head = byte_at(buffer, at)
        member = OTHER
        if is_text(head):
            begin, at = text_span(buffer, at, head)
            if at > size:
                return FAIL
            member = member_of(buffer, begin, at - begin)
        else:
            at = skip_value(buffer, size, at, words, OPENED)
            if at < 0:
                return FAIL
        if member == DATA:
            at, data_end = write_data(buffer, size, at, depth, words, out, data)
            if data_end < 0:
                return data_end
            put(words, DATA_END, data_end)
            continue
        if member == TIME:
            put(words, TIME_AT, at)
        elif member == MEMBER_RATE:
            put(words, RATE_AT, at)
        at = skip_value(buffer, size, at, words, OPENED)
        if at < 0:
            return FAIL
    return at if get(words, DATA_END) >= 0 else FAIL


@compiled
def finish_line(buffer: Bytes, arrival_ns: int, words: Int64s, out: Bytes, to: int) -> int:
    """The end of the line at `to` of which `write_members` wrote the data; or FAIL, FULL."""
    data = to + LINE_ROOM
    data_end = get(words, DATA_END)
    if data_end + TEXT_ROOM > OUT_BYTES:
        return FULL
    read, time_ns = True, arrival_ns
    if get(words, TIME_AT) >= 0:
        read, time_ns = packed_time(buffer, get(words, TIME_AT), arrival_ns, out, data_end)
        if time_ns == 0:  # there is none
            time_ns = arrival_ns
    rate = 1
    rate_at = get(words, RATE_AT)
    if rate_at >= 0 and byte_at(buffer, rate_at) != NIL:
        rate = whole_at(buffer, rate_at)
        if rate == 0:
            rate = 1
    if not read or rate < 1 or rate > limits.SAMPLE_RATE_MAX:
        return FAIL
    to = write_head(out, to, time_ns, rate)
    copy_run(out, to, out, data, data_end - data)
    put(words, DATA_AT, to)
    put(words, DATA_END, to + data_end - data)
    return write_end(out, to + data_end - data)
