"""Offsets of a view that a share hides, or reads exclusively, because of rerouted batches (I2).

Almost every share is without such offsets, at no cost. Rows are never rewritten; a batch is hidden
by the position of its record.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from common.model.reroute import EpochOffset
from query.plan.plan import Plan
from query.share.view.view import DatasetView, SegmentView
from segment.columns import ColumnBlock, select


@dataclass(frozen=True, slots=True)
class HiddenOffsets:
    """Positions of a view, sorted. hidden: left out. only: the only ones read; None: all are."""

    hidden: Sequence[EpochOffset] = ()
    only: Sequence[EpochOffset] | None = None

    def of_segment(self, segment: SegmentView) -> tuple[tuple[int, ...], tuple[int, ...] | None]:
        """(offsets hidden in a segment, the only offsets to read; None: all)."""
        if self.only is None and not self.hidden:
            return (), None
        first = EpochOffset(segment.epoch_number, segment.first_offset)
        end = EpochOffset(segment.epoch_number, segment.end_offset)
        only = None if self.only is None else _between(self.only, first, end)
        return _between(self.hidden, first, end), only

    def of_block(self, block: ColumnBlock, epoch_number: int) -> ColumnBlock:
        """The rows of a live block that are read."""
        if (self.only is None and not self.hidden) or not block.rows:
            return block
        first = EpochOffset(epoch_number, int(block.offset[0]))
        end = EpochOffset(epoch_number, int(block.offset[-1]) + 1)
        if self.only is not None:
            return select(block, np.isin(block.offset, _between(self.only, first, end)))
        hidden = _between(self.hidden, first, end)
        return select(block, ~np.isin(block.offset, hidden)) if hidden else block


def hidden_in(view: DatasetView, plan: Plan) -> HiddenOffsets:
    """The offsets that a plan hides in a view.

    Undecided batches that the plan counts are read even if they were dropped after the totals, and
    those that it leaves out are hidden even if they were decided to count after the totals.
    """
    counted = {EpochOffset(*position) for position in plan.counted.get(view.partition, ())}
    if plan.only_counted:
        return HiddenOffsets((), sorted(counted))
    left_out = plan.left_out.get(view.partition, ())
    if not (view.undecided or left_out or counted):
        return HiddenOffsets(view.dropped)
    hidden = {*view.dropped, *(EpochOffset(*item.position) for item in view.undecided)}
    hidden.update(EpochOffset(*position) for position in left_out)
    return HiddenOffsets(sorted(hidden - counted))


def _between(
    positions: Sequence[EpochOffset], first: EpochOffset, end: EpochOffset
) -> tuple[int, ...]:
    """Offsets of the positions from `first` up to, not including, `end`."""
    within = positions[bisect_left(positions, first) : bisect_left(positions, end)]
    return tuple(position.offset for position in within)
