"""The query role: one listener with the query, dataset, column and operating routes (I7)."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp import web

from common import limits
from common.log.watch import LogWatch
from common.process.announce import Announcement
from common.process.auth import KeyCache
from common.process.draining import wait_for_drain
from common.process.http.serving import listen
from common.process.role import RoleContext
from common.process.sessions import Sessions
from common.process.trace_context import carrying_trace, trace_requests
from common.process.web import add_health_routes, require_internal_token
from common.tasks import run_every, running
from query.api.document.route import DocumentRoute
from query.api.key_routes import KeyRoutes
from query.api.operations_routes import OperationsRoutes
from query.api.query_routes import QueryRoutes
from query.api.resources.columns.routes import ColumnRoutes
from query.api.resources.datasets.routes import DatasetRoutes
from query.api.resources.kinds import RESOURCE_KINDS
from query.api.resources.routes import ResourceRoutes
from query.api.resources.span_definitions import SpanDefinitionRoutes
from query.api.results.forms import ResultForms
from query.api.results.memory import ResultStore
from query.api.results.peers import PeerResults
from query.api.results.restrictions import Restrictions
from query.api.results.routes import ResultParts, ResultRoutes
from query.api.results.runs import ResultRuns, RunParts
from query.api.results.shared import SharedResults
from query.api.stored_queries import StoredQueries
from query.api.text_routes import TextRoutes
from query.api.unknown_routes import UnknownRoutes
from query.asking.events import QuestionEvents
from query.config import STANDARD_LIMITS, QueryConfig, QueryLimits
from query.differences.fields import FieldChoice
from query.differences.related import RelatesDifferences
from query.differences.route import DifferencesRoute
from query.fields.exchange import FieldFactsExchange
from query.fields.route import FieldsRoute
from query.fields.stored_route import StoredFieldsRoutes
from query.history.route import HistoryRoute
from query.http.access import SESSIONS
from query.http.calculated_fields import StoredCalculatedFields
from query.http.dataset_names import DatasetNames
from query.http.environment import EnvironmentDatasets
from query.http.problems import answer_problems
from query.http.requests import DatasetRequestReader
from query.page.bundle import NoBundle, PageFile, find_bundle
from query.page.files_route import PageFilesRoute
from query.page.session_route import SessionRoute
from query.results.notes.unknown_fields import UnknownFieldNotes
from query.results.relations.stored import StoredNames
from query.results.runner import QueryRunner
from query.rows.related import RelatedRows
from query.rows.route import RowsRoute
from query.scatter.hedging import HedgingPolicy
from query.scatter.indexer_client import IndexerClient
from query.scatter.reconcile import Reconciler
from query.scatter.replicas import Replicas
from query.scatter.scatter import Scatter
from query.tail.route import TailRoute
from query.traces.compare.route import CompareRoute
from query.traces.examples.route import ExamplesRoute
from query.traces.exchange import SpanExchange
from query.traces.flows.route import FlowRoute
from query.traces.one.route import TraceRoute
from query.traces.relations.route import TracesRoute
from query.traces.relations.search import TraceSearch
from query.traces.relations.spans import RelatedSpans
from query.zipkin.route import ZipkinRoutes

_TAIL_LINE_BYTES: Final = 8 * 1024 * 1024  # one event as an escaped line; aiohttp's reader limit
_STOP_TIMEOUT_S: Final = 20.0  # a query in flight is finished; tails end by themselves


@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts that the routes use, one instance of each."""

    keys: KeyCache
    names: DatasetNames
    replicas: Replicas
    indexers: IndexerClient
    watch: LogWatch
    results: ResultStore
    runner: QueryRunner
    calculated: StoredCalculatedFields
    spans: SpanExchange
    related: RelatedSpans
    datasets: EnvironmentDatasets
    rows: RelatedRows
    differences: RelatesDifferences
    stored_names: StoredNames
    traces: TraceSearch
    peers: PeerResults
    sessions: Sessions
    page: bool
    page_folder: Path | None
    shared: SharedResults
    restrictions: Restrictions
    questions: QuestionEvents


