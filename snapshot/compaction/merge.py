"""The rows of several segments as one, written by the writer of every segment (I3).

The same rows give the same bytes, whichever indexer of one version puts them together, and whether
they come from segments or from earlier outputs.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from common import limits
from common.errors import BellwetherError, DamagedObject
from segment.columns import ColumnBlock, ColumnKey, SparseColumn
from segment.columns.key import INDEX_IN_RECORD, OFFSET, OVERFLOW, RATE, TIME, parse_physical
from segment.columns.overflow.overflow import decode_overflow
from segment.columns.segment import METADATA_KEY, SegmentInfo, SegmentOrigin
from segment.columns.segment_read import read_table, sparse
from segment.columns.segment_write import EncodedSegment, encode_segment
from segment.columns.small.read import read_small, small_metadata
from segment.parquet.encoders import Encoders
from snapshot.cache import file_sha256
from snapshot.compaction.compacted import Input
from snapshot.documents.manifest import SegmentEntry

# What a small file takes in memory is counted only if it could be too much, as counting costs as
# much as a fifth of reading it.
_SMALL_BYTES = 64 * 1024
_EXPANDS = 32  # more than columns of a small file expand
_Cells = list[tuple[npt.NDArray[np.uint32], pa.Array]]


@dataclass(frozen=True, slots=True)
class Source:
    """A segment that is read.

    file: its path, or its bytes.
    kept: its segments whose rows are taken, in log order; None: all rows.
    """

    file: Path | bytes
    kept: tuple[Input, ...] | None = None


class OutputTooLarge(BellwetherError):
    """The rows need more memory than an output may."""


def merge(
    sources: Sequence[Source], inputs: Sequence[SegmentEntry], encoders: Encoders
) -> EncodedSegment:
    """One segment of the rows of all sources, which follow each other in the log.

    Rows of one source alone get bytes, and so a name, that no object has had before: of what an
    output held, all but one segment may have expired, and that one may be deleted by its name yet.
    inputs: the segments whose rows they are. Raises DamagedObject, OutputTooLarge.
    """
    return encode_segment(*merged_rows(sources, inputs, encoders), encoders)


def merged_rows(
    sources: Sequence[Source], inputs: Sequence[SegmentEntry], encoders: Encoders
) -> tuple[ColumnBlock, SegmentOrigin]:
    """The rows of `merge`, before they are written. Raises as it does."""
    first = inputs[0]
    block = _read_small(sources, encoders, far=first.far)
    if block is None:
        tables = _read_tables(sources)
        metadata = tables[0].schema.metadata
        block = _rows_of(tables, far=first.far)
    else:
        # to open a file with Arrow costs as much as reading several
        metadata = {METADATA_KEY: _small_metadata(sources[0].file)}
    info = _info_of(metadata)
    origin = SegmentOrigin(
        dataset=first.dataset,
        epoch=info.epoch,
        partition=info.partition,
        late_or_early=first.far,
        append_min_ns=min(entry.append_min_ns for entry in inputs),
        append_max_ns=max(entry.append_max_ns for entry in inputs),
        rewritten=_hash_of(sources[0].file) if len(sources) == 1 else "",
    )
    return block, origin


def read_rows(sources: Sequence[Source], *, far: bool) -> ColumnBlock:
    """The rows of these files, one after another. Raises DamagedObject, OutputTooLarge."""
    return _rows_of(_read_tables(sources), far=far)


def _read_tables(sources: Sequence[Source]) -> list[pa.Table]:
    tables: list[pa.Table] = []
    bytes_read = 0
    for source in sources:
        table = read_table(source.file)
        if source.kept is not None:
            table = table.filter(pa.array(_kept_rows(table, source.kept)))
        file = source.file
        size = len(file) if isinstance(file, bytes) else file.stat().st_size
        bytes_read += table.nbytes if size > _SMALL_BYTES else size * _EXPANDS
        tables.append(table)
        if bytes_read > limits.COMPACTED_DECODED_BYTES_MAX and len(sources) > 1:
            bytes_read = sum(one.nbytes for one in tables)
            if bytes_read > limits.COMPACTED_DECODED_BYTES_MAX:
                text = f"more than {limits.COMPACTED_DECODED_BYTES_MAX} bytes of columns"
                raise OutputTooLarge(text)
    return tables


def _read_small(sources: Sequence[Source], encoders: Encoders, *, far: bool) -> ColumnBlock | None:
    """The rows of small segments in memory, all of them; None: another way has to be taken."""
    files = [
        source.file for source in sources if isinstance(source.file, bytes) and source.kept is None
    ]
    return read_small(files, encoders, far=far) if len(files) == len(sources) else None


def _small_metadata(file: Path | bytes) -> bytes:
    data = file if isinstance(file, bytes) else file.read_bytes()
    try:
        return small_metadata(data)
    except ValueError as error:
        raise DamagedObject(f"a segment without its metadata: {error}") from error


def _info_of(metadata: Mapping[bytes, bytes] | None) -> SegmentInfo:
    try:
        return msgspec.json.decode((metadata or {})[METADATA_KEY], type=SegmentInfo)
    except (KeyError, msgspec.MsgspecError, ValueError) as error:
        raise DamagedObject(f"a segment without its metadata: {error}") from error


def _hash_of(file: Path | bytes) -> str:
    return hashlib.sha256(file).hexdigest() if isinstance(file, bytes) else file_sha256(file)


def _rows_of(tables: Sequence[pa.Table], *, far: bool) -> ColumnBlock:
    try:
        return _block_of(tables, far=far)
    except ValueError as error:  # of names and types
        raise DamagedObject(f"columns that no segment has: {error}") from error


def _block_of(tables: Sequence[pa.Table], *, far: bool) -> ColumnBlock:
    whole = tables[0] if len(tables) == 1 else _joined(tables)
    rows = whole.num_rows
    return ColumnBlock(
        time_ns=_system(whole, TIME),
        rate=_system(whole, RATE),
        offset=_system(whole, OFFSET),
        index_in_record=_system(whole, INDEX_IN_RECORD).astype(np.int32),
        late_or_early=np.full(rows, far),
        columns=_columns(whole),
    )


def _joined(tables: Sequence[pa.Table]) -> pa.Table:
    tables = [table.replace_schema_metadata(None) for table in tables]
    try:  # the texts of small segments are `string` to Arrow, those of others `large_string`
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise DamagedObject(f"columns of one name differ in their types: {error}") from error


def _kept_rows(table: pa.Table, kept: Sequence[Input]) -> npt.NDArray[np.bool_]:
    offsets = _system(table, OFFSET)
    wanted = np.zeros(len(offsets), np.bool_)
    for one in kept:
        wanted[slice(*np.searchsorted(offsets, (one.first_offset, one.end_offset)))] = True
    return wanted


def _system(table: pa.Table, name: str) -> npt.NDArray[np.int64]:
    try:
        values: npt.NDArray[np.int64] = table.column(name).to_numpy()
    except KeyError as error:
        raise DamagedObject(f"a segment without its column {name}") from error
    return values


def _columns(whole: pa.Table) -> Mapping[ColumnKey, SparseColumn]:
    """The columns of fields. One may be a Parquet column in some files and overflow in others."""
    cells: dict[ColumnKey, _Cells] = {}
    for name in whole.column_names:
        key = None if name == OVERFLOW else parse_physical(name)
        if key is not None:
            column = sparse(whole.column(name), key.type.arrow)
            cells.setdefault(key, []).append((column.rows, column.values))
    if OVERFLOW in whole.column_names:
        overflow = sparse(whole.column(OVERFLOW), pa.large_string())
        for key, column in decode_overflow(overflow).items():
            cells.setdefault(key, []).append((column.rows, column.values))
    return {
        key: _united(some)
        for key, some in sorted(cells.items())
        if any(len(rows) for rows, _ in some)
    }


def _united(some: _Cells) -> SparseColumn:
    some = [one for one in some if len(one[0])] or some[:1]
    if len(some) == 1:
        return SparseColumn(*some[0])
    rows = np.concatenate([rows for rows, _ in some])
    order = np.argsort(rows, kind="stable")
    values = pa.concat_arrays([values for _, values in some]).take(pa.array(order))
    return SparseColumn(rows[order], values)
