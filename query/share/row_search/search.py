"""Searches rows: first the positions of the first rows in their order, then their fields.

Segments are read in the order of time, and only while they may have one of the wanted rows: the
last 20 events of a year of segments are in the newest few. Then the fields of those rows alone are
read. Where few rows will match, as of a trace, one statement reads both. The rows are exactly those
that a COUNT over the same plan counts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final, NamedTuple

import msgspec
import pyarrow as pa

from common import limits
from query.plan.calculated import asked_stored_fields
from query.plan.plan import Plan, RowPosition, RowsWanted
from query.share.defined.joins import JoinedColumns
from query.share.defined.rows import gather_asked
from query.share.pruning.footer_facts import FooterFacts
from query.share.row_search.reader import EVERY_FIELD, FoundRow, RowReader, RunStatement, found_rows
from query.share.row_search.row_json import RowTexts, physical_columns
from query.share.search.plan import wanted_texts
from query.share.sources.calculated import calculated_cells, calculated_columns
from query.share.sources.sources import POSITION
from query.share.states.statements import Statements
from query.share.view.view import DatasetView, SegmentView
from segment.columns import ColumnKey, FieldType

_SEGMENTS_FIRST: Final = 4  # in the first scan; each later scan has twice as many
_SEGMENTS_MOST: Final = 64
_LOOK_UPS_MAX: Final = 4  # segments of a scan that are read one by one, with all fields
_ROWS_LOOKED_UP: Final = 64  # of a segment: 64 MB if all are of the largest that there can be
_ROWS_FIRST: Final = 32  # in the first read of fields, while the size of rows is unknown
# The same of files in which rows take few bytes: a whole page in one statement. They may still be
# large, if the same long texts come again and again: 100 MB at the very most.
_SHORT_FIRST: Final = limits.ROWS_LIMIT_DEFAULT + 1
_SHORT_BYTES: Final = 256  # of a row in its file, on average
_ROWS_MOST: Final = 2_000
DATASET = "d"  # column: the index of a row's dataset in the plan, where it has several
_MATCHES: Final = "matches"  # column: the fields that hold a searched text
MORE = "more"  # state: whether wanted rows did not fit into the answer


class Row(NamedTuple):
    """An event: its position, its sample rate, its fields as a JSON object.

    dataset: index into the datasets of its plan.
    matches: the fields that hold a searched text.
    """

    position: RowPosition
    rate: int
    data: bytes
    dataset: int = 0
    matches: tuple[str, ...] = ()


class RowSearch:
    """Finds and reads the rows of a plan over the views of some partitions, once."""

    def __init__(
        self,
        plan: Plan,
        wanted: RowsWanted,
        views: Sequence[DatasetView],
        facts: FooterFacts | None = None,
        joined: JoinedColumns = (),
    ) -> None:
        """facts: what is known about segments; None: every segment of the range is searched.

        joined: columns of the tables of the plan's joins.
        """
        self._joined = joined
        self._plan = plan
        self._facts = facts
        named = set(wanted.fields or ())
        self._calculated = tuple(one.name for one in plan.calculated if one.name in named)
        # Only fields of filters are needed: others would be made dense for every live row.
        self._finding = msgspec.structs.replace(
            plan, rows=msgspec.structs.replace(wanted, fields=self._calculated or None)
        )
        if wanted.fields is not None:  # a stored field gives way to a calculated one of its name
            stored = tuple(name for name in wanted.fields if name not in self._calculated)
            wanted = msgspec.structs.replace(wanted, fields=stored)
        self._wanted = wanted
        self._views = views
        texts = dict.fromkeys(wanted_texts(plan.filters))
        self._searched = () if wanted.fields == () else tuple(texts)
        self._segments = [
            (view, segment)
            for view in views
            for segment in view.segments
            if (segment.time_max_ns >= plan.start_ns or plan.reads_ends)
            and segment.time_min_ns < plan.end_ns
        ]
        self.segments_read = 0
        self._looked_up = 0  # bytes of rows whose fields were read at once: about one answer

    def types(self) -> dict[str, str]:
        """The letters of each stored field's types in all segments and blocks, by field."""
        fields = asked_stored_fields(self._plan)
        held: dict[str, set[str]] = {field: set() for field in fields}
        for _, segment in self._segments:
            for key in segment.columns | segment.overflow_columns:
                if key.field in held:
                    held[key.field].add(key.type.value)
        keys = [ColumnKey(field, one) for field in fields for one in FieldType]
        for view in self._views:
            for block in view.blocks:
                for key in keys:
                    if key in block.columns:
                        held[key.field].add(key.type.value)
        return {field: "".join(sorted(types)) for field, types in held.items()}

    def run(self, ask: RunStatement) -> dict[str, pa.Table]:
        """States: `main` (position, rate and data of each row, in order) and `more`."""
        found = self._first(ask)
        kept = self._read(found, ask)
        columns = {
            name: pa.array([row.position[at] for row in kept], pa.int64())
            for at, name in enumerate(POSITION)
        }
        columns["r"] = pa.array([row.rate for row in kept], pa.int64())
        columns["data"] = pa.array([row.text for row in kept], pa.large_binary())
        if self._plan.datasets:
            columns[DATASET] = pa.array(self._dataset_numbers(kept), pa.int64())
        if self._searched:
            columns[_MATCHES] = pa.array([row.matches for row in kept], pa.list_(pa.string()))
        more = pa.table({MORE: pa.array([len(kept) < len(found)], pa.bool_())})
        return {"main": pa.table(columns), MORE: more}

    def _dataset_numbers(self, rows: Sequence[FoundRow]) -> list[int]:
        """The index of each row's dataset in the plan."""
        numbers = {one.id: number for number, one in enumerate(self._plan.datasets)}
        of_source = {
            id(source): numbers[view.dataset]
            for view in self._views
            for source in (*view.segments, *view.blocks)
        }
        return [of_source[id(row.source)] for row in rows]

    # --- positions ------------------------------------------------------------------------------
    def _first(self, ask: RunStatement) -> list[FoundRow]:
        """The first rows in their order, at most as many as wanted."""
        limit = self._wanted.limit
        found = self._search(self._finding, self._live_only(), ask)
        for wave in self._waves():
            plan = self._finding
            if len(found) >= limit:
                last_ns = found[limit - 1].position.time_ns
                wave = [one for one in wave if self._may_precede(one[1], last_ns)]
                if plan.reads_ends:
                    pass  # its range is not that of the positions
                elif self._wanted.oldest:
                    plan = msgspec.structs.replace(plan, end_ns=min(plan.end_ns, last_ns + 1))
                else:
                    plan = msgspec.structs.replace(plan, start_ns=max(plan.start_ns, last_ns))
            if not wave:
                break
            self.segments_read += len(wave)
            found += self._search_wave(plan, wave, ask)
            found.sort(key=lambda row: row.position, reverse=not self._wanted.oldest)
            del found[limit:]
        return found

    def _live_only(self) -> list[DatasetView]:
        return [replace(view, segments=()) for view in self._views if view.blocks]

    def _waves(self) -> Iterator[list[tuple[DatasetView, SegmentView]]]:
        """The segments that may have a row, in the order of their first rows, a few per scan."""
        ordered = [one for one in self._segments if not one[1].skipped]
        if self._wanted.oldest:
            ordered.sort(key=lambda one: one[1].time_min_ns)
        else:
            ordered.sort(key=lambda one: -one[1].time_max_ns)
        facts, size = self._facts, _SEGMENTS_FIRST
        if facts is None:
            left = iter(ordered)
        else:
            left = (one for one in ordered if facts.may_match(self._plan, one[1]))
        while wave := list(islice(left, size)):
            yield wave
            size = min(2 * size, _SEGMENTS_MOST)

    def _may_precede(self, segment: SegmentView, last_ns: int) -> bool:
        """Whether the segment may have a row before the last one found."""
        if self._wanted.oldest:
            return segment.time_min_ns <= last_ns
        return segment.time_max_ns >= last_ns

    def _search_wave(
        self, plan: Plan, wave: Sequence[tuple[DatasetView, SegmentView]], ask: RunStatement
    ) -> list[FoundRow]:
        """The first rows of these segments; more where they are few."""
        found, left = list[FoundRow](), list[tuple[DatasetView, SegmentView]]()
        facts = self._facts if len(wave) <= _LOOK_UPS_MAX else None
        for one in wave:
            some = None
            has_room = self._looked_up < self._wanted.bytes_max
            if has_room and facts is not None and facts.are_looked_up(plan, one[1]):
                some = self._look_up(plan, one, ask)
            if some is None:
                left.append(one)
            else:
                found += some
        return found + self._search(plan, _views_of(left), ask)

    def _look_up(
        self, plan: Plan, one: tuple[DatasetView, SegmentView], ask: RunStatement
    ) -> list[FoundRow] | None:
        """All rows of a segment with their fields; None: they are more than a few."""
        fields = self._wanted.fields
        columns = physical_columns(one[1], None if self._searched else fields)
        more = EVERY_FIELD if columns is None else ", ".join(columns)
        sources = gather_asked(
            plan, _views_of([one]), joined=self._joined, with_positions=True, more=more
        )
        statements = Statements(plan, sources)
        sql = statements.some_rows(self._wanted, _ROWS_LOOKED_UP + 1)
        table = ask(sql, statements.parameters, sources.tables)
        if table.num_rows > _ROWS_LOOKED_UP:
            return None
        texts = RowTexts(table.num_rows, fields, self._searched)
        texts.add_table(table, range(table.num_rows))
        cells = calculated_cells(self._calculated, sources.fields_sql, table)
        for at, some in enumerate(cells):
            texts.add_cells(at, some)
        found, made = found_rows(table, sources.row_sources), texts.made()
        matches = texts.matches() or [()] * len(made)
        self._looked_up += sum(map(len, made))
        return [
            replace(row, text=text, matches=held)
            for row, text, held in zip(found, made, matches, strict=True)
        ]

    def _search(
        self, plan: Plan, views: Sequence[DatasetView], ask: RunStatement
    ) -> list[FoundRow]:
        if not views:
            return []
        sources = gather_asked(plan, views, joined=self._joined, with_positions=True)
        if not sources.row_sources:
            return []
        statements = Statements(plan, sources)
        more = calculated_columns(self._calculated, sources.fields_sql)
        sql = statements.first_rows(self._wanted, more)
        table = ask(sql, statements.parameters, sources.tables)
        found = found_rows(table, sources.row_sources)
        if self._calculated:
            cells = calculated_cells(self._calculated, sources.fields_sql, table)
            found = [
                replace(row, calculated=tuple(some))
                for row, some in zip(found, cells, strict=True)
            ]  # fmt: skip
        found.sort(key=lambda row: row.position, reverse=not self._wanted.oldest)
        return found

    # --- fields ---------------------------------------------------------------------------------
    def _read(self, found: Sequence[FoundRow], ask: RunStatement) -> list[FoundRow]:
        """The first rows with their JSON objects, as many as fit, but at least one.

        Their sizes are not known in advance: a few are read first, then as many as should fit.
        """
        reader = RowReader(self._wanted.fields, ask, self._searched)
        kept: list[FoundRow] = []
        size, step = 0, _SHORT_FIRST if _are_short(found) else _ROWS_FIRST
        while len(kept) < len(found):
            for row in reader.read(found[len(kept) : len(kept) + step]):
                size += len(row.text or b"")
                if kept and size > self._wanted.bytes_max:
                    return kept
                kept.append(row)
            left = (self._wanted.bytes_max - size) * len(kept) // max(1, size)
            step = max(1, min(_ROWS_MOST, left + 1))
        return kept