async def serve(
    context: RoleContext, config: QueryConfig, bounds: QueryLimits = STANDARD_LIMITS
) -> None:
    """Answer until `context.stop` is set, then finish what is in flight."""
    sys.setswitchinterval(limits.QUERY_SWITCH_S)
    log = context.backends.log
    watch = LogWatch(log, await log.open(), context.clock)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        read_bufsize=_TAIL_LINE_BYTES,
        trace_configs=[carrying_trace()],
    ) as http:
        parts = _wire(context, config, bounds, watch, http)
        upkeep = run_every(bounds.upkeep_s, partial(_look_after, parts))
        days = run_every(limits.RESULTS_REFRESH_S, parts.shared.refresh, at_once=True)
        try:
            async with running(watch.run(), parts.replicas.keep_known(), upkeep, days):
                await _listen(_application(context, parts, bounds), context, config.drain_ms)
        finally:
            await parts.results.close()
            await parts.shared.close()
            await parts.keys.close()
            await parts.replicas.close()


def _look_after(parts: _Parts) -> None:
    parts.results.end_abandoned()
    parts.runner.count_states()


def _wire(
    context: RoleContext,
    config: QueryConfig,
    bounds: QueryLimits,
    watch: LogWatch,
    http: aiohttp.ClientSession,
) -> _Parts:
    backends, clock, token = context.backends, context.clock, context.internal_token
    replicas = Replicas(backends.locks, clock, context.zone)
    hedging = HedgingPolicy(clock, config.hedge_ms)
    scatter = Scatter(replicas, http, token, hedging, bounds.probing)
    reconciler = Reconciler(scatter, http, token)
    names = DatasetNames(backends.metadata, clock, bounds.metadata_calls_max)
    calculated = StoredCalculatedFields(names, clock)
    runner = QueryRunner(scatter, reconciler, watch, clock, config, calculated)
    datasets = EnvironmentDatasets(names, clock)
    indexers = IndexerClient(replicas, http, token)
    spans = SpanExchange(runner, datasets)
    stored_names = StoredNames(indexers, limits.STORED_NAMES_PART * config.timeout_ms / 1000)
    return _Parts(
        keys=KeyCache(backends.metadata, clock, context.folder / "keys.json"),
        names=names,
        replicas=replicas,
        indexers=indexers,
        watch=watch,
        results=ResultStore(clock, config.results_kept_s, bounds.results),
        runner=runner,
        calculated=calculated,
        spans=spans,
        datasets=datasets,
        rows=RelatedRows(datasets, stored_names, config.trace_margin_s),
        differences=RelatesDifferences(datasets, stored_names, config.trace_margin_s),
        stored_names=stored_names,
        related=RelatedSpans(spans, runner, datasets, config.trace_margin_s),
        traces=TraceSearch(runner, datasets, config.trace_margin_s),
        peers=PeerResults(replicas, http, context.instance),
        sessions=Sessions(backends.metadata, clock),
        page=config.page,
        page_folder=Path(config.page_folder) if config.page_folder else None,
        shared=SharedResults(
            backends.objects, clock, config.results_kept_s, config.results_env_mb * 2**20
        ),
        restrictions=Restrictions(config, clock),
        questions=QuestionEvents(context.telemetry, clock, config.questions_per_minute),
    )


