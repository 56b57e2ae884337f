"""The query role: one listener with the query, dataset, column and operating routes (I7)."""

import asyncio
import sys

import aiohttp
from aiohttp import web

from common import limits
from common.log.watch import LogWatch
from common.process.announce import Announcement
from common.process.auth import KeyCache
from common.process.draining import linger
from common.process.http.serving import listen
from common.process.role import RoleContext
from common.process.web import add_health_routes, require_internal_token
from query.api.column_routes import ColumnRoutes
from query.api.dataset_names import DatasetNames
from query.api.dataset_routes import DatasetRoutes
from query.api.key_routes import KeyRoutes
from query.api.operations_routes import OperateRoutes
from query.api.peer_results import Elsewhere
from query.api.problems import answer_problems
from query.api.query_routes import QueryParts, QueryRoutes
from query.api.result_store import StoredResults
from query.api.unknown_routes import UnknownRoutes
from query.config import QueryConfig
from query.fields.relations import Relations
from query.fields.route import FieldsRoute
from query.fields.unknown_fields import FieldNotes
from query.results.runner import Runner
from query.rows.route import RowsRoute
from query.scatter.hedging import Pace
from query.scatter.indexer_client import IndexerCalls
from query.scatter.reconcile import Settler
from query.scatter.replicas import Holders
from query.scatter.scatter import Scatter
from query.tail.route import TailRoute

_TAIL_LINE_BYTES = 8 * 1024 * 1024  # one event as a line with escapes; aiohttp's reader limit
_UPKEEP_INTERVAL_S = 1.0
_STOP_TIMEOUT_S = 20.0  # a query in flight is finished; tails end by themselves


async def serve(context: RoleContext, config: QueryConfig) -> None:
    """Answer until `context.stop` is set, then finish what is in flight."""
    sys.setswitchinterval(limits.QUERY_SWITCH_S)
    backends, clock = context.backends, context.clock
    watch = LogWatch(backends.log, await backends.log.open(), clock)
    keys = KeyCache(backends.metadata, clock, context.folder / "keys.json")
    holders = Holders(backends.locks, clock, context.zone)
    results = StoredResults(clock, config.results_kept_s)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), read_bufsize=_TAIL_LINE_BYTES
    ) as http:
        calls = IndexerCalls(holders, http, context.internal_token)
        scatter = Scatter(holders, http, context.internal_token, Pace(clock, config.hedge_ms))
        settler = Settler(scatter, http, context.internal_token)
        runner = Runner(scatter, settler, watch, clock, config)
        elsewhere = Elsewhere(holders, http, context.instance)
        names = DatasetNames(backends.metadata, clock)
        fields, relations = FieldNotes(calls), Relations(calls)
        parts = QueryParts(
            keys, runner, results, clock, context.telemetry, elsewhere, names, fields, relations
        )
        app = web.Application(
            middlewares=[answer_problems, require_internal_token(context.internal_token)],
            client_max_size=limits.MANAGEMENT_BODY_BYTES_MAX,
        )
        add_health_routes(app, lambda: None, context.stop)
        QueryRoutes(parts).add_to(app)
        RowsRoute(keys, names, runner, fields, clock).add_to(app)
        FieldsRoute(keys, names, runner, calls, fields, clock).add_to(app)
        KeyRoutes(keys, backends.metadata, clock).add_to(app)
        ColumnRoutes(keys, names, calls, clock).add_to(app)
        datasets = DatasetRoutes(
            keys, names, backends.metadata, backends.log, watch, calls, clock, context.datasets_max
        )
        datasets.add_to(app)
        OperateRoutes(keys, holders, calls, backends.log, watch).add_to(app)
        TailRoute(keys, names, holders, calls, watch, context.stop).add_to(app)
        UnknownRoutes(keys).add_to(app)  # last: it takes what no other route takes
        upkeep = [
            asyncio.create_task(watch.run()),
            asyncio.create_task(_end_abandoned(results)),
            asyncio.create_task(holders.keep_known()),
        ]
        try:
            await _listen(app, context, config.drain_ms)
        finally:
            for task in upkeep:
                task.cancel()
            await asyncio.gather(*upkeep, return_exceptions=True)
            await results.close()
            await keys.close()
            await holders.close()


async def _end_abandoned(results: StoredResults) -> None:
    while True:
        await asyncio.sleep(_UPKEEP_INTERVAL_S)
        results.end_abandoned()


async def _listen(app: web.Application, context: RoleContext, drain_ms: int) -> None:
    """Listen, announce, wait for the stop, give up the name, finish what is in flight."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_STOP_TIMEOUT_S)
    await runner.setup()
    try:
        await listen(runner, "internal", context.host, context.port)
        port = int(runner.addresses[0][1])
        member = context.member(port)
        announcement = Announcement(context.backends.locks, member)
        await announcement.renew()
        keeping = asyncio.create_task(announcement.keep())
        try:
            await context.stop.wait()
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await announcement.withdraw()
        await linger(context.backends.locks, member, drain_ms)
    finally:
        await runner.cleanup()
