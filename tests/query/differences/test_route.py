"""`POST /bw/1/differences` over HTTP: distributions, what is listed apart, refusals."""

from pathlib import Path
from typing import Any

from common.process.versions import OWN
from tests.query.harness import BASE_S, TIMES, QueryHarness, query_harness
from tests.query.share.rows import Row

SLOW = [{"column": "ms", "op": ">", "value": 50}]
ROWS = [
    Row(
        (BASE_S + i % 100) * 10**9,
        {
            "ms": 100.5 + i % 7 if i % 10 == 0 else 5.5 + i % 9,
            "s": (100.5 + i % 7 if i % 10 == 0 else 5.5 + i % 9) / 1000,
            "slow": i % 10 == 0,
            "build": "bad" if i % 10 == 0 or i % 11 == 0 else f"good{i % 3}",
            "id": f"{i:032x}",
            "color": "rgb"[i % 3],
            **({"code": 200 + i % 2} if i % 4 else {}),
        },
        2,
    )
    for i in range(1_000)
]


async def differences(running: QueryHarness, expected: int = 200, **body: Any) -> Any:
    asked = {"dataset": "shop", "query": TIMES, "selection": SLOW, **body}
    status, answer = await running.post("/bw/1/differences", asked)
    assert status == expected, answer
    return answer


def with_columns(running: QueryHarness) -> None:
    running.indexers["a"].announce(OWN)
    running.indexers["a"].columns = {
        "ms": ["f"], "s": ["f"], "slow": ["b"], "build": ["s"], "id": ["s"], "color": ["s"],
        "code": ["i"],
    }  # fmt: skip


async def test_both_sides_are_told_weighted_and_the_cause_is_first(tmp_path: Path) -> None:
    async with query_harness(tmp_path, rows=ROWS) as running:
        with_columns(running)
        answer = await differences(running)
        assert answer["inside"] == {"events": 200, "stored": 100}
        assert answer["outside"] == {"events": 1_800, "stored": 900}
        assert answer["coverage"]["complete"] is True
        first = answer["fields"][0]
        assert (first["name"], first["kind"], first["sampled"]) == ("build", "values", False)
        assert first["confidence"] > 0.99
        bad = next(one for one in first["values"] if one["value"] == "bad")
        outside = sum(1 for i in range(1_000) if i % 10 and i % 11 == 0)
        assert bad["inside"] == {"events": 200, "share": 1.0}
        assert bad["outside"] == {"events": 2 * outside, "share": round(outside / 900, 6)}
        names = [one["name"] for one in answer["fields"]]
        assert sorted(names) == ["build", "code", "color", "id"]
        by_name = {one["name"]: one for one in answer["fields"]}
        assert by_name["id"]["score"] == 0.0
        assert by_name["color"]["score"] == 0.0
        missing = by_name["code"]["missing"]
        assert missing["outside"]["events"] == 2 * sum(
            1 for i in range(1_000) if i % 10 and not i % 4
        )


async def test_what_follows_from_the_selection_is_listed_apart(tmp_path: Path) -> None:
    async with query_harness(tmp_path, rows=ROWS) as running:
        with_columns(running)
        answer = await differences(running)
        why = {one["name"]: (one["why"], one.get("from")) for one in answer["same"]}
        assert why == {
            "ms": ("selection", None),
            "s": ("follows", "ms"),
            "slow": ("follows", "ms"),
        }
