"""Shares that need far more than their memory spill, or end with an error that names the limit."""

from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from query.plan.plan import Need, Plan, State
from query.share.compute.computation import Computation
from query.share.compute.database import DatabaseLimits, Databases
from query.share.compute.too_heavy import ShareTooHeavy
from segment.columns import ColumnBlock, ColumnKey, FieldType
from tests.query.share.rows import dense_block, view

ROWS = 60_000
GROUPS = 3_000


@cache
def many_texts() -> ColumnBlock:
    """Each row has a text of its own, a user of its own, one of many groups, and a number."""
    dice = np.random.default_rng(5)
    texts = [f"{at:06d}{dice.bytes(300).hex()}" for at in range(ROWS)]
    columns = {
        ColumnKey("text", FieldType.STRING): pa.array(texts, FieldType.STRING.arrow),
        ColumnKey("user", FieldType.INT): pa.array(np.arange(ROWS)),
        ColumnKey("group", FieldType.INT): pa.array(np.arange(ROWS) % GROUPS),
        ColumnKey("ms", FieldType.FLOAT): pa.array(dice.random(ROWS)),
    }
    return dense_block(columns)


def plan(*needs: Need, breakdowns: tuple[str, ...] = ()) -> Plan:
    return Plan(dataset="d", start_ns=0, end_ns=10**18, needs=needs, breakdowns=breakdowns)


@pytest.mark.parametrize("memory_mb", [16, 48])
def test_a_heavy_share_is_whole_or_refused_and_the_next_question_is_answered(
    memory_mb: int, tmp_path: Path
) -> None:
    one, spill = view(blocks=[many_texts()]), tmp_path / "spill"
    databases = Databases(DatabaseLimits(memory_mb, 2, spill_mb=256), 1, spill=spill)
    heavy = [
        (plan(Need(State.COUNT), breakdowns=("text",)), ROWS),
        (plan(Need(State.COUNT), breakdowns=("text", "user", "group")), ROWS),
        (plan(Need(State.DISTINCT, "text"), breakdowns=("group",)), GROUPS),
        (plan(Need(State.DISTINCT, "user"), Need(State.DISTINCT, "text")), 1),
        (plan(Need(State.QUANTILE, "ms"), breakdowns=("group",)), GROUPS),
        (plan(Need(State.QUANTILE, "ms"), breakdowns=("text",)), ROWS),
    ]
    whole, refused = 0, list[str]()
    for asked, groups in heavy:
        try:
            found = Computation(asked, [one], databases).run().states["main"].num_rows
        except ShareTooHeavy as error:
            refused.append(str(error))
        else:
            whole += found == groups
        small = Computation(plan(Need(State.COUNT)), [one], databases).run()
        assert small.states["main"].column("a0_w").to_pylist() == [ROWS]
        assert sum(path.stat().st_size for path in spill.rglob("*") if path.is_file()) == 0
    assert whole + len(refused) == len(heavy)
    assert all("indexer.share_memory_mb" in text for text in refused)
    assert whole >= 2
    databases.close()
