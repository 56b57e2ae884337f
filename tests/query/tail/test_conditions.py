"""`POST /bw/1/tail/{dataset}`: conditions and fields go to the indexers, and are checked before."""

from pathlib import Path
from typing import Any

import pytest

from common.process.versions import OWN, Understands
from query.plan.parts.conditions import Filter, FilterOp
from query.wire.tail import TailFilter
from tests.query.harness import QueryHarness, query_harness

HEADERS = {"X-Honeycomb-Team": "K"}


async def first_line(
    running: QueryHarness, body: dict[str, Any] | None, path: str = "shop"
) -> bytes:
    method = "GET" if body is None else "POST"
    async with running.http.request(
        method, f"{running.url}/bw/1/tail/{path}", json=body, headers=HEADERS
    ) as response:
        assert response.status == 200, await response.text()
        line: bytes = await response.content.readline()
        return line


async def test_indexers_are_asked_for_the_events_and_fields_that_are_wanted(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        body = {
            "filters": [{"column": "status", "op": ">=", "value": 500}],
            "filter_combination": "OR",
            "fields": ["status", "a,b"],
        }
        assert await first_line(running, body, "shop?after_ns=5") == b"{}\n"
        asked = running.indexers["a"].chosen
        assert asked is not None
        status = Filter("status", FilterOp.GE, (500,))
        assert asked.choice == TailFilter((status,), True, ("status", "a,b"))
        assert (asked.partitions, asked.after_ns, asked.batches) == ((0, 1), 5, True)
        assert (asked.env, asked.key) != ("", "")


async def test_without_conditions_indexers_of_older_versions_are_asked_as_before(
    tmp_path: Path,
) -> None:
    async with query_harness(tmp_path) as running:
        for body in (None, {}, {"filters": []}):
            assert await first_line(running, body) == b"{}\n"
        assert running.indexers["a"].chosen is None
        assert running.indexers["a"].followed == "0,1"


async def test_conditions_go_to_the_twin_that_knows_them(tmp_path: Path) -> None:
    """Beside an indexer of an earlier version, which would refuse them."""
    async with query_harness(tmp_path, ("a", "b")) as running:
        running.indexers["a"].announce(Understands(plan=1))
        running.indexers["b"].announce(Understands(plan=2))
        assert await first_line(running, {"fields": ["status"]}) == b"{}\n"
        assert running.indexers["b"].chosen is not None
        assert await first_line(running, None) == b"{}\n"
        assert running.indexers["a"].followed == "0,1"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"filters": [{"column": "x", "op": "like", "value": 1}]}, "filters[0].op"),
        ({"time_range": 60}, "time_range"),
        ({"fields": "a"}, "fields"),
        ({"calculations": []}, "calculations"),
    ],
)
async def test_what_a_tail_cannot_do_is_refused_by_name(
    tmp_path: Path, body: dict[str, Any], field: str
) -> None:
    async with (
        query_harness(tmp_path) as running,
        running.http.post(f"{running.url}/bw/1/tail/shop", json=body, headers=HEADERS) as response,
    ):
        answer = await response.json(content_type=None)
        assert response.status == 422
        assert answer["type_detail"][0]["field"] == field


async def test_conditions_on_other_spans_are_refused_and_a_stored_field_of_such_a_name_is_not(
    tmp_path: Path,
) -> None:
    async with query_harness(tmp_path) as running:
        running.indexers["a"].announce(OWN)
        body = {"filters": [{"column": "root.name", "op": "=", "value": "checkout"}]}
        status, refused = await running.post("/bw/1/tail/shop", body)
        assert (status, "`root.name` is not known then" in refused["detail"]) == (422, True)
        status, refused = await running.post("/bw/1/tail/shop", {"fields": ["parent.ms"]})
        assert (status, "Ask `rows`" in refused["detail"]) == (422, True)
        assert [one["field"] for one in refused["type_detail"]] == ["fields"]
        running.indexers["a"].columns = {"root.name": ["s"]}
        assert await first_line(running, body) == b"{}\n"
