"""Columns over HTTP: those of the events, in pages."""

from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from common.errors import BellwetherError, TooManyRequests, Unavailable
from common.process.versions import Understands
from tests.query.harness import query_harness


async def test_columns_are_those_of_the_events(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        status, columns = await running.get("/1/columns/shop")
        assert status == 200
        assert {c["key_name"]: c["type"] for c in columns} == {"ms": "float", "status": "integer"}
        assert await running.get("/1/columns/shop?key_name=ms") == (200, columns[0])
        assert await running.get(f"/1/columns/shop/{columns[1]['id']}") == (200, columns[1])
        assert (await running.get("/1/columns/shop?key_name=zzz"))[0] == 404


@pytest.mark.parametrize("versions", [(2, 2), (1, 2), (1, 1)])
async def test_pages_of_columns_show_each_once_whoever_holds_it(
    tmp_path: Path, versions: tuple[int, int]
) -> None:
    """Names of two indexers, some longer than fits a URL, of which one begins as another."""
    names = {f"n{number:03d}": ["i"] for number in range(40)}
    long = "ü" * 3_000
    names |= {long + end: ["s"] for end in ("", "a", "b")}
    async with query_harness(tmp_path, ("a", "b")) as running:
        for indexer, plan in zip(running.indexers.values(), versions, strict=True):
            indexer.announce(Understands(plan=plan))
        in_order = sorted(names)
        for number, indexer in enumerate(running.indexers.values()):
            indexer.columns = {name: names[name] for name in in_order if number == 0 or "1" in name}
        running.indexers["b"].columns["n011"] = ["f"]
        running.indexers["b"].columns["only b"] = ["b"]
        found: list[dict[str, Any]] = []
        target = "/1/columns/shop?page[size]=3"
        headers = {"X-Honeycomb-Team": "K"}
        while target:
            async with running.http.get(
                URL(running.url + target, encoded=True), headers=headers
            ) as answer:
                assert answer.status == 200, await answer.text()
                columns = await answer.json()
                assert 1 <= len(columns) <= 3
                found += columns
                following = answer.headers.get("Link", "")
                assert ("X-Bellwether-Next" in answer.headers) == bool(following)
                target = following.removeprefix("<").removesuffix('>; rel="next"')
        assert [column["key_name"] for column in found] == sorted([*names, "only b"])
        assert {c["type"] for c in found if c["key_name"] == "n011"} == {"float"}
        whole = await running.get("/1/columns/shop")
        assert whole == (200, found)


@pytest.mark.parametrize("page", ["page[size]=0", "page[size]=x", "page[next]=!", "page[next]=nw"])
async def test_a_page_that_cannot_be_read_is_the_callers_error(tmp_path: Path, page: str) -> None:
    async with query_harness(tmp_path) as running:
        status, answer = await running.get(f"/1/columns/shop?{page}")
        assert status == 400
        assert "page[" in str(answer)


@pytest.mark.parametrize("plan", [1, 2])
@pytest.mark.parametrize(
    ("refusal", "expected"), [(TooManyRequests("its own share"), 429), (Unavailable("full"), 503)]
)
async def test_a_list_is_refused_rather_than_lacking_the_columns_of_a_busy_indexer(
    tmp_path: Path, plan: int, refusal: BellwetherError, expected: int
) -> None:
    async with query_harness(tmp_path, ("a", "b")) as running:
        busy = running.indexers["b"]
        busy.announce(Understands(plan=plan))
        busy.columns = {"only b": ["b"]}
        busy.columns_refusal = refusal
        status, refused = await running.get("/1/columns/shop")
        assert (status, str(refusal) in str(refused)) == (expected, True)
        busy.columns_refusal = None
        status, columns = await running.get("/1/columns/shop")
        assert "only b" in [column["key_name"] for column in columns]
