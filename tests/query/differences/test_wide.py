"""A dataset of 10,000 fields of up to four types each is answered in the time of a question."""

from pathlib import Path

import pytest

from common.process.versions import OWN
from tests.query.harness import BASE_S, TIMES, query_harness
from tests.query.share.rows import Json, Row, Value

FIELDS, EVENTS, OF_EVENT = 10_000, 600, 200


def value(field: int, event: int) -> Value:
    kinds: tuple[Value, ...] = (f"v{event % 7}", event % 50, event / 7, event % 2 == 0)
    return kinds[(field + event) % 4]


def row(event: int) -> Row:
    slow = event % 3 == 0
    others = ((event * OF_EVENT + n) * 7 % FIELDS for n in range(OF_EVENT))
    data: dict[str, Value | Json] = {f"f{n:05}": value(n, event) for n in others}
    data |= {"ms": 900.5 if slow else 5.5, "zz_build": "bad" if slow else f"good{event % 5}"}
    return Row((BASE_S + event % 100) * 10**9, data)


@pytest.mark.scenario
async def test_ten_thousand_fields_are_answered_with_those_that_differ_most(tmp_path: Path) -> None:
    async with query_harness(tmp_path, rows=[row(event) for event in range(EVENTS)]) as running:
        running.indexers["a"].announce(OWN)
        running.indexers["a"].columns = {
            **{f"f{n:05}": ["b", "f", "i", "s"] for n in range(FIELDS)},
            "ms": ["f"], "zz_build": ["s"],
        }  # fmt: skip
        asked = {
            "dataset": "shop",
            "query": TIMES,
            "selection": [{"column": "ms", "op": ">", "value": 50}],
        }
        status, answer = await running.post("/bw/1/differences", asked)
        assert status == 200, answer
        assert answer["looked_at"] + answer["left_out"] == FIELDS + 2
        assert answer["looked_at"] >= 64
        print(answer["looked_at"], answer["notes"])
        same = {one["name"] for one in answer["same"]}
        if not any("for lack of time" in note for note in answer["notes"]):
            assert {"ms", "zz_build"} <= same | {one["name"] for one in answer["fields"][:1]}
