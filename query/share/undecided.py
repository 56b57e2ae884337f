"""Which offsets of a view a share leaves out, or has to itself, because of rerouted batches (I2).

Nothing to do in almost every share: then it costs nothing. Rows are never rewritten; a batch is
hidden by the place of its record.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from common.model.reroute import EpochOffset
from query.plan.plan import Plan
from query.share.view import DatasetView, SegmentView
from segment.columns import ColumnBlock, select


@dataclass(frozen=True, slots=True)
class HiddenOffsets:
    """Places of one view, sorted. hidden: they are left out. only: nothing else is taken."""

    hidden: Sequence[EpochOffset] = ()
    only: Sequence[EpochOffset] | None = None

    def of_segment(self, segment: SegmentView) -> tuple[tuple[int, ...], tuple[int, ...] | None]:
        """(offsets that are hidden in a segment, the only ones that are taken, None: all)."""
        if self.only is None and not self.hidden:
            return (), None
        first = EpochOffset(segment.epoch_number, segment.first_offset)
        end = EpochOffset(segment.epoch_number, segment.end_offset)
        only = None if self.only is None else _between(self.only, first, end)
        return _between(self.hidden, first, end), only

    def of_block(self, block: ColumnBlock, epoch_number: int) -> ColumnBlock:
        """The rows of a live block that are taken."""
        if (self.only is None and not self.hidden) or not block.rows:
            return block
        first = EpochOffset(epoch_number, int(block.offset[0]))
        end = EpochOffset(epoch_number, int(block.offset[-1]) + 1)
        if self.only is not None:
            return select(block, np.isin(block.offset, _between(self.only, first, end)))
        hidden = _between(self.hidden, first, end)
        return select(block, ~np.isin(block.offset, hidden)) if hidden else block


def hidden_in(view: DatasetView, plan: Plan) -> HiddenOffsets:
    """What a plan hides of a view.

    Undecided batches that the plan counts are taken even if they have been dropped since the
    totals, and those that it leaves out are hidden even if they have been kept since.
    """
    counted = {EpochOffset(*place) for place in plan.counted.get(view.partition, ())}
    if plan.only_counted:
        return HiddenOffsets((), sorted(counted))
    left_out = plan.left_out.get(view.partition, ())
    if not (view.undecided or left_out or counted):
        return HiddenOffsets(view.dropped)
    hidden = {*view.dropped, *(EpochOffset(*item.place) for item in view.undecided)}
    hidden.update(EpochOffset(*place) for place in left_out)
    return HiddenOffsets(sorted(hidden - counted))


def _between(
    places: Sequence[EpochOffset], first: EpochOffset, end: EpochOffset
) -> tuple[int, ...]:
    """Offsets of the places from `first` up to, not including, `end`."""
    within = places[bisect_left(places, first) : bisect_left(places, end)]
    return tuple(place.offset for place in within)
