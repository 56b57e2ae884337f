"""Queries over HTTP: what is answered, stored and polled, and what is refused."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from common.process.members import list_members
from common.process.versions import OWN
from query.config import QueryConfig
from query.server import serve
from tests.query.harness import BASE_S, ROWS, TIMES, query_harness
from tests.query.share.rows import Row
from tests.waiting import PATIENCE_S, eventually


async def test_totals_and_series_cover_every_partition(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        spec = {
            "calculations": [{"op": "COUNT"}, {"op": "MAX", "column": "ms"}],
            "breakdowns": ["service"],
            "granularity": 10,
            **TIMES,
        }
        answer = await running.ask(
            spec, disable_total_by_aggregate=False, disable_other_by_aggregate=False
        )
        assert answer["complete"] is True
        assert answer["query"] == spec
        data = answer["data"]
        assert data["results"] == [
            {"data": {"service": "a", "COUNT": 50, "MAX(ms)": 49.0}},
            {"data": {"service": "b", "COUNT": 50, "MAX(ms)": 49.5}},
        ]
        assert data["total_by_aggregate"] == {"COUNT": 100, "MAX(ms)": 49.5}
        assert data["other_by_aggregate"] == {"COUNT": 0, "MAX(ms)": None}
        assert len(data["series"]) == 20
        assert data["series"][0]["time"] == "2023-11-14T22:13:20Z"
        assert sum(row["data"]["COUNT"] for row in data["series"]) == 100
        assert [r["data"]["COUNT"] for r in data["total_by_aggregate_series"]] == [10] * 10
        coverage = answer["coverage"]
        assert coverage["complete"] is True
        assert [p["indexer"] for p in coverage["partitions"]] == ["ix-a", "ix-a"]
        # each event once, though totals and series may read it twice
        assert coverage["rows_read"] == len(ROWS)
        assert coverage["bytes_read"] > 0


async def test_members_of_an_answer_have_one_order_however_it_was_computed(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        spec = {"breakdowns": ["service"], "granularity": 10, **TIMES}
        for _ in range(2):  # the second time its series are asked for at once
            answer = await running.ask(
                spec, disable_total_by_aggregate=False, disable_other_by_aggregate=False
            )
            last = ["series", "total_by_aggregate_series"]
            others = ["results", "total_by_aggregate", "other_by_aggregate"]
            assert list(answer["data"]) == [*others, *last]
        nothing = {**spec, "filters": [{"column": "service", "op": "=", "value": "none"}]}
        answer = await running.ask(nothing, disable_total_by_aggregate=False)
        assert list(answer["data"])[-2:] == last


async def test_many_more_groups_than_the_last_time_are_answered_all_the_same(
    tmp_path: Path,
) -> None:
    """Series are asked for at once where few groups are expected; that may be wrong."""
    async with query_harness(tmp_path) as running:
        shares = running.indexers["a"].endpoint._databases
        shares.allowed = replace(shares.allowed, rows_max=50)
        spec = {"breakdowns": ["status"], "granularity": 1, "limit": 1, **TIMES}
        few = {**spec, "filters": [{"column": "ms", "op": "<", "value": 1}]}
        assert (await running.ask(few))["groups"]["total"] == 2
        for _ in range(2):
            answer = await running.ask(spec)  # 60 cells of a partition, of which 20 are listed
            assert answer["complete"] is answer["coverage"]["complete"] is True
            assert answer["groups"]["total"] == 3
            assert sum(row["data"]["COUNT"] for row in answer["data"]["series"]) == 34


async def test_stored_query_is_echoed_unchanged_and_its_result_polled(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        spec = {"calculations": [{"op": "COUNT"}], "orders": [{"op": "COUNT"}], **TIMES}
        posted = {**spec, "filter_combination": "AND"}
        status, stored = await running.post("/1/queries/shop", posted)
        assert (status, stored) == (200, {"id": stored["id"], **spec})
        assert await running.get(f"/1/queries/Shop/{stored['id']}") == (200, stored)
        status, made = await running.post(
            "/1/query_results/shop", {"query_id": stored["id"], "disable_series": True}
        )
        assert status == 201
        url = f"{running.url}/1/query_results/shop/{made['id']}"
        assert made["links"] == {"query_url": url, "graph_image_url": f"{url}/graph.svg"}
        answer: Any = {}

        async def is_complete() -> bool:
            answer.update((await running.get(f"/1/query_results/shop/{made['id']}"))[1])
            return bool(answer["complete"])

        await eventually(is_complete)
        assert answer["data"] == {"results": [{"data": {"COUNT": 100}}], "series": []}
        assert (await running.get(f"/1/query_results/shop/{made['id']}", key="OTHER"))[0] == 404
        status, missing = await running.get("/1/query_results/shop/nothing")
        assert (status, missing["status"]) == (404, 404)
        assert missing["type"] == f"{running.url}/problems/not-found"


async def test_an_answer_tells_its_range_and_the_groups_that_it_does_not_list(
    tmp_path: Path,
) -> None:
    async with query_harness(tmp_path) as there:
        spec = {
            "breakdowns": ["status"],
            "limit": 1,
            "start_time": BASE_S,
            "end_time": BASE_S + 100,
        }
        answer = await there.ask(spec)
        assert answer["groups"] == {
            "total": 3, "returned": 1, "all": {"COUNT": 100}, "other": {"COUNT": 66},
        }  # fmt: skip
        assert answer["range"] == {
            "start_time": BASE_S, "end_time": BASE_S + 100, "granularity": 1,
        }  # fmt: skip
        whole = await there.ask({"start_time": BASE_S, "end_time": BASE_S + 100})
        assert "groups" not in whole


async def test_result_is_found_at_the_query_role_that_has_it(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        status, made = await running.post("/1/query_results/shop", {"query": {**TIMES}})
        assert status == 201
        other = replace(running.context, instance="q2", stop=asyncio.Event())
        role = asyncio.create_task(serve(other, QueryConfig(drain_ms=0)))
        try:
            locks = running.context.backends.locks
            await eventually(lambda: len(list_members(locks, "query")) == 2)
            members = list_members(locks, "query")
            (second,) = (member.url for member in members if member.url != running.url)
            headers = {"X-Honeycomb-Team": "K"}
            path = f"{second}/1/query_results/shop/{made['id']}"
            async with asyncio.timeout(PATIENCE_S):
                complete = False
                while not complete:
                    async with running.http.get(path, headers=headers) as answer:
                        assert answer.status == 200
                        found = await answer.json()
                        complete = found["complete"]
            assert found["data"]["results"] == [{"data": {"COUNT": 100}}]
            async with running.http.get(path + "0", headers=headers) as answer:
                assert answer.status == 404
            async with running.http.get(path, headers={"X-Honeycomb-Team": "OTHER"}) as answer:
                assert answer.status == 404
        finally:
            other.stop.set()
            await role


async def test_a_stored_field_is_asked_about_also_if_its_name_looks_like_a_relation(
    tmp_path: Path,
) -> None:
    rows = [Row(BASE_S * 10**9, {"parent.id": "x"})]
    async with query_harness(tmp_path, rows=rows) as there:
        there.indexers["a"].columns["parent.id"] = ["s"]
        spec = {"breakdowns": ["parent.id"], "start_time": BASE_S, "end_time": BASE_S + 100}
        answer = await there.ask(spec)
        assert answer["data"]["results"] == [{"data": {"parent.id": "x", "COUNT": 1}}]
        empty = {**spec, "start_time": BASE_S + 50}  # it is stored, though not in this range
        answer = await there.ask(empty)
        assert "no event in the time range has a field `parent.id`" in answer["notes"]


async def test_a_question_about_other_spans_does_without_an_indexer_that_hangs(
    tmp_path: Path,
) -> None:
    config = QueryConfig(timeout_ms=6_000)
    spec = {**TIMES, "filters": [{"column": "root.name", "op": "=", "value": "a"}]}
    span = {"trace.trace_id": "t", "trace.span_id": "1", "name": "a"}
    rows = [Row(BASE_S * 10**9, {**span})]
    async with query_harness(tmp_path, ("a", "b"), config, rows=rows) as there:
        for indexer in there.indexers.values():
            indexer.announce(OWN)
        there.indexers["b"].columns_held = asyncio.Event()
        answer = await there.ask(spec)  # its twin knows of the same partitions
        assert answer["data"]["results"] == [{"data": {"COUNT": 1}}]
        assert answer["coverage"]["complete"] is True
        there.indexers["a"].columns_held = there.indexers["b"].columns_held
        answer = await there.ask(spec)
        assert answer["data"]["results"] == [{"data": {"COUNT": 1}}]
        assert answer["coverage"]["complete"] is False
        reasons = {one["reason"] for one in answer["coverage"]["partitions"]}
        assert reasons == {"it is not known whether its events have a field of such a name"}
        body = {"dataset": "shop", "filters": spec["filters"], **TIMES}
        status, _ = await there.post("/bw/1/rows", {**body, "coverage": "require"})
        assert status == 503
        there.indexers["a"].columns_held.set()


async def test_fields_of_other_spans_are_asked_about_by_a_prefix(tmp_path: Path) -> None:
    rows = [
        Row(BASE_S * 10**9 + at, {"trace.trace_id": "t", "trace.span_id": str(at), "name": name})
        for at, name in enumerate("ab")
    ]
    rows[1].data["trace.parent_id"] = "0"
    async with query_harness(tmp_path, rows=rows) as there:
        there.indexers["a"].announce(OWN)
        answer = await there.ask({**TIMES, "breakdowns": ["root.name", "parent.name"]}, limit=5)
        assert sorted(answer["data"]["results"], key=str) == [
            {"data": {"root.name": "a", "parent.name": "a", "COUNT": 1}},
            {"data": {"root.name": "a", "parent.name": None, "COUNT": 1}},
        ]
        for column, found in (("root.name", 2), ("parent.name", 1), ("none.name", 0)):
            filters = [{"column": column, "op": "=", "value": "a"}]
            body = {"dataset": "shop", "filters": filters, "limit": 1, **TIMES}
            seen, cursor = [], None
            while True:
                status, page = await there.post("/bw/1/rows", {**body, "cursor": cursor})
                assert status == 200, page
                seen += page["rows"]
                cursor = page["next"]
                if cursor is None:
                    break
            assert [row["data"]["name"] for row in seen] == list("ba")[:found], column
        answer = await there.ask(
            {**TIMES, "filters": [{"column": "parent.nam", "op": "=", "value": "a"}]}
        )
        assert answer["data"]["results"][0]["data"]["COUNT"] == 0
        assert "no event has a field `parent.nam`" in str(answer["notes"])
        status, refused = await there.post(
            "/1/query_results/shop", {"query": {"breakdowns": ["any.name"]}, "wait_s": 20}
        )
        assert status == 422
        assert refused["type_detail"][0]["field"] == "breakdowns[0]"


@pytest.mark.parametrize(
    ("key", "status"), [("NONE", 401), ("INGEST", 403), ("NOQUERY", 403), ("", 401)]
)
async def test_keys_without_the_right_are_refused(tmp_path: Path, key: str, status: int) -> None:
    async with query_harness(tmp_path) as running:
        assert (await running.post("/1/queries/shop", {}, key=key))[0] == status
        assert (await running.get("/bw/1/status", key=key))[0] == status


async def test_faults_of_a_specification_name_the_field(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        status, fault = await running.post("/1/queries/shop", {"calculations": [{"op": "HEATMAP"}]})
        assert status == 422
        assert fault["error"] == fault["title"] == "The provided input is invalid."
        assert fault["detail"] == "calculations[0].column: HEATMAP needs a column"
        assert fault["type_detail"][0]["field"] == "calculations[0].column"


async def test_all_datasets_are_asked_under_one_name(tmp_path: Path) -> None:
    """The harness gives both datasets the same events."""
    async with query_harness(tmp_path, datasets=("shop", "stock")) as running:
        running.indexers["a"].announce(OWN)
        spec = {"breakdowns": ["service"], **TIMES}
        status, stored = await running.post("/1/queries/__all__", spec)
        assert (status, stored["breakdowns"]) == (200, ["service"])
        path = f"/1/queries/__all__/{stored['id']}"
        assert await running.get(path) == (200, stored)
        assert (await running.get(path, key="OTHER"))[0] == 404
        body = {"query_id": stored["id"], "wait_s": 20}
        status, answer = await running.post("/1/query_results/__all__", body)
        assert status == 201
        counts = {row["data"]["service"]: row["data"]["COUNT"] for row in answer["data"]["results"]}
        assert counts == {"a": 100, "b": 100}
        assert answer["coverage"]["complete"]
        path = f"/1/query_results/__all__/{answer['id']}"
        status, polled = await running.get(path)
        assert (status, polled["data"]) == (200, answer["data"])
        assert (await running.get(path, key="OTHER"))[0] == 404
        assert (await running.get(f"/1/query_results/shop/{answer['id']}"))[0] == 404
        status, page = await running.post("/bw/1/rows", {"dataset": "__all__", "limit": 3, **TIMES})
        assert status == 200
        assert {row["dataset"] for row in page["rows"]} <= {"shop", "stock"}
        assert (await running.post("/bw/1/tail/__all__", {}))[0] == 422


async def test_the_range_may_be_one_of_ends(tmp_path: Path) -> None:
    rows = [Row((BASE_S - 500) * 10**9, {"duration_ms": 510_000}), Row(BASE_S * 10**9, {})]
    async with query_harness(tmp_path, rows=rows) as there:
        there.indexers["a"].announce(OWN)

        async def count(**more: str) -> object:
            answer = await there.ask({**TIMES, **more})
            return answer["data"]["results"][0]["data"]["COUNT"]

        assert [await count(), await count(time_axis="start"), await count(time_axis="end")] == [
            1,
            1,
            2,
        ]
        body = {"dataset": "shop", **TIMES, "time_axis": "overlap"}
        status, page = await there.post("/bw/1/rows", body)
        assert (status, len(page["rows"])) == (200, 2)
        assert "dataset" not in page["rows"][0]
        body = {"query": {"time_axis": "overlap"}, "wait_s": 1}
        status, refused = await there.post("/1/query_results/shop", body)
        assert (status, refused["type_detail"][0]["field"]) == (422, "time_axis")


async def test_results_leave_with_their_dataset(tmp_path: Path) -> None:
    """Also where a new dataset has its name, as what is in the new one is all that it shows."""
    async with query_harness(tmp_path, datasets=("D",)) as running:
        body = {"query": {"calculations": [{"op": "COUNT"}], **TIMES}, "wait_s": PATIENCE_S}
        status, old = await running.post("/1/query_results/d", body)
        assert status == 201
        address = f"/1/query_results/d/{old['id']}"
        assert (await running.get(address))[0] == 200
        await running.put("/1/datasets/d", {"settings": {"delete_protected": False}})
        assert (await running.delete("/1/datasets/d"))[0] == 202
        assert [(await running.get(at))[0] for at in (address, f"{address}/graph.svg")] == [404] * 2
        assert (await running.post("/1/datasets", {"name": "D"}))[0] == 201
        assert (await running.get(address))[0] == 404
        status, new = await running.post("/1/query_results/d", body)
        assert status == 201
        assert (await running.get(f"/1/query_results/d/{new['id']}"))[0] == 200


async def test_an_indexer_that_hangs_takes_a_note_about_a_field_and_not_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.limits.UNKNOWN_FIELDS_S", 0.05)
    async with query_harness(tmp_path, zones=("a", "b")) as query:
        held = query.indexers["b"].columns_held = asyncio.Event()
        answer = await query.ask({"filters": [{"column": "statsu", "op": "exists"}], **TIMES})
        assert not held.is_set()
        held.set()
        assert answer["complete"]
        assert answer["coverage"]["complete"]
        assert "no event in the time range has a field `statsu`" in answer["notes"]