def _application(context: RoleContext, parts: _Parts, bounds: QueryLimits) -> web.Application:
    """All routes."""
    app = web.Application(
        middlewares=[
            answer_problems,
            require_internal_token(context.internal_token),
            parts.questions.middleware(),
        ],
        client_max_size=limits.MANAGEMENT_BODY_BYTES_MAX,
    )
    trace_requests(app)
    add_health_routes(app, lambda: None, context.stop)
    keys, names, runner, indexers = parts.keys, parts.names, parts.runner, parts.indexers
    metadata, log, clock = context.backends.metadata, context.backends.log, context.clock
    requests = DatasetRequestReader(keys, names, clock)
    unknown_fields = UnknownFieldNotes(indexers)
    stored = StoredQueries(names, clock)
    runs = RunParts(
        runner=runner,
        results=parts.results,
        shared=parts.shared,
        unknown_fields=unknown_fields,
        stored_names=parts.stored_names,
        clock=clock,
        questions=parts.questions,
        random=context.random,
        instance=context.instance,
    )
    results = ResultParts(
        keys=keys,
        names=names,
        datasets=parts.datasets,
        requests=requests,
        stored=stored,
        runs=ResultRuns(runs),
        results=parts.results,
        peers=parts.peers,
        shared=parts.shared,
        restrictions=parts.restrictions,
        forms=ResultForms(),
    )
    QueryRoutes(keys, names, stored).add_to(app)
    ResultRoutes(results).add_to(app)
    RowsRoute(requests, runner, unknown_fields, parts.datasets, parts.rows).add_to(app)
    FieldsRoute(requests, runner, indexers, names, unknown_fields, parts.datasets).add_to(app)
    exchange = FieldFactsExchange(parts.replicas, indexers, parts.watch)
    StoredFieldsRoutes(keys, names, exchange, parts.datasets).add_to(app)
    choice = FieldChoice(indexers, parts.calculated, exchange.ask_of)
    DifferencesRoute(
        requests, runner, choice, unknown_fields, parts.datasets, parts.differences
    ).add_to(app)
    HistoryRoute(keys, runner, clock).add_to(app)
    FlowRoute(keys, parts.related, clock).add_to(app)
    TraceRoute(keys, parts.spans, clock).add_to(app)
    TracesRoute(requests, parts.traces).add_to(app)
    CompareRoute(requests, parts.spans, parts.traces, clock).add_to(app)
    ExamplesRoute(requests, runner, parts.datasets, runs.stored_names).add_to(app)
    ZipkinRoutes(keys, parts.spans, parts.traces, clock).add_to(app)
    KeyRoutes(keys, metadata, clock).add_to(app)
    ColumnRoutes(keys, names, indexers, clock).add_to(app)
    SpanDefinitionRoutes(keys, names, indexers, clock).add_to(app)
    for kind in RESOURCE_KINDS:
        ResourceRoutes(kind, keys, names, clock, os.urandom).add_to(app)
    DatasetRoutes(
        keys, names, metadata, log, parts.watch, indexers, clock, context.datasets_max
    ).add_to(app)
    OperationsRoutes(keys, parts.replicas, indexers, log, parts.watch).add_to(app)
    TailRoute(
        keys,
        names,
        parts.replicas,
        indexers,
        parts.watch,
        context.stop,
        bounds.tails_max,
        bounds.tail_open_s,
        StoredCalculatedFields(names, clock),
        stored_names=parts.stored_names,
    ).add_to(app)
    TextRoutes(keys, clock).add_to(app)
    DocumentRoute().add_to(app)
    app[SESSIONS] = parts.sessions
    SessionRoute(keys, parts.sessions).add_to(app)
    PageFilesRoute(keys, *_page_files(parts.page, parts.page_folder)).add_to(app)
    UnknownRoutes(keys).add_to(app)  # last: it matches every path that no other route matches
    return app


def _page_files(wanted: bool, folder: Path | None) -> tuple[Mapping[str, PageFile], str]:
    """(the page's files, why there are none)."""
    if not wanted:
        return {}, "the page is turned off (query.page)"
    try:
        return find_bundle(folder), ""
    except (NoBundle, OSError) as error:
        return {}, str(error)


async def _listen(app: web.Application, context: RoleContext, drain_ms: int) -> None:
    """Listen, announce, wait for the stop, withdraw the announcement, finish what is in flight."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_STOP_TIMEOUT_S)
    await runner.setup()
    try:
        await listen(runner, "internal", context.host, context.port)
        port = int(runner.addresses[0][1])
        member = context.member(port)
        announcement = Announcement(context.backends.locks, member)
        await announcement.renew()
        try:
            async with running(announcement.keep()):
                await context.stop.wait()
        finally:
            await announcement.withdraw()
        await wait_for_drain(context.backends.locks, member, drain_ms)
    finally:
        await runner.cleanup()
