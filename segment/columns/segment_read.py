"""A Parquet segment read back into columns, exactly as they were before it was written.

Open only files whose SHA-256 has been checked against the manifest: a Parquet reader does not
detect all damage. Page checksums are verified as well.
"""

import hashlib
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from common.errors import DamagedObject
from segment.columns.block import ColumnBlock, SparseColumn
from segment.columns.digest import DIGEST_VERSION, Digester
from segment.columns.key import (
    INDEX_IN_RECORD,
    OFFSET,
    OVERFLOW,
    RATE,
    SYSTEM_COLUMNS,
    TIME,
    ColumnKey,
    parse_physical,
)
from segment.columns.names import PackedKeys, parse_all
from segment.columns.overflow.overflow import decode_overflow
from segment.columns.segment import (
    METADATA_KEY,
    OVERFLOW_COLUMNS_KEY,
    SEGMENT_FORMAT,
    SegmentFile,
    SegmentInfo,
)

_READ_BYTES = 1 << 20


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, as hex digits."""
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_READ_BYTES):
            hasher.update(chunk)
    return hasher.hexdigest()


def describe_segment(path: Path) -> SegmentFile:
    """The metadata of a segment file, without reading its values. Raises DamagedObject."""
    object_hash = file_hash(path)
    with SegmentReader(path) as reader:
        return SegmentFile(path, object_hash, path.stat().st_size, reader.info)


def read_table(segment: Path | bytes) -> pa.Table:
    """All Parquet columns of a segment whose SHA-256 was just checked, so that page checksums are
    not. For small files this costs a tenth of a `SegmentReader`, which parses all names.

    segment: its file or its bytes. Raises DamagedObject.
    """
    source = pa.BufferReader(segment) if isinstance(segment, bytes) else segment
    try:
        with pq.ParquetFile(source, pre_buffer=False) as file:
            return file.read(use_threads=False)
    except (pa.ArrowException, OSError, ValueError) as error:  # ValueError: names in no UTF-8
        name = "in memory" if isinstance(segment, bytes) else segment.name
        raise DamagedObject(f"segment {name} cannot be read: {error}") from error


class SegmentReader:
    """An open segment. Every method raises DamagedObject if the file cannot be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = pq.ParquetFile(path, page_checksum_verification=True)
            metadata = self._file.metadata.metadata or {}
            self.info = msgspec.json.decode(metadata[METADATA_KEY], type=SegmentInfo)
            names = self._file.schema_arrow.names
            self.columns = _keys(name for name in names if name not in (*SYSTEM_COLUMNS, OVERFLOW))
            self.overflow_keys = _parse_names(metadata.get(OVERFLOW_COLUMNS_KEY, b"[]"))
        except (pa.ArrowException, OSError, KeyError, ValueError) as error:
            raise DamagedObject(f"segment {path.name} cannot be read: {error}") from error
        if self.info.format != SEGMENT_FORMAT or self._file.metadata.num_rows != self.info.rows:
            raise DamagedObject(f"segment {path.name} is not of format {SEGMENT_FORMAT}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    @cached_property
    def overflow_columns(self) -> frozenset[ColumnKey]:
        """The columns in the overflow column, each as an object: `overflow_keys` takes far less."""
        return frozenset(self.overflow_keys)

    def block(self, keys: Iterable[ColumnKey] | None = None) -> ColumnBlock:
        """The rows with these columns (all of them if None); unknown columns are left out."""
        wanted = self.columns | self.overflow_columns if keys is None else frozenset(keys)
        columns = {key: self._field(key) for key in wanted & self.columns}
        if wanted & self.overflow_columns:
            columns |= {k: v for k, v in self._overflow().items() if k in wanted}
        return ColumnBlock(
            time_ns=self.system(TIME),
            rate=self.system(RATE),
            offset=self.system(OFFSET),
            index_in_record=self.system(INDEX_IN_RECORD).astype(np.int32),
            late_or_early=np.full(self.info.rows, self.info.far),
            columns={key: columns[key] for key in sorted(columns)},
        )

    def digest(self, version: int = DIGEST_VERSION) -> str:
        """The digest of the file's content, computed from its values, one column at a time."""
        digester = Digester(self.info.rows, version)
        for name in SYSTEM_COLUMNS:
            digester.add_system(name, self.system(name))
        for key in self.columns:
            digester.add_field(key, self._field(key))
        if self.overflow_columns:
            for key, column in self._overflow().items():
                digester.add_field(key, column)
        return digester.text()

    def column(self, key: ColumnKey) -> SparseColumn | None:
        """One column of a field, or None if the segment has no such column."""
        if key in self.columns:
            return self._field(key)
        return self._overflow().get(key) if key in self.overflow_columns else None

    def system(self, name: str) -> npt.NDArray[np.int64]:
        """A system column, one value for each row."""
        values: npt.NDArray[np.int64] = self._read(name).to_numpy()
        return values

    def _field(self, key: ColumnKey) -> SparseColumn:
        return sparse(self._read(key.physical), key.type.arrow)

    def _overflow(self) -> dict[ColumnKey, SparseColumn]:
        try:
            return decode_overflow(sparse(self._read(OVERFLOW), pa.large_string()))
        except (pa.ArrowException, ValueError) as error:
            raise DamagedObject(f"segment {self._path.name}: bad rest column: {error}") from error

    def _read(self, name: str) -> pa.ChunkedArray:
        try:
            return self._file.read(columns=[name], use_threads=False).column(0)
        except (pa.ArrowException, OSError, KeyError, IndexError) as error:
            raise DamagedObject(f"segment {self._path.name}: {name}: {error}") from error


def _parse_names(text: bytes) -> PackedKeys:
    """The keys of a JSON list of physical names. Raises ValueError.

    Physical names need no escaping, so the list is split without an object for each.
    """
    text = text.strip()
    if text == b"[]":
        return PackedKeys.of(())
    if b"\\" in text or not (text.startswith(b'["') and text.endswith(b'"]')):
        return parse_all(pa.array(msgspec.json.decode(text, type=list[str]), pa.large_string()))
    whole = pa.array([text[2:-2]], pa.large_string())
    return parse_all(pc.split_pattern(whole, '","').values)


def _keys(physical_names: Iterable[str]) -> frozenset[ColumnKey]:
    found = (parse_physical(name) for name in physical_names)
    return frozenset(key for key in found if key is not None)


def sparse(column: pa.ChunkedArray, arrow_type: pa.DataType) -> SparseColumn:
    """The values of a column that are not null, with their row numbers."""
    dense = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    if not dense.null_count:
        values = dense if dense.type == arrow_type else dense.cast(arrow_type)
        return SparseColumn(np.arange(len(dense), dtype=np.uint32), values)
    rows = np.flatnonzero(dense.is_valid().to_numpy(zero_copy_only=False)).astype(np.uint32)
    return SparseColumn(rows, dense.drop_null().cast(arrow_type))
