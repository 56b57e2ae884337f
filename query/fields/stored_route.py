"""`GET /bw/1/fields/{dataset}` and its `values/{field}`: fields and values of all stored events.

They are told from summaries of segments and from live rows; no event is read. How common fields are
in a time range is asked with `POST /bw/1/fields`.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from aiohttp import web

from common import limits
from common.errors import MetadataUnavailable
from common.metadata import ApiKey, DerivedColumn
from common.model.names import ALL_DATASETS
from common.model.times.written import rfc3339
from common.process.auth import KeyCache
from common.process.fair.requester import Requester
from query.faults import SpecError
from query.fields import document
from query.fields.exchange import FieldFactsExchange, FoundFacts
from query.http.access import authorize, requester_of
from query.http.column_metadata import ColumnMetadata, column_metadata_if_available
from query.http.dataset_names import DatasetNames
from query.http.environment import EnvironmentDatasets
from query.http.requests import run_while_connected
from query.plan.read.checks import column_of
from query.wire.field_facts import FieldFacts, FieldFactsPage
from query.wire.name_pattern import NamePattern

_LIST = ("match", "search", "limit", "cursor", "samples")
_VALUES = ("prefix", "limit")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """match: a pattern of names. words: each is in the name, the description or a value."""

    match: str
    words: tuple[str, ...]
    limit: int
    cursor: str | None
    samples: int


class StoredFieldsRoutes:
    """The handlers; they need the right to query."""

    def __init__(
        self,
        keys: KeyCache,
        names: DatasetNames,
        exchange: FieldFactsExchange,
        datasets: EnvironmentDatasets,
    ) -> None:
        self._datasets = datasets
        self._keys = keys
        self._names = names
        self._exchange = exchange

    def add_to(self, app: web.Application) -> None:
        """Mount the routes."""
        app.router.add_get("/bw/1/fields/{dataset}", self.fields)
        app.router.add_get("/bw/1/fields/{dataset}/values/{field:.+}", self.values)

    async def fields(self, request: web.Request) -> web.Response:
        """A page of fields by name."""
        key = await authorize(self._keys, request, "queries")
        wanted = _read(request)
        finding = self._find(key, await self._ids(key, request), wanted)
        body = await run_while_connected(request, finding)
        return web.Response(body=body, content_type="application/json")

    async def values(self, request: web.Request) -> web.Response:
        """The values of a field that begin with a prefix, the most frequent first."""
        key = await authorize(self._keys, request, "queries")
        _only(request, _VALUES)
        name = column_of(request.match_info["field"], "field")
        prefix = column_of(request.query.get("prefix", ""), "prefix")
        most = _whole(request, "limit", limits.FIELD_VALUES_DEFAULT, 1, limits.FIELD_VALUES_MAX)
        datasets = await self._ids(key, request)
        asking = self._exchange.ask_of(datasets, requester_of(key), name=name, prefix=prefix)
        found = await run_while_connected(request, asking)
        facts = next((one for one in found.page.fields if one.name == name), FieldFacts(name))
        more = facts.others or len(facts.values) > most
        answer = {
            "field": name,
            "values": document.values(facts, most),
            "more": more,
            "coverage": found.coverage(),
            "notes": [] if facts.types else [f"no stored event has a field `{name}`"],
        }
        return web.Response(body=msgspec.json.encode(answer), content_type="application/json")

    async def _ids(self, key: ApiKey, request: web.Request) -> Sequence[str]:
        """The ids of the dataset in the path, or of all. Raises as `EnvironmentDatasets.every`."""
        dataset = (await self._names.known_or_all(key, request)).id
        if dataset != ALL_DATASETS:
            return [dataset]
        return [one.id for one in (await self._datasets.every(key)).datasets]

    async def _find(self, key: ApiKey, datasets: Sequence[str], wanted: _Wanted) -> bytes:
        known, derived = await self._metadata(key, datasets)
        requester = requester_of(key)
        if wanted.words:
            found, shown, notes = await self._search(datasets, requester, wanted, known)
        else:
            found = await self._page(datasets, requester, wanted, wanted.cursor, wanted.limit)
            shown, notes = found.page.fields, []
        # thousands of fields take some tens of milliseconds
        return await asyncio.to_thread(_document, wanted, found, shown, known, derived, notes)

    async def _page(
        self,
        datasets: Sequence[str],
        requester: Requester,
        wanted: _Wanted,
        after: str | None,
        size: int,
    ) -> FoundFacts:
        return await self._exchange.ask_of(
            datasets, requester, after=after, size=size, pattern=wanted.match
        )

    async def _search(
        self, datasets: Sequence[str], requester: Requester, wanted: _Wanted, known: ColumnMetadata
    ) -> tuple[FoundFacts, Sequence[FieldFacts], list[str]]:
        """The fields that have all words, of so many as one search looks at."""
        after, shown, looked = wanted.cursor, list[FieldFacts](), 0
        while True:
            found = await self._page(datasets, requester, wanted, after, limits.FIELD_FACTS_PAGE)
            some = found.page.fields
            looked += len(some)
            shown += [one for one in some if _has_words(one, wanted.words, known)]
            enough = len(shown) > wanted.limit
            if enough or not found.page.more or not some or looked >= limits.FIELD_FACTS_SEARCHED:
                break
            after = some[-1].name
        more = enough or (found.page.more and bool(shown))
        notes = []
        if found.page.more and not enough:
            last = some[-1].name
            notes.append(f"{looked:,} fields were searched, up to `{last}`: narrow it with match")
        kept = shown[: wanted.limit]
        page = FieldFactsPage(found.page.covered, kept, more)
        return FoundFacts(page, found.missing), kept, notes

    async def _metadata(
        self, key: ApiKey, datasets: Sequence[str]
    ) -> tuple[ColumnMetadata, Sequence[DerivedColumn]]:
        """Of several datasets what is the environment's: a name may have several descriptions."""
        dataset = datasets[0] if len(datasets) == 1 else None
        known = ColumnMetadata()
        if dataset is not None:
            known = await column_metadata_if_available(self._names, key, dataset)
        if self._names.metadata_is_away:
            return known, ()
        try:
            derived = await self._names.ask(
                key, lambda store: store.list_derived_columns(key.environment.id, dataset)
            )
        except MetadataUnavailable:
            return known, ()
        return known, derived


