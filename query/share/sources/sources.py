"""The source rows of a share in SQL: live blocks and small segments as Arrow tables, other segments
as Parquet scans.

Only the columns that the plan names are read. Segments are pruned by time and by what footers say
about the plan's filters; a column that a source lacks is NULL there. Rows outside of a segment's
`visible` ranges, rows at or after `upto`, and rows of rerouted batches that count in another
partition are hidden.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from query.cancellation import check_cancelled
from query.plan.calculated import stored_fields
from query.plan.plan import Plan, plan_searches
from query.share.known.sources import known_fields
from query.share.pruning.footer_facts import FooterFacts
from query.share.search.sources import search_blocks, search_columns, text_columns
from query.share.sources.calculated import add_calculated
from query.share.sources.field_sql import FieldSql, sql_type
from query.share.sources.parquet_scan import parquet_scan
from query.share.sources.small_segments import SMALL_ROWS_MAX, SmallSegments
from query.share.sources.undecided import HiddenOffsets, hidden_in
from query.share.view.view import DatasetView, OffsetRanges, SegmentView
from segment.columns import ColumnBlock, ColumnKey, FieldType
from segment.columns.key import INDEX_IN_RECORD, OFFSET, OVERFLOW, RATE, TIME

LIVE = "live"
SMALL = "small"
_TIME_SQL = f'"{TIME}"'
_SYSTEM = (f"{_TIME_SQL} AS t", f'"{RATE}" AS r')
RowSource = SegmentView | ColumnBlock
POSITION = ("t", "p", "e", "o", "i")  # columns of a row's position, in the order of rows


@dataclass(frozen=True, slots=True)
class Sources:
    """SQL of all source rows (columns t, r and `c<i>_<type>`), and the tables it reads.

    tables: those to register, by name.
    fields_sql: by field, its SQL expressions.
    stored_sql: likewise, of stored fields alone: of a name that is also calculated, the stored one.
    row_sources: the sources that `s` refers to.
    rows_most: number of rows of all segments and blocks, before any condition.
    is_empty: whether no source is left that may have a row.

    With positions there are also the columns p (partition), e (epoch number), o (offset), i (index
    in the record), s (index into `row_sources`), n (number of the row in its segment).
    """

    sql: str
    tables: dict[str, pa.Table]
    fields_sql: dict[str, FieldSql]
    row_sources: tuple[RowSource, ...] = ()
    rows_most: int = 0
    is_empty: bool = False
    stored_sql: Mapping[str, FieldSql] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Shape:
    """The properties that all segments of one Parquet scan have in common."""

    own: frozenset[ColumnKey]
    rest: frozenset[ColumnKey]
    visible: OffsetRanges | None
    timed: bool  # whether rows may be outside of the plan's range
    high: int | None
    hidden: tuple[int, ...] = ()
    only: tuple[int, ...] | None = None
    source: int | None = None  # index of the row source: of one segment alone
    more: str = ""  # SQL of more columns
    texts: frozenset[ColumnKey] = frozenset()  # of its own, that are searched
    rest_texts: bool = False  # whether some in the overflow column are searched, too
    searches: tuple[str, ...] = ()
    place: tuple[int, int] = 0, 0  # partition and number of the epoch

    @property
    def is_plain(self) -> bool:
        """Whether all rows of the range are read, from columns of their own."""
        if self.visible is not None or self.only is not None or self.high is not None:
            return False
        if self.searches:
            return False
        return not (self.hidden or self.rest) and self.source is None


def gather(
    plan: Plan,
    views: Sequence[DatasetView],
    small: SmallSegments | None = None,
    facts: FooterFacts | None = None,
    *,
    with_positions: bool = False,
    more: str = "",
    suffix: str = "",
) -> Sources:
    """The sources of a plan over the views of some partitions, if wanted with positions of rows.

    suffix: of the names of tables, for statements over several sources.
    more: SQL of more columns of the rows with positions of a single segment, by their own names.
    small: where small segments are in memory. facts: by which segments are left out that no filter
    of the plan can match; None: none is. Raises DamagedObject.
    """
    hidden = {(view.partition, view.dataset): hidden_in(view, plan) for view in views}
    fields = sorted(stored_fields(plan))
    wanted = [ColumnKey(field, field_type) for field in fields for field_type in FieldType]
    segments = [
        (view, segment)
        for view in views
        for segment in view.segments
        if segment.time_max_ns >= plan.start_ns and segment.time_min_ns < plan.end_ns
    ]
    searches = plan_searches(plan)
    live, row_sources, held_live = _live_rows(
        plan, views, wanted, hidden, with_texts=bool(searches)
    )
    blocks = [block for _, block in live]
    held = held_live.union(*(one.columns | one.overflow_columns for _, one in segments))
    fields_sql = {
        field: FieldSql(index, frozenset(t for t in FieldType if ColumnKey(field, t) in held))
        for index, field in enumerate(fields)
    }
    segments = [(view, segment) for view, segment in segments if not segment.skipped]
    keys = [ColumnKey(f, t) for f, r in fields_sql.items() for t in FieldType if t in r.types]
    named = frozenset(keys)
    parts, tables = [], dict[str, pa.Table]()
    if blocks:
        tables[LIVE + suffix] = _live_table(live, keys, fields_sql, searches, with_positions)
        inside = all(_is_inside(block, plan) for block in blocks)
        where = "" if inside else f" WHERE {_time_range(plan, 't')}"
        parts.append(f"SELECT * FROM {LIVE}{suffix}{where}")
    shapes: dict[_Shape, list[SegmentView]] = {}
    in_memory: list[tuple[_Shape, SegmentView]] = []
    timed = False
    fit = small is not None and small.fit((segment for _, segment in segments), len(keys))
    for view, segment in segments:
        check_cancelled()
        is_small = fit and segment.rows <= SMALL_ROWS_MAX
        if not is_small and facts is not None and not facts.may_match(plan, segment):
            continue
        upto = plan.upto.get(view.partition)
        if segment.epoch_number != view.epoch_number:
            upto = None  # an offset of this log does not apply to earlier logs
        shape = _shape(plan, segment, named, upto, hidden[view.partition, view.dataset])
        if searches:
            rest = text_columns(segment.overflow_columns)
            texts = text_columns(segment.columns)
            shape = replace(shape, texts=texts, rest_texts=bool(rest), searches=searches)
        if with_positions:
            place = view.partition, segment.epoch_number
            shape = replace(shape, source=len(row_sources), more=more, place=place)
            row_sources.append(segment)
        if is_small and shape.is_plain:
            in_memory.append((shape, segment))
            timed = timed or shape.timed
        elif shape.only != ():
            shapes.setdefault(shape, []).append(segment)
    if small is not None and in_memory:
        rows, others = small.table([segment for _, segment in in_memory], keys)
        for shape, segment in (in_memory[at] for at in others):
            shapes.setdefault(shape, []).append(segment)
        if rows is not None:
            tables[SMALL + suffix] = rows
            parts.append(_small_select(plan, keys, fields_sql, SMALL + suffix, timed=timed))
    for shape, alike in shapes.items():
        parts.append(_parquet_select(plan, shape, alike, keys, fields_sql))
    in_files = [segment for alike in shapes.values() for segment in alike]
    held_small = tables.get(SMALL + suffix)
    for name, one in known_fields(plan, keys, in_files, blocks, held_small, facts).items():
        fields_sql[name] = replace(fields_sql[name], every=one.every, span=one.span)
    rows = " UNION ALL ".join(parts) or _no_rows(keys, fields_sql, searches, with_positions)
    rows, every = add_calculated(plan.calculated, rows, fields_sql)
    return Sources(
        rows,
        tables,
        every,
        tuple(row_sources),
        sum(segment.rows for _, segment in segments) + sum(block.rows for block in blocks),
        not parts,
        fields_sql,
    )


def _live_rows(
    plan: Plan,
    views: Sequence[DatasetView],
    wanted: Sequence[ColumnKey],
    hidden: Mapping[tuple[int, str], HiddenOffsets],
    *,
    with_texts: bool,
) -> tuple[list[tuple[DatasetView, ColumnBlock]], list[RowSource], frozenset[ColumnKey]]:
    """Blocks with the rows and columns to read, with their views; the blocks that they are of; and
    the columns of all live rows of a view with such a block: the segment that they become has them.
    """
    live: list[tuple[DatasetView, ColumnBlock]] = []
    whole: list[RowSource] = []
    held: set[ColumnKey] = set()
    for view in views:
        columns: set[ColumnKey] = set()
        before = len(live)
        for block in view.blocks:
            narrowed = _narrowed(block, wanted)
            columns.update(narrowed.columns)
            if with_texts:
                narrowed = _narrowed(block, {*wanted, *text_columns(block.columns)})
            seen = _cut_off(narrowed, plan.upto.get(view.partition))
            seen = hidden[view.partition, view.dataset].of_block(seen, view.epoch_number)
            if seen.rows and _overlaps(seen, plan):
                live.append((view, seen))
                whole.append(block)
        if len(live) > before:
            held |= columns
    return live, whole, frozenset(held)


def _narrowed(block: ColumnBlock, wanted: Iterable[ColumnKey]) -> ColumnBlock:
    """The block with only the wanted columns, as it may have millions."""
    columns = {key: block.columns[key] for key in wanted if key in block.columns}
    return replace(block, columns=columns, held_bytes=-1)


def _cut_off(block: ColumnBlock, upto: int | None) -> ColumnBlock:
    """The rows of records before `upto`: a prefix, for blocks are in log order."""
    if upto is None or not block.rows or int(block.offset[-1]) < upto:
        return block
    rows = int(np.searchsorted(block.offset, upto))
    columns = {}
    for key, column in block.columns.items():
        kept = int(np.searchsorted(column.rows, rows))
        columns[key] = type(column)(column.rows[:kept], column.values.slice(0, kept))
    return ColumnBlock(
        block.time_ns[:rows],
        block.rate[:rows],
        block.offset[:rows],
        block.index_in_record[:rows],
        block.late_or_early[:rows],
        columns,
    )


def _overlaps(block: ColumnBlock, plan: Plan) -> bool:
    return bool(block.time_ns.max() >= plan.start_ns and block.time_ns.min() < plan.end_ns)


def _is_inside(block: ColumnBlock, plan: Plan) -> bool:
    return bool(block.time_ns.min() >= plan.start_ns and block.time_ns.max() < plan.end_ns)


def _shape(
    plan: Plan,
    segment: SegmentView,
    keys: frozenset[ColumnKey],
    upto: int | None,
    hidden: HiddenOffsets,
) -> _Shape:
    return _Shape(
        segment.columns & keys,
        segment.overflow_columns & keys,
        segment.visible,
        segment.time_min_ns < plan.start_ns or segment.time_max_ns >= plan.end_ns,
        upto if upto is not None and segment.end_offset > upto else None,
        *hidden.of_segment(segment),
    )


def _alias(key: ColumnKey, fields_sql: dict[str, FieldSql]) -> str:
    return f"c{fields_sql[key.field].index}_{key.type.value}"


def _live_table(
    live: Sequence[tuple[DatasetView, ColumnBlock]],
    keys: Sequence[ColumnKey],
    fields_sql: dict[str, FieldSql],
    searches: Sequence[str],
    with_positions: bool,
) -> pa.Table:
    """The rows of the blocks with only the columns of `keys`, dense, and those of searches."""
    blocks = [block for _, block in live]
    arrays = [
        pa.chunked_array([pa.array(b.time_ns) for b in blocks]),
        pa.chunked_array([pa.array(b.rate) for b in blocks]),
    ]
    for key in keys:
        check_cancelled()
        chunks = [
            b.columns[key].dense(b.rows) if key in b.columns else pa.nulls(b.rows, key.type.arrow)
            for b in blocks
        ]
        arrays.append(pa.chunked_array(chunks, key.type.arrow))
    names = ["t", "r", *(_alias(key, fields_sql) for key in keys)]
    found = search_blocks(searches, blocks)
    names += found
    arrays += found.values()
    if with_positions:
        for name, arrays_of in _position_columns(live).items():
            names.append(name)
            arrays.append(pa.chunked_array(arrays_of, pa.int64()))
    return pa.table(arrays, names=names)


def _position_columns(live: Sequence[tuple[DatasetView, ColumnBlock]]) -> dict[str, list[pa.Array]]:
    """The position columns of the live rows, in the order of those of segments."""

    def every(value: int, block: ColumnBlock) -> pa.Array:
        return pa.array(np.full(block.rows, value, np.int64))

    return {
        "p": [every(view.partition, block) for view, block in live],
        "e": [every(view.epoch_number, block) for view, block in live],
        "o": [pa.array(block.offset) for _, block in live],
        "i": [pa.array(block.index_in_record.astype(np.int64)) for _, block in live],
        "s": [every(number, block) for number, (_, block) in enumerate(live)],
        "n": [every(-1, block) for _, block in live],
    }


def _time_range(plan: Plan, column: str) -> str:
    return f"{column} >= {plan.start_ns:d} AND {column} < {plan.end_ns:d}"


def _small_select(
    plan: Plan,
    keys: Sequence[ColumnKey],
    fields_sql: dict[str, FieldSql],
    table: str,
    *,
    timed: bool,
) -> str:
    where = f" WHERE {_time_range(plan, _TIME_SQL)}" if timed else ""
    columns = [f'"{key.physical}" AS {_alias(key, fields_sql)}' for key in keys]
    return f"SELECT {', '.join([*_SYSTEM, *columns])} FROM {table}{where}"


def _parquet_select(
    plan: Plan,
    shape: _Shape,
    segments: Sequence[SegmentView],
    keys: Sequence[ColumnKey],
    fields_sql: dict[str, FieldSql],
) -> str:
    columns = list(_SYSTEM)
    for key in keys:
        columns.append(f"{_parquet_column(key, shape)} AS {_alias(key, fields_sql)}")
    columns += search_columns(shape.searches, shape.texts, with_overflow=shape.rest_texts)
    wheres = [_time_range(plan, _TIME_SQL)] if shape.timed else []
    if shape.visible is not None:
        wheres.append(_within(shape.visible))
    if shape.high is not None:
        wheres.append(f'"{OFFSET}" < {shape.high:d}')
    if shape.hidden:
        wheres.append(f'"{OFFSET}" NOT IN ({_numbers(shape.hidden)})')
    if shape.only is not None:
        wheres.append(f'"{OFFSET}" IN ({_numbers(shape.only)})')
    if shape.source is not None:
        columns += [
            f"{shape.place[0]:d}::BIGINT AS p",
            f"{shape.place[1]:d}::BIGINT AS e",
            f'"{OFFSET}"::BIGINT AS o',
            f'"{INDEX_IN_RECORD}"::BIGINT AS i',
            f"{shape.source:d}::BIGINT AS s",
            "file_row_number::BIGINT AS n",
        ]
    if shape.more:
        columns.append(shape.more)
    scan = parquet_scan(segments, row_numbers=shape.source is not None)
    where = f" WHERE {' AND '.join(wheres)}" if wheres else ""
    return f"SELECT {', '.join(columns)} FROM {scan}{where}"


def _within(ranges: OffsetRanges) -> str:
    """The condition that a row's offset is in one of these half-open ranges."""
    some = (f'"{OFFSET}" >= {first:d} AND "{OFFSET}" < {end:d}' for first, end in ranges)
    return f"({' OR '.join(some) or 'FALSE'})"


def _numbers(offsets: Sequence[int]) -> str:
    return ", ".join(f"{offset:d}" for offset in offsets)


def _parquet_column(key: ColumnKey, shape: _Shape) -> str:
    if key in shape.own:
        return f'"{key.physical}"'  # physical names hold no quote (segment.columns.key)
    if key in shape.rest:
        path = f"'$.\"{key.physical}\"'"
        return f'CAST(json_extract_string("{OVERFLOW}", {path}) AS {sql_type(key.type)})'
    return f"NULL::{sql_type(key.type)}"


def _no_rows(
    keys: Sequence[ColumnKey],
    fields_sql: dict[str, FieldSql],
    searches: Sequence[str],
    with_positions: bool,
) -> str:
    columns = [f"NULL::{sql_type(k.type)} AS {_alias(k, fields_sql)}" for k in keys]
    columns += search_columns(searches, (), with_overflow=False)
    columns += [f"0::BIGINT AS {name}" for name in "peoisn"] if with_positions else []
    return f"SELECT {', '.join(['0::BIGINT AS t', '1::BIGINT AS r', *columns])} WHERE FALSE"
