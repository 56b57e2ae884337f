"""Paths and methods that the query role does not know: the key is judged first."""

from pathlib import Path

import pytest

from tests.query.harness import query_harness

METHODS = [
    ("POST", "/1/columns/shop/abc", "DELETE, GET, HEAD, PUT"),
    ("PATCH", "/1/datasets/shop", "DELETE, GET, HEAD, PUT"),
    ("DELETE", "/1/datasets", "GET, HEAD, POST"),
    ("GET", "/bw/1/rows", "POST"),
]


@pytest.mark.parametrize(("key", "judged"), [("K", True), ("INGEST", True), ("no", False)])
async def test_the_key_is_judged_before_the_route(tmp_path: Path, key: str, judged: bool) -> None:
    async with query_harness(tmp_path) as running:
        headers = {"X-Honeycomb-Team": key}
        for path in ("/", "/1", "/1/datasets/", "/1/nothing", "/1/datasets/a/b", "/2/auth"):
            status, fault = await running.get(path, key=key)
            assert status == (404 if judged else 401), path
            if judged:
                assert fault["error"] == "unknown API route"
                assert fault["type"] == f"{running.url}/problems/not-found"
            else:
                assert fault == {"error": "unknown API key - check your credentials"}
        for method, path, allowed in METHODS:
            async with running.http.request(method, running.url + path, headers=headers) as answer:
                assert answer.status == (405 if judged else 401), path
                assert answer.headers.get("Allow") == (allowed if judged else None)
                assert "error" in await answer.json()
