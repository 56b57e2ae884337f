"""`/bw/1/tail/{dataset}`: events as they are indexed, from one indexer of every partition.

Either every partition is followed, or the answer is an error with the reason; never an empty 200.
Tails are shared between environments and keys (I14). They last long, so the number that each may
have shrinks with the number of free slots.
"""

import asyncio
import logging
from collections.abc import Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass

import aiohttp
import msgspec
from aiohttp import web

from common import limits
from common.error_text import describe_error
from common.errors import BadRequest, BellwetherError, TooManyRequests, Unavailable
from common.log.watch import LogWatch
from common.logs import log_event
from common.process.auth import KeyCache
from common.process.error_body import read_error_body
from common.process.fair.queue import FairLimits
from common.process.fair.requester import Requester
from common.process.fair.slots import FairSlots
from common.process.members import Member
from common.process.versions import PLAN_QUESTIONS, PLAN_TYPED_STATES
from common.process.web import has_hung_up
from common.tasks import running
from query.faults import SpecError
from query.http.access import authorize, requester_of
from query.http.dataset_names import DatasetNames
from query.http.problems import json_body
from query.plan.calculated import uses_of
from query.plan.parts.conditions import filter_fields, searched_texts
from query.plan.parts.spans import SpanDataset
from query.plan.read.spec import read_spec
from query.plan.relations import About, about_of
from query.results.calculated.stored import NO_STORED_FIELDS, StoredFields
from query.results.relations.stored import StoredNames
from query.rows.request import read_fields
from query.scatter.indexer_client import IndexerClient
from query.scatter.replicas import Replicas
from query.tail.calculated import with_calculated_fields
from query.tail.lines import TailLines
from query.tail.tail_duplicates import LineFilter, RerouteDeduplicator, skipped_line
from query.wire.tail import TailFilter, TailRequest

_CONDITIONS = ("filters", "filter_combination", "calculated_fields")
_MEMBERS = (*_CONDITIONS, "fields", "rows")
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=limits.TAIL_OPEN_S)
_REFUSAL_BYTES_MAX = 4_096
_PARTITIONS_SHOWN = 10
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Source:
    """An indexer that is followed, and its partitions."""

    member: Member
    partitions: list[int]
    answer: aiohttp.ClientResponse


