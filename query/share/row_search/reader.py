"""Reads all fields, or some, of rows whose sources and numbers are known."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa

from query.plan.plan import RowPosition
from query.share.row_search.row_json import RowTexts, physical_columns
from query.share.sources.parquet_scan import parquet_scan
from query.share.sources.sources import POSITION, RowSource
from query.share.view.view import SegmentView
from segment.columns import ColumnBlock, ColumnKey, FieldType, select
from segment.columns.key import SYSTEM_COLUMNS

RunStatement = Callable[[str, list[str], Mapping[str, pa.Table]], pa.Table]
EVERY_FIELD: Final = f"* EXCLUDE ({', '.join((*SYSTEM_COLUMNS, 'file_row_number'))})"


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A row: position, sample rate and source.

    number: row number in its segment. text: its fields as a JSON object, where they are read.
    matches: fields that hold a searched text.
    calculated: calculated fields with their values as JSON.
    """

    position: RowPosition
    rate: int
    source: RowSource
    number: int
    text: bytes | None = None
    matches: tuple[str, ...] = ()
    calculated: tuple[tuple[str, bytes], ...] = ()


def found_rows(table: pa.Table, sources: Sequence[RowSource]) -> list[FoundRow]:
    """The rows of a statement over sources with positions, in its order."""
    names = (*POSITION, "r", "s", "n")
    rows = zip(*(table.column(name).to_pylist() for name in names), strict=True)
    return [FoundRow(RowPosition(*row[:5]), row[5], sources[row[6]], row[7]) for row in rows]


class RowReader:
    """Reads rows as JSON objects.

    fields: those that are read; None: all.
    searched: texts; which fields hold one of them is read as well.
    """

    def __init__(
        self, fields: tuple[str, ...] | None, ask: RunStatement, searched: Sequence[str] = ()
    ) -> None:
        self._wanted = fields
        self._fields = None if searched else fields
        self._searched = searched
        self._ask = ask

    def read(self, some: Sequence[FoundRow]) -> list[FoundRow]:
        """The rows with their JSON objects."""
        by_source: dict[int, list[int]] = {}
        for at, row in enumerate(some):
            if row.text is None:
                by_source.setdefault(id(row.source), []).append(at)
        texts = RowTexts(len(some), self._wanted, self._searched)
        for at, row in enumerate(some):
            texts.add_cells(at, row.calculated)
        for members in by_source.values():
            source = some[members[0]].source
            if isinstance(source, ColumnBlock):
                self._read_live(source, members, some, texts)
            else:
                self._read_segment(source, members, some, texts)
        matches = texts.matches() or [()] * len(some)
        made = zip(some, texts.made(), matches, strict=True)
        return [
            replace(row, text=text, matches=held) if row.text is None else row
            for row, text, held in made
        ]

    def _read_live(
        self, block: ColumnBlock, members: list[int], some: Sequence[FoundRow], texts: RowTexts
    ) -> None:
        fields = self._fields
        if fields is not None:
            keys = [ColumnKey(field, one) for field in fields for one in FieldType]
            named = {key: block.columns[key] for key in keys if key in block.columns}
            block = replace(block, columns=named, held_bytes=-1)
        mask = np.zeros(block.rows, np.bool_)
        at_row: dict[int, int] = {}
        offsets = np.array([some[at].position.offset for at in members], np.int64)
        indices = np.array([some[at].position.index_in_record for at in members], np.int64)
        first = np.searchsorted(block.offset, offsets)  # the events of a record are adjacent
        rows = first + indices - block.index_in_record[first]
        for at, row in zip(members, rows.tolist(), strict=True):
            mask[row] = True
            at_row[row] = at
        order = [at_row[row] for row in sorted(at_row)]  # of the rows that are selected
        for key, column in select(block, mask).columns.items():
            texts.add(key, [order[row] for row in column.rows.tolist()], column.values)

    def _read_segment(
        self,
        segment: SegmentView,
        members: list[int],
        some: Sequence[FoundRow],
        texts: RowTexts,
    ) -> None:
        at_row = {some[at].number: at for at in members}
        columns = physical_columns(segment, self._fields)
        if columns == ():
            return  # none of the fields is in this segment
        selected = EVERY_FIELD if columns is None else ", ".join(columns)
        numbers = ", ".join(f"{number:d}" for number in sorted(at_row))
        table = self._ask(
            f"SELECT file_row_number, {selected} FROM {parquet_scan([segment], row_numbers=True)}"
            f" WHERE file_row_number BETWEEN {min(at_row):d} AND {max(at_row):d}"
            f" AND file_row_number IN ({numbers})",
            [],
            {},
        )
        order = [at_row[number] for number in table.column("file_row_number").to_pylist()]
        texts.add_table(table.drop_columns("file_row_number"), order)
