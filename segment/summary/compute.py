"""The summary of a segment from its columns: a pure function of their values (I3)."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from segment.columns import ColumnBlock, ColumnKey, FieldType
from segment.columns.segment_read import SegmentReader
from segment.columns.segment_write import parquet_columns
from segment.parquet.encoders import Encoders, Int64s, texts_of
from segment.summary.distinct import Counted, count_texts, count_words
from segment.summary.grams import GramBuilder
from segment.summary.sizes import (
    BOUND_BYTES,
    PREFIX_BYTES,
    PREFIX_LOOK,
    PREFIXES_MAX,
    VALUE_BYTES_MAX,
    VALUES_MAX,
)
from segment.summary.summary import ColumnSummary, Value, encode_summary

_NUMBER_BYTES = 8
_INT64_END = 2.0**63


def summarize_file(path: Path, object_hash: str, encoders: Encoders) -> bytes:
    """The bytes of the summary of a segment whose SHA-256 was checked. Raises DamagedObject.

    Columns inside the overflow column have no summary.
    """
    with SegmentReader(path) as reader:
        columns = ((key, reader.column(key)) for key in sorted(reader.columns))
        values = ((key, column.values) for key, column in columns if column is not None)
        complete = not len(reader.overflow_keys)
        return summarize(object_hash, reader.info.rows, values, encoders, complete=complete)


def summarize_rows(block: ColumnBlock, object_hash: str, encoders: Encoders) -> bytes:
    """The same bytes as `summarize_file`, from the rows that were written.

    block: of a segment that is not small.
    """
    own, complete = parquet_columns(block)
    values = ((key, own[key].values) for key in sorted(own))
    return summarize(object_hash, block.rows, values, encoders, complete=complete)


def summarize(
    object_hash: str,
    rows: int,
    columns: Iterable[tuple[ColumnKey, pa.Array]],
    encoders: Encoders,
    *,
    complete: bool,
) -> bytes:
    """The bytes of a summary. columns: the present values of each, as in `SparseColumn`.

    complete: whether these are all columns of the segment; else nothing is said of texts.
    """
    grams = GramBuilder() if complete else None
    found = {key: summarize_column(key.type, values, encoders, grams) for key, values in columns}
    made = None if grams is None else grams.made()
    return encode_summary(object_hash, rows, found, complete=complete, grams=made)


def summarize_column(
    field_type: FieldType, values: pa.Array, encoders: Encoders, grams: GramBuilder | None = None
) -> ColumnSummary:
    """The summary of the present values of a column, which may be none.

    grams: gathers parts of its texts.
    """
    if not len(values):
        return ColumnSummary(rows=0, size_bytes=0, distinct=0, values_complete=True)
    if field_type is FieldType.BOOL:
        return _of_flags(values)
    if field_type is FieldType.INT:
        numbers = values.to_numpy(zero_copy_only=False)
        return _of_ints(numbers, encoders)
    if field_type is FieldType.FLOAT:
        return _of_doubles(values, encoders)
    return _of_texts(values, encoders, grams)


def _of_flags(values: pa.Array) -> ColumnSummary:
    true = int(pc.sum(values).as_py())
    counts = [(flag, count) for flag, count in ((False, len(values) - true), (True, true)) if count]
    counts.sort(key=lambda one: -one[1])
    return ColumnSummary(
        rows=len(values),
        size_bytes=len(values),
        distinct=len(counts),
        low=min(flag for flag, _ in counts),
        high=max(flag for flag, _ in counts),
        values=tuple(counts),
        values_complete=True,
    )


def _of_ints(numbers: Int64s, encoders: Encoders) -> ColumnSummary:
    counted = count_words(numbers, numbers, encoders)
    listed = [int(value) for value in numbers[counted.firsts]]
    return _column(
        counted,
        listed,
        rows=len(numbers),
        size_bytes=_NUMBER_BYTES * len(numbers),
        low=int(numbers.min()),
        high=int(numbers.max()),
    )


def _of_doubles(values: pa.Array, encoders: Encoders) -> ColumnSummary:
    numbers = values.to_numpy(zero_copy_only=False) + 0.0  # -0.0 becomes 0.0
    is_nan = np.isnan(numbers)
    numbers[is_nan] = np.nan  # of one sign and payload
    words = numbers.view(np.int64)
    whole = (np.trunc(numbers) == numbers) & (numbers >= -_INT64_END) & (numbers < _INT64_END)
    hashed = words.copy()
    hashed[whole] = numbers[whole].astype(np.int64)
    counted = count_words(words, hashed, encoders)
    real = numbers[~is_nan]
    return _column(
        counted,
        [float(value) for value in numbers[counted.firsts]],
        rows=len(numbers),
        size_bytes=_NUMBER_BYTES * len(numbers),
        low=float(real.min()) if len(real) else None,
        high=float(real.max()) if len(real) else None,
        has_nan=bool(is_nan.any()),
    )


def _of_texts(values: pa.Array, encoders: Encoders, grams: GramBuilder | None) -> ColumnSummary:
    texts = texts_of(values)
    counted = count_texts(texts, encoders)
    listed = [texts.text(int(at)) for at in counted.firsts]
    distinct = values if counted.each is None else values.take(pa.array(counted.each))
    if grams is not None:
        grams.add(distinct)
    prefixes, prefix_bytes, complete = _prefixes(distinct)
    some = texts_of(distinct)
    low, high = (some.text(at) for at in encoders.range_of_texts(some))
    return _column(
        counted,
        [text[:VALUE_BYTES_MAX] for text in listed],
        rows=len(values),
        size_bytes=texts.size,
        cut=any(len(text) > VALUE_BYTES_MAX for text in listed),
        low=low[:BOUND_BYTES],
        high=_rounded_up(high),
        prefixes=prefixes,
        prefix_bytes=prefix_bytes,
        prefixes_complete=complete,
    )


def _column(
    counted: Counted,
    listed: Sequence[Value],
    *,
    rows: int,
    size_bytes: int,
    low: Value | None,
    high: Value | None,
    has_nan: bool = False,
    cut: bool = False,
    prefixes: tuple[bytes, ...] = (),
    prefix_bytes: int = 0,
    prefixes_complete: bool = False,
) -> ColumnSummary:
    values = list(zip(listed, map(int, counted.counts), strict=True))
    values.sort(key=lambda one: (-one[1], one[0]))
    return ColumnSummary(
        rows=rows,
        size_bytes=size_bytes,
        distinct=counted.distinct,
        low=low,
        high=high,
        has_nan=has_nan,
        values=tuple(values),
        values_complete=counted.distinct <= VALUES_MAX and not cut,
        others_most=counted.others_most,
        hashes=counted.hashes,
        prefixes=prefixes,
        prefix_bytes=prefix_bytes,
        prefixes_complete=prefixes_complete,
    )


def _rounded_up(text: bytes) -> bytes:
    """At most BOUND_BYTES that sort after every text that does not sort after this one.

    No byte of UTF-8 is 255, so the last one can be raised.
    """
    if len(text) <= BOUND_BYTES:
        return text
    return text[: BOUND_BYTES - 1] + bytes([text[BOUND_BYTES - 1] + 1])


def _prefixes(values: pa.Array) -> tuple[tuple[bytes, ...], int, bool]:
    """(beginnings of texts, their size, whether they are all of that size).

    The first texts are looked at before all are, so that random ones cost no more than a look.
    """
    texts = values.cast(pa.large_binary())
    some = texts[:PREFIX_LOOK]
    for size in PREFIX_BYTES:
        if len(pc.unique(pc.binary_slice(some, 0, size))) > PREFIXES_MAX:
            continue
        begins = pc.unique(pc.binary_slice(texts, 0, size))
        if len(begins) <= PREFIXES_MAX:
            return tuple(sorted(begins.to_pylist())), size, True
    longest = pc.unique(pc.binary_slice(some, 0, PREFIX_BYTES[0]))
    ordered = longest.take(pc.sort_indices(longest))
    at = np.linspace(0, len(ordered) - 1, PREFIXES_MAX).astype(np.int64)
    return tuple(ordered.take(pa.array(at)).to_pylist()), PREFIX_BYTES[0], False
