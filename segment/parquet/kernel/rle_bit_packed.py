"""Small integers as Parquet's hybrid of runs and packed groups: indices, definition levels.

A run of equal values is written as one value and a count where that takes fewer bytes; other values
are packed in groups of eight, each of as many bytes as a value has bits. The header of packed
groups is one byte, so they end after 63 groups; that costs one byte in 504 values and saves moving
what was written.
"""

from common.kernels.compile import FULL, Bytes, compiled, inlined
from common.kernels.intrinsics import byte_at, store8, store32, store64
from segment.parquet.kernel.bits import STORE_BYTES, Indices, pack8, put_varint, unsigned

_GROUPS_MAX = 63  # of a header of one byte
_WORDS_MAX = 7  # of 64 levels, so 56 groups
_RUN_BYTES_MAX = 10  # header and value


def pack_indices_bound(values: int, width: int) -> int:
    """Bytes that `pack_indices` may touch."""
    groups = (values + 7) // 8
    return groups * width + groups // _GROUPS_MAX + _RUN_BYTES_MAX + 2 * STORE_BYTES


def pack_levels_bound(rows: int) -> int:
    """Bytes that `pack_levels` may touch."""
    words = (rows + 63) // 64
    return words * 8 + words // _WORDS_MAX + _RUN_BYTES_MAX + 2 * STORE_BYTES


_pack_indices_bound = inlined(pack_indices_bound)
_pack_levels_bound = inlined(pack_levels_bound)


@inlined
def _put_run(out: Bytes, at: int, value: int, count: int, width: int) -> int:
    at = put_varint(out, at, count << 1)
    store32(out, at, value)
    return at + ((width + 7) >> 3)


@inlined
def _run_end(indices: Indices, at: int, end: int) -> int:
    """The first index after `at` with another value than at `at`."""
    value = unsigned(indices, at)
    at += 1
    while at < end and unsigned(indices, at) == value:
        at += 1
    return at


@inlined
def _all_same(indices: Indices, at: int) -> bool:
    """Whether eight values are equal: without a branch per value."""
    value = unsigned(indices, at)
    differing = 0
    for index in range(1, 8):
        differing |= unsigned(indices, at + index) ^ value
    return differing == 0


@inlined
def _run_pays(size: int, last: bool, width: int) -> bool:
    """Whether a run takes fewer bytes than groups, with the header that packing then needs anew."""
    groups = (size + 7) >> 3 if last else size >> 3
    header = 1 if size < 64 else (2 if size < 8192 else 5)
    return groups * width > header + ((width + 7) >> 3)


@inlined
def _pack_group(indices: Indices, at: int, width: int, out: Bytes, to: int) -> None:
    pack8(
        unsigned(indices, at),
        unsigned(indices, at + 1),
        unsigned(indices, at + 2),
        unsigned(indices, at + 3),
        unsigned(indices, at + 4),
        unsigned(indices, at + 5),
        unsigned(indices, at + 6),
        unsigned(indices, at + 7),
        width,
        out,
        to,
    )


@compiled
def _pack_last(indices: Indices, at: int, end: int, width: int, out: Bytes, to: int) -> None:
    """Fewer than eight values, as a group padded with zeros."""
    for index in range(width):
        store8(out, to + index, 0)
    for index in range(at, end):
        value = unsigned(indices, index)
        first = (index - at) * width
        for bit in range(first, first + width):
            if value >> (bit - first) & 1:
                byte = to + (bit >> 3)
                store8(out, byte, byte_at(out, byte) | 1 << (bit & 7))


@compiled
def pack_indices(indices: Indices, first: int, end: int, width: int, out: Bytes, at: int) -> int:
    """Values indices[first:end], none of more than `width` bits (0 to 32); end of output or FULL.

    Not written: the byte of the width, with which a page of indices begins.
    """
    if at + _pack_indices_bound(end - first, width) > out.shape[0]:
        return FULL
    if width == 0:
        return _put_run(out, at, 0, end - first, 0) if end > first else at
    header = at  # of the packed groups that are being written, and their number so far
    groups = 0
    index = first
    while index < end:
        if index + 8 > end or _all_same(indices, index):
            run_end = _run_end(indices, index, end)
            if _run_pays(run_end - index, run_end == end, width):
                if groups:
                    store8(out, header, groups << 1 | 1)
                at = _put_run(out, at, unsigned(indices, index), run_end - index, width)
                groups = 0
                index = run_end
                continue
        else:
            run_end = index + 8
        whole = True
        while whole:  # at least one group; all of a run that does not pay
            if groups == 0:
                header = at
                at += 1
            if index + 8 <= end:
                _pack_group(indices, index, width, out, at)
            else:
                _pack_last(indices, index, end, width, out, at)
            at += width
            groups += 1
            index += 8
            if groups == _GROUPS_MAX:
                store8(out, header, groups << 1 | 1)
                groups = 0
            whole = index + 8 <= run_end
    if groups:
        store8(out, header, groups << 1 | 1)
    return at


@compiled
def pack_levels(
    rows: Indices, first_row: int, end_row: int, first: int, end: int, out: Bytes, at: int
) -> int:
    """Definition levels of rows first_row..end_row-1: 1 for those in rows[first:end], else 0.

    rows: strictly increasing, all of them within. End of output or FULL. Handles 64 rows in one
    step: if all or none are present they belong to a run, else they are packed.
    """
    if at + _pack_levels_bound(end_row - first_row) > out.shape[0]:
        return FULL
    header = at
    packed = 0  # words of 64 levels in the packed groups
    level, run = 0, 0  # levels of the run that is not yet written
    row = first_row
    while row < end_row:
        count = min(64, end_row - row)
        word = 0
        if first == end or unsigned(rows, first) >= row + count:  # none: until which row?
            next_row = end_row if first == end else unsigned(rows, first)
            kind = 0
            count = next_row - row
            if next_row < end_row:
                count &= -64
        elif first + count <= end and unsigned(rows, first + count - 1) == row + count - 1:
            kind = 1
            first += count
        else:
            kind = -1
            while first < end and unsigned(rows, first) < row + count:
                word |= 1 << (unsigned(rows, first) - row)
                first += 1
        row += count
        if run > 0 and kind != level:
            at = _put_run(out, at, level, run, 1)
            run = 0
        if kind >= 0:
            if packed:
                store8(out, header, packed << 4 | 1)
                packed = 0
            level = kind
            run += count
            continue
        if packed == 0:
            header = at
            at += 1
        store64(out, at, word)
        if count < 64:  # the last ones, in as many groups as they need
            store8(out, header, (packed * 8 + ((count + 7) >> 3)) << 1 | 1)
            return at + ((count + 7) >> 3)
        at += 8
        packed += 1
        if packed == _WORDS_MAX:
            store8(out, header, packed << 4 | 1)
            packed = 0
    if packed:
        store8(out, header, packed << 4 | 1)
    if run > 0:
        at = _put_run(out, at, level, run, 1)
    return at