class TailRoute:
    """The handler; it needs the right to query."""

    def __init__(
        self,
        keys: KeyCache,
        names: DatasetNames,
        replicas: Replicas,
        indexers: IndexerClient,
        watch: LogWatch,
        stop: asyncio.Event,
        tails_max: int = limits.TAILS_MAX,
        open_s: float = limits.TAIL_OPEN_S,
        stored: StoredFields = NO_STORED_FIELDS,
        *,
        stored_names: StoredNames,
    ) -> None:
        """stored_names: tells which names like `root.name` are those of events' own fields."""
        self._stored = stored
        self._stored_names = stored_names
        self._keys = keys
        self._names = names
        self._watch = watch
        self._replicas = replicas
        self._indexers = indexers
        self._stop = stop
        self._open_s = open_s
        shares = FairLimits(
            tails_max,
            waiting_max=0,
            env_per_free=limits.TAILS_ENV_PER_FREE,
            key_per_free=limits.TAILS_KEY_PER_FREE,
        )
        self._slots = FairSlots(shares, "tails", retry_after_s=limits.TAIL_RETRY_S)

    def add_to(self, app: web.Application) -> None:
        """Mount the route."""
        app.router.add_get("/bw/1/tail/{dataset}", self.tail)
        app.router.add_post("/bw/1/tail/{dataset}", self.tail)

    async def tail(self, request: web.Request) -> web.StreamResponse:
        """One JSON object per line, until the client leaves or another indexer takes a partition.

        The body of a POST has filters, like those of a query, and fields. Raises TooManyRequests,
        or Unavailable when not every partition can be followed.
        """
        key = await authorize(self._keys, request, "queries")
        filters = (
            read_tail_filter(await json_body(request)) if request.can_read_body else TailFilter()
        )
        dataset = await self._names.id_of(key, request)
        await self._check_own(filters, dataset, requester_of(key))
        filters = await with_calculated_fields(filters, dataset, requester_of(key), self._stored)
        wanted = TailRequest(
            dataset=dataset,
            choice=filters,
            after_ns=_after(request),
            batches=True,
            env=key.environment.id,
            key=key.id,
        )
        async with self._slots.hold(key.environment.id, key.id), AsyncExitStack() as stack:
            least = _version_needed(filters)
            chosen = await self._one_replica_each(least)
            held = {partition for _, partitions in chosen for partition in partitions}
            if missing := sorted(set(range(self._watch.partitions)) - held):
                raise Unavailable(
                    "the tail cannot be opened: no indexer can be followed now for the partitions "
                    f"{missing[:_PARTITIONS_SHOWN]}",
                    limits.TAIL_RETRY_S,
                )
            sources = [
                _Source(member, partitions, await self._open(stack, member, partitions, wanted))
                for member, partitions in chosen
            ]
            return await self._stream(request, sources, least)

    async def _check_own(self, choice: TailFilter, dataset: str, requester: Requester) -> None:
        """Raises SpecError for what is about other spans (docs/adr/0072).

        Raises Unavailable while it is not known whether events have a field of such a name.
        """
        named = filter_fields(choice.filters) | {*(choice.fields or ())}
        for one in choice.calculated:
            named |= {*uses_of(one.expression)}
        own = {one.name for one in choice.calculated}
        names = sorted(one for one in named - own if about_of(one) is not About.OWN)
        if not names:
            return
        stored, untold = await self._stored_names.of([SpanDataset(dataset)], names, requester)
        others = [name for name in names if name not in stored]
        if others and untold:
            why = f"it is not known now whether events have fields named {', '.join(others)}"
            raise Unavailable(why, limits.TAIL_RETRY_S)
        if others:
            why = (
                f"a tail sends events as they arrive, mostly before the other spans of their "
                f"traces: {', '.join(f'`{name}`' for name in others)} is not known then. Ask "
                f"`rows` for what is stored"
            )
            raise SpecError(_named_by(choice, others), "invalid", why)

    async def _open(
        self,
        stack: AsyncExitStack,
        member: Member,
        partitions: list[int],
        wanted: TailRequest,
    ) -> aiohttp.ClientResponse:
        """An indexer's tail. Raises TooManyRequests, Unavailable."""
        numbers = ",".join(map(str, partitions))
        everything = wanted.choice.is_everything
        asked = self._indexers.http.request(
            "GET" if everything else "POST",  # indexers of older versions know only GET
            f"{member.url}/internal/tail",
            params={**_parameters(wanted), "partitions": numbers} if everything else None,
            data=None
            if everything
            else msgspec.json.encode(msgspec.structs.replace(wanted, partitions=tuple(partitions))),
            headers=self._indexers.headers,
            timeout=_NO_TIMEOUT,
            read_bufsize=limits.EVENT_BYTES_MAX,  # aiohttp accepts lines of twice this length
        )
        try:
            async with asyncio.timeout(self._open_s):
                source = await stack.enter_async_context(asked)
                if source.status == 200:
                    return source
                body = await source.content.read(_REFUSAL_BYTES_MAX)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            why = describe_error(error)
            log_event(_logger, logging.WARNING, "no tail", indexer=member.instance, why=why)
            raise Unavailable(
                f"the tail cannot be opened: indexer {member.instance} does not answer; try again"
            ) from error
        raise _not_opened(member, source.status, body)

    async def _stream(
        self, request: web.Request, sources: list[_Source], least: int
    ) -> web.StreamResponse:
        tells = _tells_skipped(request)
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        lines, copies = TailLines(), RerouteDeduplicator()
        readers = [_follow(source, copies, lines, tells) for source in sources]
        async with running(*readers, self._until_moved(sources, lines, least)):
            try:
                while not self._stop.is_set():
                    try:
                        async with asyncio.timeout(limits.TAIL_LOOK_S):
                            taken = await lines.take()
                    except TimeoutError:  # a quiet dataset: only a check finds a hang-up
                        if has_hung_up(request):
                            break
                        continue
                    if not taken:  # an indexer left: the client reconnects, to the other indexer
                        break
                    await response.write(taken)
            except ConnectionError:
                log_event(_logger, logging.DEBUG, "tail reader left")
        return response

    async def _one_replica_each(self, least: int) -> list[tuple[Member, list[int]]]:
        """One indexer for each partition, so that no event comes twice: [(indexer, partitions)].

        least: version of the request; one that does not know it is asked only where all others do
        not either, and refuses it.
        """
        by_partition = await self._replicas.by_partition()
        chosen: dict[str, tuple[Member, list[int]]] = {}
        for partition, held in sorted(by_partition.items()):
            if held:
                knowing = (member for member in held if member.understands.plan >= least)
                one = next(knowing, held[0])
                chosen.setdefault(one.url, (one, []))[1].append(partition)
        return [chosen[url] for url in sorted(chosen)]

    async def _until_moved(self, sources: list[_Source], lines: TailLines, least: int) -> None:
        """Return when the partitions are no longer held by these indexers, which ends the tail."""
        followed = [(source.member.url, source.partitions) for source in sources]
        while True:
            chosen = await self._one_replica_each(least)
            if [(member.url, partitions) for member, partitions in chosen] != followed:
                await lines.end()
                return
            await asyncio.sleep(limits.TAIL_LOOK_S)


