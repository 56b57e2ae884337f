"""Texts made of two: names and values of many columns in the order of rows.

Not an encoding of Parquet: it makes the texts of the overflow column. Arrow's take and join make
three copies of them and take three times as long.
"""

from common.kernels.compile import FULL, Bytes, Int64s, compiled
from common.kernels.intrinsics import get, put
from segment.parquet.kernel.bits import Indices, unsigned
from segment.parquet.kernel.plain import copy_text

_STEP = 32


def paired_texts_bound(text_bytes: int) -> int:
    """Bytes that `paired_texts` may touch."""
    return text_bytes + _STEP


@compiled
def paired_offsets(
    left_offsets: Int64s,
    left_at: Indices,
    right_offsets: Int64s,
    right_at: Indices,
    offsets: Int64s,
) -> int:
    """Writes to `offsets`, which has one more than there are pairs, where each pair begins and the
    last one ends; returns that end. Pair i is left text left_at[i] followed by right text
    right_at[i].
    """
    at = 0
    for pair in range(left_at.shape[0]):
        put(offsets, pair, at)
        left, right = unsigned(left_at, pair), unsigned(right_at, pair)
        at += get(left_offsets, left + 1) - get(left_offsets, left)
        at += get(right_offsets, right + 1) - get(right_offsets, right)
    put(offsets, left_at.shape[0], at)
    return at


@compiled
def paired_texts(
    left_offsets: Int64s,
    left_data: Bytes,
    left_at: Indices,
    right_offsets: Int64s,
    right_data: Bytes,
    right_at: Indices,
    text_bytes: int,
    out: Bytes,
    at: int,
) -> int:
    """The pairs one after the other, `text_bytes` in all. End of output or FULL."""
    if at + text_bytes + _STEP > out.shape[0]:
        return FULL
    for pair in range(left_at.shape[0]):
        text = unsigned(left_at, pair)
        begin = get(left_offsets, text)
        size = get(left_offsets, text + 1) - begin
        copy_text(left_data, begin, size, out, at)
        at += size
        text = unsigned(right_at, pair)
        begin = get(right_offsets, text)
        size = get(right_offsets, text + 1) - begin
        copy_text(right_data, begin, size, out, at)
        at += size
    return at