def _document(
    wanted: _Wanted,
    found: FoundFacts,
    shown: Sequence[FieldFacts],
    known: ColumnMetadata,
    derived: Sequence[DerivedColumn],
    notes: Sequence[str],
) -> bytes:
    covered = found.page.covered
    rows = sum(one.rows for one in covered)
    end = shown[-1].name if found.page.more and shown else None
    fields = [document.stored(one, rows, wanted.samples, known) for one in shown]
    fields += [document.calculated(one) for one in _of_page(derived, wanted, end)]
    fields.sort(key=lambda one: str(one["name"]))
    lasts = [one.last_ns for one in covered if one.last_ns]
    firsts = [one.first_ns for one in covered if one.first_ns]
    answer = {
        "fields": fields,
        "next": end,
        "stored": rows,
        "live": sum(one.live_rows for one in covered),
        "bytes": sum(one.stored_bytes for one in covered),
        "first_indexed": rfc3339(min(firsts)) if firsts else None,
        "last_indexed": rfc3339(max(lasts)) if lasts else None,
        "coverage": found.coverage(),
        "notes": [*notes, *_notes(found)],
    }
    return msgspec.json.encode(answer)


def _of_page(
    derived: Sequence[DerivedColumn], wanted: _Wanted, end: str | None
) -> list[DerivedColumn]:
    """The calculated fields that belong to a page which ends with a name (None: it is the last)."""
    pattern = NamePattern(wanted.match)
    return [
        one
        for one in derived
        if (wanted.cursor is None or one.alias > wanted.cursor)
        and (end is None or one.alias <= end)
        and pattern.matches(one.alias)
        and all(
            word in f"{one.alias}\n{one.description}\n{one.expression}".casefold()
            for word in wanted.words
        )
    ]


def _has_words(facts: FieldFacts, words: Sequence[str], known: ColumnMetadata) -> bool:
    defined, sent = known.definitions.get(facts.name), known.facts.get(facts.name)
    texts = [facts.name, *(str(value) for _, value, _ in facts.values)]
    texts += [defined.description] if defined is not None and not defined.deleted_ns else []
    texts += [sent.description] if sent is not None else []
    text = "\n".join(texts).casefold()
    return all(word in text for word in words)


def _notes(found: FoundFacts) -> list[str]:
    unread = sum(one.unread for one in found.page.covered)
    if not unread:
        return []
    return [
        f"segments of {unread:,} events have no summary here yet: their fields and values are "
        "missing, which changes within a minute or so"
    ]


def _read(request: web.Request) -> _Wanted:
    _only(request, _LIST)
    query = request.query
    match = column_of(query.get("match", ""), "match")
    search = column_of(query.get("search", ""), "search")
    for name, text in (("match", match), ("search", search)):
        if len(text) > limits.FIELD_PATTERN_CHARS_MAX:
            raise SpecError(name, "invalid", "is longer than a pattern may be")
    return _Wanted(
        match,
        tuple(search.casefold().split()),
        _whole(request, "limit", limits.FIELD_FACTS_PAGE, 1, limits.FIELD_FACTS_PAGE),
        column_of(query["cursor"], "cursor") if "cursor" in query else None,
        _whole(request, "samples", limits.FIELD_FACTS_SAMPLES, 0, limits.FIELD_FACTS_VALUES),
    )


def _only(request: web.Request, known: Sequence[str]) -> None:
    for name in request.query:
        if name not in known:
            raise SpecError(name, "invalid", f"is not known here; known: {', '.join(known)}")


def _whole(request: web.Request, name: str, default: int, least: int, most: int) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not least <= int(text[:9]) <= most:
        raise SpecError(name, "invalid", f"must be a whole number between {least} and {most}")
    return int(text[:9])
