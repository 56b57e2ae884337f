"""An indexer that answers shares, columns, facts of fields and tails over HTTP; it can be slow or
refuse.
"""

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from aiohttp import web

from common.errors import BellwetherError
from common.locks import Claim
from common.locks.files import FileLocks
from common.process.error_body import busy_response
from common.process.members import Member, claim_name, encode_member
from common.process.versions import PLAN_TYPED_STATES, Understands
from common.process.web import has_hung_up
from indexer.fields.of_source import Times, facts_of_block
from indexer.fields.prefix import with_prefix
from query.plan.plan import ShareRequest
from query.share.compute.database import DatabaseLimits, Databases
from query.share.serve.route import ShareEndpoint
from query.wire.columns import (
    ColumnsRequest,
    DatasetsRequest,
    IndexedColumn,
    IndexedDataset,
    page_of_all,
)
from query.wire.field_facts import (
    FieldFacts,
    FieldFactsPage,
    FieldFactsRequest,
    SourceCoverage,
    merge_facts,
    page_of,
)
from query.wire.keys import decode_body
from query.wire.tail import TailRequest
from segment.parquet.reference import ReferenceEncoders
from segment.parquet.selected import SelectedEncoders
from tests.query.share.rows import Views

ENCODERS = ReferenceEncoders()


