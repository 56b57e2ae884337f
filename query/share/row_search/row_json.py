"""A row as a JSON object: every value with its stored type and digits.

Integers stay 64-bit integers, doubles keep a point or an exponent (50.0 is not 50), JSON that is
stored as text is inserted as JSON. Fields are in the order of their names.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

import orjson
import pyarrow as pa

from query.share.search.pattern import holding
from query.share.search.plan import TEXT_TYPES
from query.share.view.view import SegmentView
from segment.columns import ColumnKey, FieldType
from segment.columns.key import OVERFLOW, parse_physical

_LITERALS: Final = {True: b"true", False: b"false"}


class RowTexts:
    """Builds the JSON of some rows, column by column, and names the fields that hold a text.

    fields: that are added, of those that are given; None: all.
    searched: texts of which a field holds one or more.
    """

    def __init__(
        self, rows: int, fields: Collection[str] | None = None, searched: Sequence[str] = ()
    ) -> None:
        self._cells: list[list[tuple[str, bytes]]] = [[] for _ in range(rows)]
        self._fields = fields
        self._sought = searched
        self._matches: list[set[str]] = [set() for _ in range(rows if searched else 0)]

    def add(self, key: ColumnKey, order: Sequence[int], values: pa.Array) -> None:
        """Add the values of a column. order: the row of each value. Nulls are left out."""
        cells, field, field_type = self._cells, key.field, key.type
        if self._sought and field_type in TEXT_TYPES:
            self._match(key, order, values)
        if self._fields is not None and field not in self._fields:
            return
        for at, value in zip(order, values.to_pylist(), strict=True):
            if value is not None:
                cells[at].append((field, json_value(field_type, value)))

    def add_cells(self, at: int, cells: Iterable[tuple[str, bytes]]) -> None:
        """Add fields of a row, with their values as JSON."""
        self._cells[at] += cells

    def _match(self, key: ColumnKey, order: Sequence[int], values: pa.Array) -> None:
        for sought in self._sought:
            held = holding(values, sought, key.type).to_pylist()
            for at, found in zip(order, held, strict=True):
                if found:
                    self._matches[at].add(key.field)

    def add_table(self, table: pa.Table, order: Sequence[int]) -> None:
        """Add rows of a segment. order: index of each row."""
        for name in table.column_names:
            column = table.column(name)
            if column.null_count == len(column):
                continue
            if name == OVERFLOW:
                self._add_rest(order, column.to_pylist())
            elif (key := parse_physical(name)) is not None:
                self.add(key, order, column)

    def _add_rest(self, order: Sequence[int], texts: Sequence[str | None]) -> None:
        fields = self._fields
        for at, text in zip(order, texts, strict=True):
            for physical, value in orjson.loads(text or b"{}").items():
                key = parse_physical(physical)
                if key is None:
                    continue
                if self._sought and key.type in TEXT_TYPES:
                    self._match(key, [at], pa.array([value], pa.large_string()))
                if fields is None or key.field in fields:
                    self._cells[at].append((key.field, json_value(key.type, value)))

    def made(self) -> list[bytes]:
        """The JSON object of each row."""
        names = {name for cells in self._cells for name, _ in cells}
        heads = {name: orjson.dumps(name) + b":" for name in names}
        made = []
        for cells in self._cells:
            cells.sort()
            made.append(b"{%b}" % b",".join([heads[name] + text for name, text in cells]))
        return made

    def matches(self) -> list[tuple[str, ...]]:
        """The fields of each row that hold a searched text, in order; empty if none is searched."""
        return [tuple(sorted(names)) for names in self._matches]


def json_value(field_type: FieldType, value: int | float | bool | str) -> bytes:
    """The stored value as JSON."""
    if field_type is FieldType.JSON:
        return str(value).encode()
    if field_type is FieldType.BOOL:
        return _LITERALS[bool(value)]
    return orjson.dumps(float(value) if field_type is FieldType.FLOAT else value)


def physical_columns(
    segment: SegmentView, fields: Collection[str] | None
) -> tuple[str, ...] | None:
    """The quoted Parquet columns of these fields; None: all columns."""
    if fields is None:
        return None
    wanted = set(fields)
    own = sorted(key.physical for key in segment.columns if key.field in wanted)
    if any(key.field in wanted for key in segment.overflow_columns):
        own.append(OVERFLOW)
    return tuple(f'"{name}"' for name in own)  # physical names hold no quote
