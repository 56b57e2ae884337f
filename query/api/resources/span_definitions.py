"""`/1/dataset_definitions`: which field of a dataset is which part of a span."""

from collections.abc import Iterable
from functools import partial
from typing import Any, Final

import msgspec
from aiohttp import web

from common import limits
from common.clock import Clock
from common.metadata import ApiKey, Metadata, SpanDefinition
from common.process.auth import KeyCache
from query.api.resources.columns.lookup import ColumnLookup
from query.api.resources.members import Member, MemberType, refuse_unknown
from query.faults import FaultCollector, SpecError
from query.http.access import authorize, authorize_any
from query.http.dataset_names import DatasetNames
from query.http.problems import json_object
from query.plan.span_parts import SPAN_PARTS
from query.scatter.indexer_client import IndexerClient

COLUMN, DERIVED = "column", "derived_column"
# of the object that a part has in a body
NAME: Final = Member(
    "name", MemberType.TEXT, "The field; empty: the default.", at_most=limits.COLUMN_TEXT_CHARS_MAX
)
COLUMN_TYPE: Final = Member("column_type", MemberType.TEXT, "Said in answers, not read.")
_CLEARED: Final = ""


class SpanDefinitionRoutes:
    """Handlers. Reading needs the right to query or to manage columns, changing the latter."""

    def __init__(
        self, keys: KeyCache, names: DatasetNames, indexers: IndexerClient, clock: Clock
    ) -> None:
        self._keys = keys
        self._names = names
        self._lookup = ColumnLookup(names, indexers)
        self._clock = clock

    def add_to(self, app: web.Application) -> None:
        """Mount the routes."""
        app.router.add_get("/1/dataset_definitions/{dataset}", self.show)
        app.router.add_patch("/1/dataset_definitions/{dataset}", self.change)

    async def show(self, request: web.Request) -> web.Response:
        """Each part: its field, or by default the first one that the dataset has, or null."""
        key = await authorize_any(self._keys, request, ("columns", "queries"))
        dataset = await self._names.find(key, request)
        return await self._answer(key, dataset.id)

    async def change(self, request: web.Request) -> web.Response:
        """Define some parts, all or nothing; an empty name clears one."""
        key = await authorize(self._keys, request, "columns")
        dataset = (await self._names.find(key, request)).id
        fields = read_definitions(await json_object(request))
        await self._check(key, dataset, fields)
        now_ns = self._clock.now_ns()
        rows = [
            SpanDefinition(
                part, key.environment.id, dataset, name, created_ns=now_ns, updated_ns=now_ns
            )
            for part, name in fields.items()
        ]
        await self._names.ask(key, lambda metadata: metadata.put_resources(rows))
        return await self._answer(key, dataset)

    async def _check(self, key: ApiKey, dataset: str, fields: dict[str, str]) -> None:
        """Raises InvalidValues for fields that the dataset does not have, or that are calculated
        where a stored one is read.
        """
        wanted = {name for name in fields.values() if name}
        if not wanted:
            return
        present = await self._lookup.present(key, dataset, wanted)
        derived = await self._derived(key, dataset) if wanted - present else set()
        collector = FaultCollector()
        for part, name in fields.items():
            if name and name not in present:
                collector.read(partial(_refuse, part, name, name in derived), None)
        collector.check()

    async def _derived(self, key: ApiKey, dataset: str) -> set[str]:
        def listed(metadata: Metadata) -> set[str]:
            return {one.alias for one in metadata.list_derived_columns(key.environment.id, dataset)}

        return await self._names.ask(key, listed)

    async def _answer(self, key: ApiKey, dataset: str) -> web.Response:
        def listed(metadata: Metadata) -> list[SpanDefinition]:
            return metadata.list_resources(SpanDefinition, key.environment.id, dataset)

        rows = await self._names.ask(key, listed)
        defined = {row.id: row.column_name for row in rows if row.column_name}
        wanted = {*defined.values(), *_defaults(part for part in SPAN_PARTS if part not in defined)}
        present = await self._lookup.present(key, dataset, wanted)
        shown: dict[str, Any] = {}
        for part, about in SPAN_PARTS.items():
            by_default = next((name for name in about.defaults if name in present), None)
            name = defined.get(part, by_default)
            kind = COLUMN if name in present else DERIVED
            shown[part] = None if name is None else {"name": name, "column_type": kind}
        return web.Response(body=msgspec.json.encode(shown), content_type="application/json")


def read_definitions(body: dict[str, Any]) -> dict[str, str]:
    """The field of each part in a body, "" for one that is cleared. Raises InvalidValues."""
    collector = FaultCollector()
    collector.read(lambda: refuse_unknown(body, list(SPAN_PARTS), ()), None)
    found = {
        part: collector.read(partial(_field, part, body[part]), _CLEARED)
        for part in SPAN_PARTS
        if part in body
    }
    collector.check()
    return found


def _field(part: str, value: object) -> str:
    if value is None:
        return _CLEARED
    if not isinstance(value, dict):
        raise SpecError(part, "incorrect_type", "must be an object with a `name`, or null")
    try:
        refuse_unknown(value, (NAME.name, COLUMN_TYPE.name), ("id",))
        COLUMN_TYPE.read(value)
        name = NAME.read(value)
    except SpecError as error:
        raise SpecError(f"{part}.{error.field}", error.code, error.description) from error
    if name is None:
        raise SpecError(f"{part}.name", "missing", "name a field; an empty name is the default")
    return str(name)


def _refuse(part: str, name: str, calculated: bool) -> None:
    if not calculated:
        raise SpecError(f"{part}.name", "invalid", f"the dataset has no column {name!r}")
    if SPAN_PARTS[part].reads:
        raise SpecError(
            *(f"{part}.name", "invalid"),
            f"{name!r} is calculated: traces are read by stored fields, so name one",
        )


def _defaults(parts: Iterable[str]) -> set[str]:
    return {name for part in parts for name in SPAN_PARTS[part].defaults}
