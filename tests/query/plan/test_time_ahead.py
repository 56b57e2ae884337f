"""An answer never says that it knows of a time that has not come yet (I7)."""

from dataclasses import replace
from pathlib import Path

from common import limits
from tests.query.harness import TIMES, query_harness

DAY_NS = 24 * 3600 * 10**9


async def test_log_whose_time_is_ahead_is_named_and_no_watermark_is_beyond_the_clock(
    tmp_path: Path,
) -> None:
    async with query_harness(tmp_path) as running:
        views = running.indexers["a"].views
        now_ns = running.context.clock.now_ns()
        views.held[1] = replace(views.held[1], watermark_ns=now_ns + 70 * DAY_NS)
        views.held[0] = replace(views.held[0], watermark_ns=now_ns + 60 * 10**9)
        answer = await running.ask({"calculations": [{"op": "COUNT"}], **TIMES})
        near, ahead = answer["coverage"]["partitions"]
        assert near["watermark"] == now_ns + 60 * 10**9
        assert "log_ahead_s" not in near
        assert ahead["watermark"] <= running.context.clock.now_ns() + limits.LOG_AHEAD_MAX_NS
        assert 69 * 86_400 < ahead["log_ahead_s"] <= 70 * 86_400
        assert [note for note in answer["notes"] if "in partitions [1]" in note]
        assert answer["coverage"]["complete"], "no event is left out for it"
        assert answer["data"]["results"] == [{"data": {"COUNT": 100}}]
