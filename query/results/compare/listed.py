"""Which groups an earlier answer lists beside the present one: those that are listed there, then
those that occur only in the earlier range.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from query.plan.plan import Plan
from query.plan.planner import BesideGroups
from query.plan.spec import QuerySpec
from query.results.merge.merge import Merged
from query.results.rows.order import first_cells
from query.share.states.cells import STEP, cell_ids, cell_names
from query.share.states.groups import groups_table, part_names

Array = npt.NDArray[Any]


class ListedCells(NamedTuple):
    """Cells of the earlier answer. same: of groups that the present answer lists, in its order.

    gone: the first of those that pass the havings and whose group is not in the present range.
    """

    same: Array
    gone: Array


def group_keys(merged: Merged) -> pa.Table:
    """A row per cell: the columns of its group, of which a column alone may be without values."""
    names = [name for name in merged.keys.column_names if name != STEP]
    if not names:  # of a table without columns no row is known
        return pa.table({"none": pa.nulls(merged.cells)})
    return merged.keys.select(names)


def listed_cells(
    spec: QuerySpec, plan: Plan, merged: Merged, passing: Array, limit: int, beside: BesideGroups
) -> ListedCells:
    """merged: a cell per group of the earlier range. passing: bool by cell. limit: of `gone`."""
    if not spec.breakdowns:
        return ListedCells(np.arange(merged.cells), np.zeros(0, np.int64))
    if not merged.cells:
        return ListedCells(np.zeros(0, np.int64), np.zeros(0, np.int64))
    tables = [beside.keys, group_keys(merged)]
    names = set(cell_names(tables)) | part_names(beside.top)
    wanted = groups_table(beside.top, sorted(names))
    # the wanted groups are numbered first, then those of the present range
    top, present, ids = cell_ids([wanted, *tables], sorted(names)).ids
    here = np.flatnonzero(ids < len(top))
    same = here[np.argsort(ids[here])]
    occurs = np.zeros(int(max(present.max(initial=-1), ids.max())) + 1, np.bool_)
    occurs[present] = True
    gone = first_cells(spec, plan, merged, passing & ~occurs[ids], limit)
    return ListedCells(same, gone)
