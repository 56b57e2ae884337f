"""A receipt of a log that is gone is answered from what is known of it, not by waiting (I5, I7)."""

from dataclasses import replace
from pathlib import Path

from common.model.position import Position
from query.scatter.receipts import split_receipt, unmet_positions
from query.share.compute.answer import PartitionCovered
from tests.query.harness import TIMES, query_harness

NEW, OLD, UNKNOWN = "b0", "a0", "c0"


def covered(end_offset: int = 5, earlier: dict[str, int] | None = None) -> PartitionCovered:
    return PartitionCovered(
        partition=0,
        epoch=NEW,
        end_offset=end_offset,
        watermark_ns=1,
        gaps=(),
        unserved=0,
        complete=True,
        reason="",
        earlier=earlier or {},
    )


def test_only_positions_of_the_present_log_are_compared_with_its_offsets() -> None:
    positions = [
        Position(NEW, 0, 3),
        Position(OLD, 0, 90),
        Position(NEW, 0, 1),
        Position(NEW, 9, 1),
    ]
    at_least, others = split_receipt(positions, NEW, range(2))
    assert at_least == {0: 4}
    assert others == [Position(OLD, 0, 90), Position(NEW, 9, 1)]


def test_position_of_an_earlier_log_was_indexed_or_is_said_to_be_lost() -> None:
    shares = {0: covered(earlier={OLD: 50})}
    assert unmet_positions([Position(OLD, 0, 49)], shares) == []
    (lost,) = unmet_positions([Position(OLD, 0, 50)], shares)
    assert "lost" in lost
    (unknown,) = unmet_positions([Position(UNKNOWN, 0, 0)], shares)
    assert "another log" in unknown


async def test_query_judges_old_receipts_at_once_and_waits_for_new_ones_only(
    tmp_path: Path,
) -> None:
    async with query_harness(tmp_path) as running:
        epoch = (await running.log.open()).epoch
        for views in (i.views for i in running.indexers.values()):
            views.held[0] = replace(views.held[0], epoch=epoch, earlier={OLD: 50})
        asked = {"disable_series": True}
        old = await running.ask({**TIMES}, **asked, after=f"{OLD}:0:49,{epoch}:0:3")
        assert old["coverage"]["complete"] is True
        lost = await running.ask({**TIMES}, **asked, after=f"{OLD}:0:50")
        assert lost["coverage"]["complete"] is False
        assert "lost" in lost["coverage"]["reason"]


async def test_offset_of_one_log_is_never_taken_for_that_of_another(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        epoch = (await running.log.open()).epoch
        for views in (i.views for i in running.indexers.values()):
            views.held[0] = replace(views.held[0], epoch=OLD, end_offset=10**6)
        answer = await running.ask({**TIMES}, disable_series=True, after=f"{epoch}:0:3")
        assert answer["coverage"]["complete"] is False
        assert OLD in answer["coverage"]["partitions"][0]["reason"]
