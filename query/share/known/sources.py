"""What is known of each source of a share's rows: of segments by their footers, of rows in memory
by a look at them.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from query.cancellation import check_cancelled
from query.plan.plan import Plan, State
from query.share.known.values import KnownValues, columns_named, known_values
from query.share.pruning.facts import ColumnFacts, SourceFacts
from query.share.pruning.footer_facts import FooterFacts
from query.share.view.view import SegmentView
from segment.columns import ColumnBlock, ColumnKey, FieldType

# Footers of more segments, or with more columns, take longer to read than is won.
_SEGMENTS_MAX: Final = 1_000
_COLUMNS_MAX: Final = 1_000


def known_fields(
    plan: Plan,
    keys: Sequence[ColumnKey],
    segments: Sequence[SegmentView],
    blocks: Iterable[ColumnBlock],
    small: pa.Table | None,
    facts: FooterFacts | None,
) -> dict[str, KnownValues]:
    """By stored field with one type, what is known of it, where the plan computes with numbers.

    segments: that are read from their files. blocks: live rows. small: rows of small segments, with
    columns by their physical names. facts: of the segments; None: nothing is known of them. Raises
    DamagedObject.
    """
    if not (plan.calculated or any(need.state is State.NUMBER for need in plan.needs)):
        return {}
    if segments and (facts is None or len(segments) > _SEGMENTS_MAX):
        return {}
    if any(len(one.columns) > _COLUMNS_MAX for one in segments):
        return {}
    sources = [_of_block(one, keys) for one in blocks]
    if small is not None:
        sources.append(_of_table(small, keys))
    if facts is not None:
        for segment in segments:
            check_cancelled()  # a footer that was not read yet is a file
            sources.append(facts.of_columns(segment, keys))
    return columns_named(keys, known_values(keys, sources))


def _of_block(block: ColumnBlock, keys: Iterable[ColumnKey]) -> SourceFacts:
    columns = {
        key: _of_values(key, block.columns[key].values) for key in keys if key in block.columns
    }
    return SourceFacts(block.rows, columns)


def _of_table(table: pa.Table, keys: Iterable[ColumnKey]) -> SourceFacts:
    columns = {key: _of_values(key, table.column(key.physical)) for key in keys}
    return SourceFacts(table.num_rows, columns)


def _of_values(key: ColumnKey, values: pa.Array | pa.ChunkedArray) -> ColumnFacts:
    held = len(values) - values.null_count
    if key.type is not FieldType.INT or not held:
        return ColumnFacts(held)
    ends = pc.min_max(values)
    return ColumnFacts(held, ends["min"].as_py(), ends["max"].as_py())
