"""The interface of the metadata store. Calls block: on an event loop run them in a thread.

Nothing here is needed to accept data (I8). Every method raises MetadataUnavailable if the store
cannot be used now, which is never the same as "not found".
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from common.metadata.resources import Resource, ResourceStore


class KeyKind(StrEnum):
    """The kind of a key: `configuration` may do what its access allows, `ingest` only sends."""

    CONFIGURATION = "configuration"
    INGEST = "ingest"


@dataclass(frozen=True, slots=True)
class Access:
    """The vendor's `api_key_access` under our names, and two rights of our own.

    admin: manage the environment's keys.
    operate: see and cut the whole installation, including events of other teams.
    Neither of these two includes the other.
    """

    events: bool = True
    queries: bool = False
    columns: bool = False
    create_datasets: bool = True
    admin: bool = False
    operate: bool = False

    @property
    def markers(self) -> bool:
        """Whether it may set markers. Not stored: earlier programs could not read such a key. Keys
        that may only read do not mark either.
        """
        return self.columns


@dataclass(frozen=True, slots=True)
class Team:
    """A tenant.

    id: opaque.
    slug: unique.
    """

    id: str
    name: str
    slug: str


@dataclass(frozen=True, slots=True)
class Environment:
    """A part of a team; keys and datasets belong to it."""

    id: str
    team_id: str
    name: str
    slug: str


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret.

    hash: SHA-256 of the whole key text, hex.
    events_per_s: rate limit (0: none).
    events_per_day: quota (0: none).
    created_ns, revoked_ns: unix ns; 0: not revoked.
    """

    id: str
    hash: str = field(repr=False)
    kind: KeyKind
    name: str
    team: Team
    environment: Environment
    access: Access
    events_per_s: int = 0
    events_per_day: int = 0
    created_ns: int = 0
    revoked_ns: int = 0


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset as it is shown.

    id: derived (common.model.names).
    name: in the case of its first use.
    created_ns, deleted_ns: unix ns; 0: not deleted.
    retention_days: how long its events are retained by append time (0: the indexers' setting).
    delete_protected: deleting it is refused; false for datasets from before this field existed.
    """

    id: str
    env_id: str
    slug: str
    name: str
    description: str = ""
    expand_json_depth: int = 0
    created_ns: int = 0
    deleted_ns: int = 0
    retention_days: int = 0
    delete_protected: bool = False


@dataclass(frozen=True, slots=True)
class StoredQuery:
    """A query specification.

    spec_json: as it was posted, to be returned unchanged.
    """

    id: str
    env_id: str
    dataset_id: str
    spec_json: bytes
    created_ns: int


@dataclass(frozen=True, slots=True)
class Column:
    """What a user has set for a field of a dataset.

    id: derived (common.model.names).
    type: one of the vendor's names; "": as the events have it.
    deleted_ns: since then (unix ns) the field is not shown until an event has it again.
    """

    id: str
    dataset_id: str
    name: str
    type: str = ""
    description: str = ""
    hidden: bool = False
    created_ns: int = 0
    updated_ns: int = 0
    deleted_ns: int = 0


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What the sender of a metric says of a field, beside what a user has set for it.

    id: derived (common.model.names), as a column's.
    kind: gauge, sum, histogram, exponential_histogram or summary.
    unit: as sent, "": none.
    temporality: delta or cumulative; "": the kind has none, or it is not known.
    monotonic: the value of a sum never falls, apart from starting again.
    description: the sender's, which is never the user's.
    updated_ns: unix ns of the last time that a shepherd stored it.
    """

    id: str
    dataset_id: str
    name: str
    kind: str
    unit: str = ""
    temporality: str = ""
    monotonic: bool = False
    description: str = ""
    updated_ns: int = 0


MetadataRow = Team | Environment | ApiKey | Dataset | StoredQuery | Column | ColumnFacts | Resource


class Metadata(ResourceStore, Protocol):
    """Lists are read-your-writes; writes are durable when the call returns."""

    def open(self) -> None:
        """Connect; create or migrate the schema."""

    def close(self) -> None:
        """Close all connections."""

    def ensure_team(self, name: str, slug: str) -> Team:
        """The team of that slug, created if there is none."""

    def ensure_environment(self, team_id: str, name: str, slug: str) -> Environment:
        """The environment of that slug in the team, created if there is none."""

    def list_environments(self) -> list[tuple[Team, Environment]]:
        """Every environment with its team, by the slugs of both."""

    def create_key(self, key: ApiKey) -> None:
        """Store a key. Raises Conflict if its hash or id exists."""

    def find_key(self, key_hash: str) -> ApiKey | None:
        """The key of that hash, even if it is revoked; None if there is none."""

    def list_keys(self, env_id: str) -> list[ApiKey]:
        """The environment's keys, oldest first."""

    def revoke_key(self, key_id: str, now_ns: int) -> bool:
        """Revoke; False if there is no such key."""

    def set_access(self, key_id: str, access: Access) -> bool:
        """Replace a key's rights; False if there is no such key."""

    def ensure_dataset(self, dataset: Dataset) -> Dataset:
        """Store a dataset unless its id exists; returns what is stored.

        A dataset that was deleted is created again with the values given, unless it was deleted
        after their `created_ns`: a late registration does not undo a deletion.
        """

    def get_dataset(self, dataset_id: str) -> Dataset | None:
        """The dataset, None if there is none or it was deleted."""

    def list_datasets(
        self, env_id: str, after: str | None = None, limit: int | None = None
    ) -> list[Dataset]:
        """The environment's datasets that are not deleted, by slug (as UTF-8 bytes).

        after: only slugs after this one.
        limit: only the first ones.
        """

    def find_by_url_slug(self, env_id: str, wanted: str) -> list[Dataset]:
        """The environment's datasets, not deleted, that have this second name, by slug.

        See common.model.names. The dataset whose slug is `wanted` is among them.
        """

    def count_datasets(self, env_id: str) -> int:
        """The number of the environment's datasets that are not deleted."""

    def update_dataset(self, dataset: Dataset) -> bool:
        """Update description, depth, retention, protection and deletion time.

        False if there is no such dataset.
        """

    def list_retentions(self) -> dict[str, int]:
        """Retention in days by dataset id, of every dataset that has one, in all environments."""

    def put_column(self, column: Column) -> None:
        """Insert or replace a column."""

    def list_columns(self, dataset_id: str) -> list[Column]:
        """The dataset's columns, including deleted ones, by id."""

    def put_column_facts(self, facts: Sequence[ColumnFacts]) -> None:
        """Insert or replace what is known of some columns, all or nothing."""

    def list_column_facts(self, dataset_id: str) -> list[ColumnFacts]:
        """What is known of the dataset's columns from their senders, by id."""

    def put_query(self, query: StoredQuery) -> None:
        """Store a query. One that is stored already stays as it is; if that was more than a day
        ago, its `created_ns` becomes the new one, so that what is in use is not the oldest.
        """

    def get_query(self, query_id: str) -> StoredQuery | None:
        """The stored query, or None."""

    def trim_queries(self, env_id: str, most: int) -> int:
        """Delete the environment's oldest stored queries beyond the newest `most`; returns how
        many. Those that have an annotation stay.
        """

    def ensure_secret(self, name: str, value: bytes) -> bytes:
        """The secret of that name; `value` if there was none. No part of a dump."""

    def put_secret(self, name: str, value: bytes, now_ns: int, expires_ns: int) -> None:
        """Store a secret under a new name until then (unix ns)."""

    def take_secret(self, name: str, now_ns: int) -> bytes | None:
        """The secret that has not expired, which is deleted: only one caller ever gets it."""

    def dump(self) -> Iterator[MetadataRow]:
        """A consistent snapshot of all rows, including deleted and revoked ones.

        Parents come before children, and rows of a kind are ordered by id (as bytes). Consume it in
        one thread.
        """

    def load(self, rows: Iterable[MetadataRow], *, overwrite: bool = False) -> int:
        """Store the rows of a `dump`, all or nothing; returns their number.

        overwrite: delete existing rows first. Otherwise raises Conflict if there are any.
        """
