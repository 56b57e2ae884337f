"""How much a share had to read: for the record of a question, not for its answer."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from query.plan.plan import Plan, state_fields
from query.share.compute.answer import ShareAnswer
from query.share.view.view import DatasetView
from segment.columns import ColumnBlock, ColumnKey, FieldType


def with_what_was_read(
    answer: ShareAnswer, plan: Plan, views: Sequence[DatasetView]
) -> ShareAnswer:
    """The answer with the rows and bytes of what its plan could not rule out before reading.

    Of a segment these are all of its rows and the whole file, though only some columns are read;
    of live rows the columns that the plan names.
    """
    named = [ColumnKey(field, one) for field in state_fields(plan) for one in FieldType]
    segments = [
        segment
        for view in views
        for segment in view.segments
        if not segment.skipped
        and segment.time_max_ns >= plan.start_ns
        and segment.time_min_ns < plan.end_ns
    ]
    blocks = [block for view in views for block in view.blocks]
    rows = sum(one.rows for one in segments) + sum(block.rows for block in blocks)
    size_bytes = sum(one.size_bytes for one in segments)
    size_bytes += sum(_bytes_of(block, named) for block in blocks)
    report = msgspec.structs.replace(answer.report, rows=rows, size_bytes=size_bytes)
    return replace(answer, report=report)


def _bytes_of(block: ColumnBlock, named: Sequence[ColumnKey]) -> int:
    found = (block.columns[key] for key in named if key in block.columns)
    held = sum(one.rows.nbytes + int(one.values.nbytes) for one in found)
    return held + block.time_ns.nbytes