async def _follow(
    source: _Source, copies: RerouteDeduplicator, lines: TailLines, tells_skipped: bool
) -> None:
    """Forward the lines of one indexer. When it ends, the tail ends."""
    line_filter = LineFilter(copies)
    try:
        async for line in source.answer.content:
            if (skipped := skipped_line(line)) is not None:
                if tells_skipped:
                    await lines.put(skipped)
            elif line_filter.passes(line):
                await lines.put(line)
    except (aiohttp.ClientError, OSError, ValueError) as error:
        why = describe_error(error)
        log_event(_logger, logging.WARNING, "tail ended", indexer=source.member.instance, error=why)
    await lines.end()


def _version_needed(choice: TailFilter) -> int:
    """The oldest version of a program that can follow this."""
    if choice.calculated or any(searched_texts(choice.filters)):
        return PLAN_QUESTIONS
    return 1 if choice.is_everything else PLAN_TYPED_STATES


def _tells_skipped(request: web.Request) -> bool:
    """Whether the caller wants to know of events that were left out. Raises BadRequest."""
    text = request.query.get("skipped", "false")
    if text not in ("true", "false"):
        raise BadRequest("skipped must be true or false")
    return text == "true"


def _named_by(choice: TailFilter, names: Collection[str]) -> str:
    """The member of the request that has some of these names."""
    if not filter_fields(choice.filters).isdisjoint(names):
        return "filters"
    return "fields" if not set(choice.fields or ()).isdisjoint(names) else "calculated_fields"


def _after(request: web.Request) -> int | None:
    """Time after which events are sent, if the caller names one. Raises BadRequest."""
    text = request.query.get("after_ns", "")
    try:
        return int(text) if text else None
    except ValueError as error:
        raise BadRequest("after_ns must be a whole number of nanoseconds since 1970") from error


def read_tail_filter(body: object) -> TailFilter:
    """Read the filters and fields of a body. Raises SpecError."""
    if not isinstance(body, dict):
        raise SpecError("", "incorrect_type", "must be an object: filters, fields")
    for name in body:
        if name not in _MEMBERS:
            raise SpecError(name, "invalid", f"is not known here; known: {', '.join(_MEMBERS)}")
    spec = read_spec({name: value for name, value in body.items() if name in _CONDITIONS})
    fields = read_fields(body.get("fields"))
    return TailFilter(spec.filters, spec.any_filter, fields, spec.calculated)


def _parameters(wanted: TailRequest) -> dict[str, str]:
    """Query parameters of `GET /internal/tail`."""
    after = {} if wanted.after_ns is None else {"after_ns": str(wanted.after_ns)}
    who = {"dataset": wanted.dataset, "env": wanted.env, "key": wanted.key}
    return {**who, **after, "batches": "1"}


def _not_opened(member: Member, status: int, body: bytes) -> BellwetherError:
    error = read_error_body(status, body, f"it answered {status}")
    text = f"the tail cannot be opened: indexer {member.instance}: {error}"
    if isinstance(error, TooManyRequests):
        return TooManyRequests(text, limits.TAIL_RETRY_S)
    return Unavailable(text, limits.TAIL_RETRY_S)
