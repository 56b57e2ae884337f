"""Stored specifications: put into metadata under an id that follows from what they are."""

import hashlib
from typing import Any

import msgspec

from common import limits
from common.clock import Clock
from common.errors import NotFound
from common.metadata import ApiKey, Metadata, StoredQuery
from query.http.dataset_names import DatasetNames


class StoredQueries:
    """The specifications of an environment's datasets.

    most: that an environment keeps; the oldest ones leave, unless they are annotated.
    """

    def __init__(
        self, names: DatasetNames, clock: Clock, most: int = limits.STORED_QUERIES_MAX
    ) -> None:
        self._names = names
        self._most = most
        self._clock = clock

    async def store(self, key: ApiKey, dataset: str, spec: dict[str, Any]) -> StoredQuery:
        """Store a specification; one that is stored already keeps its id.

        Raises TooManyRequests, MetadataUnavailable.
        """
        encoded = msgspec.json.encode(as_stored(spec))
        seed = f"{key.environment.id}/{dataset}/".encode() + encoded
        stored = StoredQuery(
            id=hashlib.sha256(seed).hexdigest()[:11],
            env_id=key.environment.id,
            dataset_id=dataset,
            spec_json=encoded,
            created_ns=self._clock.now_ns(),
        )

        def put(metadata: Metadata) -> None:
            metadata.put_query(stored)
            metadata.trim_queries(stored.env_id, self._most)

        await self._names.ask(key, put)
        return stored

    async def find(self, key: ApiKey, dataset: str, query_id: str) -> StoredQuery:
        """The query of this id in the dataset. Raises NotFound, and as `store` does."""
        stored = await self._names.ask(key, lambda metadata: metadata.get_query(query_id))
        if stored is None or stored.env_id != key.environment.id or stored.dataset_id != dataset:
            raise NotFound("Query not found")
        return stored


def as_stored(spec: dict[str, Any]) -> dict[str, Any]:
    """The specification as posted; like the vendor, without the combination AND and the id."""
    kept = {name: value for name, value in spec.items() if name != "id"}
    if kept.get("filter_combination") == "AND":
        del kept["filter_combination"]
    return kept