@dataclass
class FakeIndexer:
    """An indexer: its member, the requests that it counts, and how it behaves."""

    member: Member
    views: Views
    endpoint: ShareEndpoint
    asked: int = 0
    waiting: int = 0  # shares that are delayed
    ignores_versions: bool = False  # as programs that know no version but the first
    versions: list[int] = field(default_factory=list)  # of the requests for shares
    before_share: Callable[[], None] = lambda: None
    refuse: bool = False
    delay_s: float = 0.0
    health_delay_s: float = 0.0
    followed: str = ""
    chosen: TailRequest | None = None
    tail_refusal: BellwetherError | None = None
    columns_refusal: BellwetherError | None = None
    tells_facts: bool = True  # of fields
    facts_asked: int = 0
    columns_held: asyncio.Event | None = None  # until it is set, no columns are told
    held_keys: set[str] = field(default_factory=set)  # ids of keys whose shares wait for `release`
    release: asyncio.Event = field(default_factory=asyncio.Event)
    claims: list[Claim] = field(default_factory=list)
    dataset_calls: int = 0
    seen_ns: tuple[int, int] = (10**18, 2 * 10**18)  # first and last time of each column
    columns: dict[str, list[str]] = field(
        default_factory=lambda: {"status": ["i"], "ms": ["f", "i"]}
    )

    def add_to(self, app: web.Application) -> None:
        """Mount the routes of an indexer."""
        app.router.add_post("/internal/share", self.share)
        app.router.add_post("/internal/columns", self.list_columns)
        app.router.add_get("/internal/columns", self.list_all_columns)
        app.router.add_post("/internal/datasets", self.list_datasets)
        app.router.add_post("/internal/field_facts", self.field_facts)
        app.router.add_get("/internal/tail", self.tail)
        app.router.add_post("/internal/tail", self.tail)
        app.router.add_get("/healthz", self.healthz)

    def announce(self, understands: Understands) -> None:
        """Announce other versions in the claims."""
        self.member = msgspec.structs.replace(self.member, understands=understands)
        for claim in self.claims:
            claim.update(encode_member(self.member))

    async def share(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        wanted = self._decoded(await request.read())
        self.versions.append(wanted.version)
        self.before_share()
        if self.ignores_versions:
            request._read_bytes = msgspec.json.encode(msgspec.structs.replace(wanted, version=1))
        if self.refuse:
            return web.json_response({"error": "stopping"}, status=503)
        if wanted.plan.key in self.held_keys:
            self.waiting += 1
            try:
                while not self.release.is_set():
                    if has_hung_up(request):
                        break
                    await asyncio.sleep(0.01)
            finally:
                self.waiting -= 1
        await asyncio.sleep(self.delay_s)
        return await self.endpoint.handle(request)

    def _decoded(self, data: bytes) -> ShareRequest:
        """The request, also of a version that this program does not know."""
        if data.startswith(b"{"):
            return msgspec.json.decode(data, type=ShareRequest)
        return decode_body(data).request

    async def healthz(self, _: web.Request) -> web.StreamResponse:
        await asyncio.sleep(self.health_delay_s)
        return web.json_response({"status": "ok"})

    async def tail(self, request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            self.chosen = msgspec.json.decode(await request.read(), type=TailRequest)
        else:
            self.followed = request.query["partitions"]
        if self.tail_refusal is not None:
            return busy_response(self.tail_refusal)
        await asyncio.sleep(self.delay_s)
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"#%d aa\n{}\n" % (self.member.zone == "b"))
        await asyncio.sleep(60)
        return response

    async def list_columns(self, request: web.Request) -> web.Response:
        """A page, as indexers of plans of version 2 know it."""
        if self.member.understands.plan < PLAN_TYPED_STATES:
            raise web.HTTPMethodNotAllowed("POST", ["GET"])
        if self.columns_held is not None:
            await self.columns_held.wait()
        if self.columns_refusal is not None:
            return busy_response(self.columns_refusal)
        wanted = msgspec.json.decode(await request.read(), type=ColumnsRequest)
        return web.Response(body=msgspec.json.encode(page_of_all(self._seen(), wanted)))

    async def list_all_columns(self, _: web.Request) -> web.Response:
        """All of them, as earlier indexers."""
        if self.columns_held is not None:
            await self.columns_held.wait()
        if self.columns_refusal is not None:
            return busy_response(self.columns_refusal)
        return web.Response(body=msgspec.json.encode(self._seen()))

    def _seen(self) -> list[IndexedColumn]:
        return [IndexedColumn(name, types, *self.seen_ns) for name, types in self.columns.items()]

    async def field_facts(self, request: web.Request) -> web.Response:
        """What its live rows hold."""
        self.facts_asked += 1
        if not self.tells_facts:
            raise web.HTTPNotFound
        wanted = msgspec.json.decode(await request.read(), type=FieldFactsRequest)
        covered, sources = list[SourceCoverage](), list[list[FieldFacts]]()
        for number in wanted.partitions:
            blocks = self.views.held[number].blocks
            rows = sum(one.rows for one in blocks)
            covered.append(SourceCoverage(number, rows, 0, rows, 0, *self.seen_ns))
            sources += [facts_of_block(one, Times(*self.seen_ns), ENCODERS) for one in blocks]
        facts = merge_facts(sources)
        if wanted.name is not None:
            facts = with_prefix([one for one in facts if one.name == wanted.name], wanted.prefix)
        fields, more = page_of(facts, wanted)
        return web.Response(body=msgspec.msgpack.encode(FieldFactsPage(covered, fields, more)))

    async def list_datasets(self, request: web.Request) -> web.Response:
        wanted = msgspec.json.decode(await request.read(), type=DatasetsRequest)
        self.dataset_calls += 1
        found = {
            one: IndexedDataset(self.seen_ns[1], [1, 2, len(self.member.zone)])
            for one in wanted.datasets
        }
        return web.Response(body=msgspec.json.encode(found))


async def run_indexer(
    locks: FileLocks, zone: str, views: Views, partitions: int | range
) -> tuple[FakeIndexer, web.AppRunner]:
    """An indexer that holds these partitions, or so many, in its zone, and its server."""
    databases = Databases(DatabaseLimits(128, 1), 4, Path(tempfile.gettempdir()))
    endpoint = ShareEndpoint(views, databases, SelectedEncoders())
    app = web.Application()
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    indexer = FakeIndexer(Member("indexer", f"ix-{zone}", "", zone, 1, 1, "1"), views, endpoint)
    indexer.add_to(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    indexer.member = msgspec.structs.replace(indexer.member, url=url)
    for partition in range(partitions) if isinstance(partitions, int) else partitions:
        claim = locks.acquire(claim_name(zone, partition), encode_member(indexer.member))
        assert claim
        indexer.claims.append(claim)
    return indexer, runner