def _are_short(found: Sequence[FoundRow]) -> bool:
    """Whether the rows are all in files whose rows are short."""
    sources = {id(row.source): row.source for row in found}.values()
    return all(
        isinstance(one, SegmentView) and one.path.stat().st_size <= _SHORT_BYTES * one.rows
        for one in sources
    )


def _views_of(wave: Sequence[tuple[DatasetView, SegmentView]]) -> list[DatasetView]:
    """Copies of the views with only these segments and without live blocks."""
    by_view: dict[tuple[int, str], tuple[DatasetView, list[SegmentView]]] = {}
    for view, segment in wave:
        by_view.setdefault((view.partition, view.dataset), (view, []))[1].append(segment)
    return [
        replace(view, segments=tuple(segments), blocks=()) for view, segments in by_view.values()
    ]


def rows_of(main: pa.Table) -> list[Row]:
    """The rows of a `main` state."""
    names = [*POSITION, "r", "data", *([DATASET] if DATASET in main.column_names else [])]
    columns = [main.column(name).to_pylist() for name in names]
    rows = [Row(RowPosition(*row[:5]), *row[5:]) for row in zip(*columns, strict=True)]
    if _MATCHES not in main.column_names:
        return rows
    matches = main.column(_MATCHES).to_pylist()
    return [row._replace(matches=tuple(held)) for row, held in zip(rows, matches, strict=True)]
