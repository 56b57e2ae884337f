"""Stores the telemetry of all roles in the `bellwether` dataset, without an ingest request.

What was asked goes to the dataset `bellwether` of the environment that asked.
"""

import asyncio

from aiohttp import web

from common import limits, metrics
from common.clock import Clock
from common.errors import BadRequest, BellwetherError, TooLarge
from common.metadata import Access, ApiKey, Environment, KeyKind, Metadata, Team
from common.model.names import OWN_DATASET, dataset_slug
from common.process.telemetry import Owner
from common.scan import fast_json
from shepherd.config import ShepherdConfig
from shepherd.datasets.cache import DatasetCache
from shepherd.delivery.batcher import Batcher
from shepherd.ingest.decoded_events import decoded, stored_events


class OwnEvents:
    """Stores telemetry in the `bellwether` dataset, and counts events that it cannot store."""

    def __init__(
        self,
        config: ShepherdConfig,
        metadata: Metadata,
        datasets: DatasetCache,
        batcher: Batcher,
        clock: Clock,
    ) -> None:
        self._config = config
        self._metadata = metadata
        self._datasets = datasets
        self._batcher = batcher
        self._clock = clock
        self._key: ApiKey | None = None

    async def receive(self, request: web.Request) -> web.Response:
        """`POST /internal/telemetry`: a batch body from another role."""
        return web.json_response({"stored": await self.store(await _body(request))})

    async def receive_owned(self, request: web.Request) -> web.Response:
        """`POST /internal/telemetry/owned`: of an owner that the query string names."""
        try:
            owner = Owner.read(request.query)
        except KeyError as error:
            raise BadRequest("an owner is named in part") from error
        return web.json_response({"stored": await self.store(await _body(request), owner)})

    async def store(self, body: bytes, owner: Owner | None = None) -> int:
        """Store a batch body; returns the number of its events that are stored.

        owner: whose they are; None: of the environment that the settings name.
        """
        events = taken = 0
        try:
            found = decoded(fast_json.split_batch(body, 0, self._clock.now_ns()))
            events = found.lines.events
            key = await self._own_key() if owner is None else _key_of(owner)
            resolved = await self._datasets.resolve(key, OWN_DATASET)
            taken = stored_events(await self._batcher.put(resolved.target, found.lines))
            if taken and resolved.is_new:  # even beyond the environment's limit of datasets
                await self._datasets.created(resolved)
            elif taken:
                self._datasets.used(resolved)
        except BellwetherError:
            metrics.telemetry_dropped_total.inc(max(1, events))
            return 0
        metrics.telemetry_dropped_total.inc(found.events - taken)
        return taken

    async def _own_key(self) -> ApiKey:
        """An internal key of the environment that holds the `bellwether` dataset. Made once."""
        if self._key is None:
            self._key = await asyncio.to_thread(self._make_key)
        return self._key

    def _make_key(self) -> ApiKey:
        team_name, environment_name = self._config.own_team, self._config.own_environment
        team = self._metadata.ensure_team(team_name, dataset_slug(team_name))
        environment = self._metadata.ensure_environment(
            team.id, environment_name, dataset_slug(environment_name)
        )
        return _internal_key(team, environment)


async def _body(request: web.Request) -> bytes:
    """The whole body. Raises TooLarge."""
    parts, size = list[bytes](), request.content_length or 0
    if size <= limits.TELEMETRY_BODY_BYTES_MAX:
        size = 0
        async for part in request.content.iter_any():
            size += len(part)
            if size > limits.TELEMETRY_BODY_BYTES_MAX:
                break
            parts.append(part)
    if size > limits.TELEMETRY_BODY_BYTES_MAX:
        raise TooLarge("telemetry body is too large")
    return b"".join(parts)


def _key_of(owner: Owner) -> ApiKey:
    team = Team(owner.team, owner.team_name, owner.team_slug)
    place = Environment(
        owner.environment, owner.team, owner.environment_name, owner.environment_slug
    )
    return _internal_key(team, place)


def _internal_key(team: Team, environment: Environment) -> ApiKey:
    return ApiKey(
        id="bellwether",
        hash="",
        kind=KeyKind.INGEST,
        name="own telemetry",
        team=team,
        environment=environment,
        access=Access(),
    )
