"""The routes of the indexer's internal HTTP."""

from aiohttp import web

from common import limits
from common.process.role import RoleContext
from common.process.trace_context import trace_requests
from common.process.web import add_health_routes, require_internal_token
from indexer.damage import peers
from indexer.damage.reappend import RecordsEndpoint
from indexer.fields.route import FieldFactsEndpoint
from indexer.rerouting.batch_lookup_route import BatchLookupEndpoint
from indexer.serve.column_listing import ColumnListing
from indexer.serve.column_routes import ColumnEndpoints, ListingTurns
from indexer.serve.routes import Endpoints
from indexer.upkeep.rehearsal.content import PATH
from indexer.upkeep.rehearsal.content_route import ContentEndpoint
from indexer.upkeep.repair.twin_segments import SegmentEndpoint
from indexer.wiring import Parts


def internal_application(parts: Parts, context: RoleContext) -> web.Application:
    """The application with all routes of the indexer; it does not listen yet."""
    partitions, log = parts.held.partitions, context.backends.log
    app = web.Application(
        middlewares=[require_internal_token(context.internal_token)],
        client_max_size=limits.INTERNAL_BODY_BYTES_MAX,
    )
    trace_requests(app)
    add_health_routes(app, parts.readiness.not_ready, context.stop)
    Endpoints(
        partitions,
        parts.shared.tails,
        log,
        context.clock,
        parts.shared.shredder,
        parts.shared.encoders,
        parts.shared.prefetcher,
        parts.readiness.describe,
        context.alarms,
        parts.repair.describe,
        parts.document_gate.describe,
        parts.compactor.describe,
        parts.summaries.describe,
    ).add_routes(app)
    listing = ColumnListing(partitions, parts.footers, parts.shared.cache)
    turns = ListingTurns()
    ColumnEndpoints(listing, turns).add_routes(app)
    FieldFactsEndpoint(parts.field_facts, turns).add_routes(app)
    records = RecordsEndpoint(partitions, log, parts.shared.cache, context.clock)
    app.router.add_post("/internal/share", parts.shares.handle)
    app.router.add_get("/internal/segment/{hash}", SegmentEndpoint(parts.shared.cache).handle)
    app.router.add_post(peers.PATH, records.handle)
    app.router.add_post("/internal/held", BatchLookupEndpoint(partitions).handle)
    content = ContentEndpoint(partitions, parts.shared.cache, context.clock)
    app.router.add_post(PATH, content.handle)
    return app
