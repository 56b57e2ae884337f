"""Physical names of many columns at once; `segment.columns.key` makes them one by one.

Whole arrays of bytes are processed: with ever-new names, making and reading physical names one by
one was most of the cost of sealing a segment and of reading its footer.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from segment.columns.key import ESCAPE, ColumnKey, FieldType
from segment.parquet.encoders import texts_of

_AT_ONCE_BYTES = 1 << 20  # bytes of names; the arrays made from them take 20 times as much
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_VALUES = np.full(256, -1, np.int16)  # of a hex digit
_VALUES[_HEX] = np.arange(16)
_PERCENT = ord(ESCAPE)
_AROUND = ColumnKey("", FieldType.INT).physical.encode()  # `f::i`
_BEGIN, _COLON = np.frombuffer(_AROUND[:2], np.uint8), _AROUND[2]
_KEPT = np.array(
    [ColumnKey(chr(byte), FieldType.INT).physical == f"f:{chr(byte)}:i" for byte in range(128)]
    + [False] * 128
)
Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]


def escape(names: pa.Array, letters: Bytes) -> pa.Array:
    """The physical names (large_string) of fields, from their names and types' letters."""
    chunks = [
        _escape(*_texts(part), letters[begin : begin + len(part)]) for begin, part in _parts(names)
    ]
    return pa.concat_arrays(chunks) if chunks else pa.array([], pa.large_string())


def unescape(physical: pa.Array) -> tuple[pa.Array, Bytes]:
    """The names and types' letters of physical names. Raises ValueError for any other name."""
    found = [_unescape(*_texts(part)) for _, part in _parts(physical)]
    if not found:
        return pa.array([], pa.large_string()), np.empty(0, np.uint8)
    names = pa.concat_arrays([some for some, _ in found])
    names.validate(full=True)  # escapes could be of bytes that are not UTF-8
    return names, np.concatenate([letters for _, letters in found])


def _parts(texts: pa.Array) -> Iterator[tuple[int, pa.Array]]:
    offsets = texts_of(texts).offsets
    begin = 0
    while begin < len(texts):
        end = int(np.searchsorted(offsets, offsets[begin] + _AT_ONCE_BYTES, "right")) - 1
        end = min(max(end, begin + 1), len(texts))
        yield begin, texts[begin:end]
        begin = end


def _texts(texts: pa.Array) -> tuple[Ints, Bytes]:
    """Offsets from 0 on, and the bytes."""
    offsets, data = texts_of(texts)
    return offsets - offsets[0], data[int(offsets[0]) : int(offsets[-1])]


def _escape(offsets: Ints, data: Bytes, letters: Bytes) -> pa.Array:
    kept = _KEPT[data]
    widths = np.where(kept, 1, 3)
    before = np.zeros(len(data) + 1, np.int64)  # bytes written for all bytes before this one
    np.cumsum(widths, out=before[1:])
    around = len(_AROUND)
    starts = before[offsets] + around * np.arange(len(offsets))
    output = np.empty(int(starts[-1]), np.uint8)
    names, ends = starts[:-1], starts[1:]
    for at, byte in enumerate(_BEGIN):
        output[names + at] = byte
    output[ends - 2] = _COLON
    output[ends - 1] = letters
    to = before[:-1] + len(_BEGIN)
    to += around * np.repeat(np.arange(len(names)), np.diff(offsets))
    output[to[kept]] = data[kept]
    others, at = data[~kept], to[~kept]
    output[at] = _PERCENT
    output[at + 1] = _HEX[others >> 4]
    output[at + 2] = _HEX[others & 15]
    return _array(starts, output)


def _unescape(offsets: Ints, data: Bytes) -> tuple[pa.Array, Bytes]:
    begins, ends = offsets[:-1], offsets[1:]
    if (ends - begins < len(_AROUND)).any() or (data[ends - 2] != _COLON).any():
        raise ValueError("what is not the name of a field's column stands among them")
    kept = np.ones(len(data), np.bool_)
    for at, byte in enumerate(_BEGIN):
        if (data[begins + at] != byte).any():
            raise ValueError("what is not the name of a field's column stands among them")
        kept[begins + at] = False
    kept[ends - 2] = kept[ends - 1] = False
    letters = data[ends - 1]
    escapes = np.flatnonzero(data == _PERCENT)
    if len(escapes):
        if escapes[-1] + 2 >= len(data):
            raise ValueError("an escape is cut off")
        value = _VALUES[data[escapes + 1]] * 16 + _VALUES[data[escapes + 2]]
        digits = np.minimum(_VALUES[data[escapes + 1]], _VALUES[data[escapes + 2]])
        if (digits < 0).any():
            raise ValueError("an escape is not two hex digits")
        data = data.copy()
        data[escapes] = value
        kept[escapes + 1] = kept[escapes + 2] = False
    before = np.zeros(len(data) + 1, np.int64)
    np.cumsum(kept, out=before[1:])
    return _array(before[offsets], data[kept]), letters


def _array(offsets: Ints, data: Bytes) -> pa.Array:
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.large_string(), len(offsets) - 1, buffers)
