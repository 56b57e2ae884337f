"""Spans as Zipkin's clients send them, as rows of what is stored of them; and spans of OTLP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from common import limits
from common.model.names import dataset_id
from common.process.versions import OWN
from ops.admin import ensure_scope
from shepherd.zipkin.decode import Wire, decode
from shepherd.zipkin.media import Form
from tests.query.harness import QueryHarness, query_harness
from tests.query.share.rows import Json, Row, Value

BASE_US = 1_700_000_000_000_000


def rows_of(spans: list[dict[str, Any]]) -> list[Row]:
    """What the shepherd stores of these spans."""
    body = orjson.dumps(spans)
    arrival_ns = BASE_US * 1_000
    wire = Wire(Form.JSON_V2, body, "", "env", arrival_ns, "", limits.STRING_BYTES_MAX)
    lines = [
        orjson.loads(line)
        for group in decode(wire).groups
        for line in group.events.lines.text.splitlines()
    ]
    return [Row(line["t"], fields(line["d"]), line["r"]) for line in lines]


def fields(data: dict[str, Any]) -> dict[str, Value | Json]:
    """The fields of an event as an indexer has them."""
    return {
        name: Json(orjson.dumps(value).decode()) if isinstance(value, dict | list) else value
        for name, value in data.items()
        if value is not None
    }


@asynccontextmanager
async def zipkin_harness(tmp_path: Path, rows: list[Row]) -> AsyncIterator[QueryHarness]:
    """A query role whose indexer has these rows, and takes questions for spans."""
    async with query_harness(tmp_path, rows=rows) as server:
        place = ensure_scope(server.metadata, "T", "e")
        dataset = dataset_id(place.team.id, place.environment.id, "shop")
        for indexer in server.indexers.values():
            held = indexer.views.held
            held.update({at: replace(view, dataset=dataset) for at, view in held.items()})
            indexer.announce(OWN)
        yield server


async def get(server: QueryHarness, path: str, key: str = "K") -> tuple[int, Any, dict[str, str]]:
    """Status, document and headers of an answer."""
    async with server.http.get(server.url + path, headers={"X-Honeycomb-Team": key}) as response:
        return response.status, await response.json(content_type=None), dict(response.headers)
