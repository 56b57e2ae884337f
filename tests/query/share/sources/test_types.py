"""The types that an answer reports of a field are the same before and after its rows are sealed."""

from pathlib import Path

import pytest

from query.plan.parts.conditions import Filter, FilterOp
from query.plan.plan import Need, Plan, State
from query.share.sources.sources import gather
from query.share.view.view import DatasetView
from tests.query.share.rows import Row, block, segment, view

ROWS = [Row(5, {"x": 1}), Row(15, {"x": "a text"}), Row(25, {"x": 2}), Row(35, {"y": 1.5})]


def types(held: DatasetView, start_ns: int, end_ns: int) -> dict[str, str]:
    """By field, the letters of its types."""
    filters = (Filter("x", FilterOp.NE, (7,)), Filter("y", FilterOp.NE, (7,)))
    plan = Plan(
        dataset="d", start_ns=start_ns, end_ns=end_ns, needs=(Need(State.COUNT),), filters=filters
    )
    found = gather(plan, [held]).fields_sql
    return {field: "".join(sorted(sql.types)) for field, sql in found.items()}


@pytest.mark.parametrize(
    ("start_ns", "end_ns", "told"),
    [
        (0, 40, {"x": "is", "y": "f"}),
        (20, 30, {"x": "is", "y": "f"}),  # also of rows beside the range
        (50, 60, {"x": "", "y": ""}),
    ],
)
def test_sealing_changes_no_types(
    tmp_path: Path, start_ns: int, end_ns: int, told: dict[str, str]
) -> None:
    live = view(blocks=[block([row], at) for at, row in enumerate(ROWS)])
    sealed = view(segments=[segment(ROWS, tmp_path)])
    assert types(live, start_ns, end_ns) == told
    assert types(sealed, start_ns, end_ns) == told
