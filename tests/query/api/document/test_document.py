"""The OpenAPI document has every route that a query role serves to users, and no other."""

import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from aiohttp import web

import query.server
from query.api.document.build import OPERATIONS, build_document
from query.api.document.examples import EXAMPLES
from query.api.document.operations.tracing import HOW, KINDS, WHAT
from query.api.document.typescript import FILE, types_of_api
from query.traces.compare.differences import What
from query.traces.one.open_spans import How
from query.traces.one.tree import Kind
from tests.query.harness import query_harness

# a shepherd's own, which it does not forward
_OF_SHEPHERDS = re.compile(r"/(1/(events|batch)/.*|v1/.*|api/v[12]/spans|1/auth|x/alive)")
# not for users: health and metrics, what Zipkin's page expects to be there, files of our own page
_UNTOLD = re.compile(
    r"/(|ui\{rest\}|ui/\{name\}|docs\{rest\}|healthz|readyz|metrics|health|internal/.*|zipkin/.*|api/v2/autocomplete\w+|\{tail.*)"
)


async def _served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
    """(method, path) of every route of a query role that runs."""
    made: list[web.Application] = []
    build = query.server._application

    def kept(*given: Any) -> web.Application:
        made.append(build(*given))
        return made[0]

    monkeypatch.setattr(query.server, "_application", kept)
    async with query_harness(tmp_path):
        routes = [r for r in made[0].router.routes() if r.resource is not None]
        return {
            (route.method.lower(), route.resource.canonical)
            for route in routes
            if route.resource is not None and route.method not in ("HEAD", "*")
        }


async def test_every_route_that_is_served_is_described_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = await _served(tmp_path, monkeypatch)
    served = {one for one in served if not _UNTOLD.fullmatch(one[1])}
    told = {(one.method, one.path) for one in OPERATIONS}
    told -= {
        one
        for one in told
        if _OF_SHEPHERDS.fullmatch(one[1]) and one not in served  # GET /api/v2/spans is read here
    }
    assert served - told == set()
    assert told - served == set()


def test_every_operation_has_an_id_of_its_own_and_describes_its_path() -> None:
    ids = [one.id for one in OPERATIONS]
    assert len(set(ids)) == len(ids)
    for one in OPERATIONS:
        in_path = set(re.findall(r"\{(\w+)\}", one.path))
        assert in_path == {p.name for p in one.parameters if p.where == "path"}, one.id


def test_every_reference_leads_to_a_schema_and_every_schema_is_valid() -> None:
    document = build_document("http://127.0.0.1")
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(_references(document)) <= known
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)


def test_every_example_of_a_body_is_one_that_its_operation_takes() -> None:
    document = build_document("http://127.0.0.1")
    shown = 0
    for methods in document["paths"].values():
        for one in methods.values():
            media = one.get("requestBody", {}).get("content", {}).get("application/json", {})
            if "example" not in media:
                continue
            schema = {**media["schema"], "components": document["components"]}
            jsonschema_rs.validate(schema, media["example"])
            shown += 1
    assert shown == len(EXAMPLES)  # of operations that there are


async def test_the_document_needs_no_key_and_names_the_address_that_was_used(
    tmp_path: Path,
) -> None:
    async with query_harness(tmp_path) as role:
        async with role.http.get(role.url + "/bw/1/openapi.json") as response:
            document = await response.json()
        assert response.status == 200
        assert document["servers"] == [{"url": role.url}]


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if "$ref" in value else []
        return own + [found for inside in value.values() for found in _references(inside)]
    if isinstance(value, list):
        return [found for inside in value for found in _references(inside)]
    return []


def test_the_page_is_built_against_the_types_of_what_is_served() -> None:
    assert FILE.read_text("utf-8") == types_of_api()  # python -m query.api.document.typescript


def test_words_of_answers_about_traces_are_those_that_are_written() -> None:
    assert (tuple(Kind), tuple(How), tuple(What)) == (KINDS, HOW, WHAT)
