"""Answers fit a context window, and no value is changed on its way to a model."""

import math
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from mcp.client.client import Client

from assistant.answers import cell, coverage_of, fit
from assistant.api import Api
from assistant.server import build
from common import limits
from tests.assistant.serving import answered
from tests.query.harness import BASE_S, query_harness
from tests.query.share.rows import Row

LONG = 40
WIDE = [
    Row((BASE_S + i) * 10**9, {"n": i, **{f"text{j}": f"{i}-{j} " + "x" * 400 for j in range(10)}})
    for i in range(LONG)
]
RANGE = "SINCE 2023-11-14 UNTIL 2023-11-16"


@given(st.lists(st.lists(st.text(max_size=2_000) | st.integers() | st.floats(), max_size=8)))
def test_what_fits_is_a_beginning_within_the_limit_and_no_number_is_rounded(
    rows: list[list[object]],
) -> None:
    found = fit(rows)
    assert found.shown == len(found.rows)
    assert found.shown >= min(1, len(rows))
    size = sum(len(one) for row in found.rows[1:] for one in row if isinstance(one, str))
    assert size <= limits.AGENT_ANSWER_CHARS_MAX
    for row, cells in zip(rows, found.rows, strict=False):
        for value, shown in zip(row, cells, strict=True):
            if isinstance(value, float) and not math.isfinite(value):
                assert shown is None
            elif isinstance(value, int):
                assert int(shown or 0) == value
                assert isinstance(shown, str) == (abs(value) > 2**53)
            elif isinstance(value, str):
                assert isinstance(shown, str)
                assert value.startswith(shown.removesuffix("…")) or shown == value
                assert len(shown) <= limits.AGENT_CELL_CHARS_MAX


def test_structured_values_become_their_json() -> None:
    assert cell({"a": [1, None]}) == '{"a":[1,null]}'


def test_an_incomplete_answer_says_what_is_missing() -> None:
    partitions = [{"partition": 0, "complete": True}, {"partition": 1, "complete": False,
                                                       "reason": "no indexer"}]  # fmt: skip
    found = coverage_of({"coverage": {"complete": False, "partitions": partitions}})
    assert not found.complete
    assert "INCOMPLETE" in found.statement
    assert "1 (no indexer)" in found.statement


async def test_reading_on_finds_every_event_and_every_group_once(tmp_path: Path) -> None:
    async with (
        query_harness(tmp_path, rows=WIDE) as running,
        Api(running.url, "K") as api,
        Client(build(api)) as client,
    ):
        seen: list[object] = []
        given: dict[str, object] = {"dataset": "shop", "conditions": RANGE, "limit": 1_000}
        for _ in range(LONG):
            page = await answered(client, "list_rows", **given)
            seen += [one["data"]["n"] for one in page["events"]]
            if page["next"] is None:
                break
            assert page["next"] in page["more"]
            given["cursor"] = page["next"]
        # no page holds all of them, each event is on one
        assert seen == list(reversed(range(LONG)))
        groups: list[object] = []
        page = await answered(
            client, "run_query", dataset="shop", rows=1_000,
            query=f"COUNT GROUP BY n, {', '.join(f'text{j}' for j in range(10))} {RANGE}",
        )  # fmt: skip
        assert page["rows_in_all"] == LONG
        while True:
            groups += [row[0] for row in page["rows"]]
            assert len(page["rows"]) < LONG
            if not page["more"]:
                break
            page = await answered(
                client, "get_result", dataset="shop", result_id=page["result_id"], rows=1_000,
                offset=len(groups),
            )  # fmt: skip
        assert sorted(groups, key=str) == sorted(range(LONG), key=str)


async def test_no_rows_is_said_in_words(tmp_path: Path) -> None:
    async with (
        query_harness(tmp_path) as running,
        Api(running.url, "K") as api,
        Client(build(api)) as client,
    ):
        for tool, arguments in (
            ("run_query", {"query": "COUNT GROUP BY service LAST 1h"}), ("list_rows", {}),
        ):  # fmt: skip
            result = await client.call_tool(tool, {"dataset": "shop", **arguments})
            assert "no rows" in result.content[0].text  # type: ignore[union-attr]
