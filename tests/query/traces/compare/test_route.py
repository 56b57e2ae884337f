"""`POST /bw/1/traces/compare` of a running query role."""

from pathlib import Path

from common.process.versions import OWN
from tests.query.harness import BASE_S, query_harness
from tests.query.share.rows import Row

COMPARE = "/bw/1/traces/compare"
ROWS = [
    Row(BASE_S * 10**9 + n, {"trace.trace_id": "ab", "trace.span_id": str(n), "name": f"step {n}"})
    for n in range(100)
]


async def test_what_is_not_there_is_told_only_if_everything_was_asked(tmp_path: Path) -> None:
    against = f"WHERE root.name = none SINCE {BASE_S} UNTIL {BASE_S + 60}"
    async with query_harness(tmp_path, rows=ROWS) as running:
        running.indexers["a"].announce(OWN)
        status, answer = await running.post(COMPARE, {"trace": "ab", "with": "ab"})
        assert (status, answer["differences"]) == (200, [])
        status, answer = await running.post(COMPARE, {"trace": "cd", "with": "ab"})
        assert status == 404
        assert "no span has the trace id cd" in answer["detail"]
        status, answer = await running.post(COMPARE, {"trace": "ab", "against": against})
        assert status == 422
        running.indexers["a"].views.held.pop(1)
        for other in ({"trace": "cd", "with": "ab"}, {"trace": "ab", "against": against}):
            status, answer = await running.post(COMPARE, other)
            assert status == 503, answer
            assert "not every partition can be covered" in str(answer)
