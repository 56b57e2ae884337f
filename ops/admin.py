"""Manages keys and datasets of a data folder on its own machine, also while `up` runs.

Calls block. Nothing here is needed to accept data. Running roles see changes within a minute.
"""

import asyncio
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace

from common import limits
from common.clock import Clock
from common.errors import BadRequest, Conflict, NotFound
from common.log import Log
from common.metadata import (
    Access,
    ApiKey,
    Dataset,
    Environment,
    KeyKind,
    Metadata,
    Team,
    lookup,
)
from common.metadata.deletion import mark_deleted
from common.model.names import dataset_id, dataset_slug
from common.model.record import gone_record
from common.process.auth import make_key

_SHOWN_MAX = 20  # environments named in an error


@dataclass(frozen=True, slots=True)
class Scope:
    """The team and environment that a command works on."""

    team: Team
    environment: Environment


def find_scope(metadata: Metadata, team: str, environment: str) -> Scope:
    """The team and environment of these names.

    Raises NotFound, so that a mistyped name creates nothing.
    """
    wanted = dataset_slug(team), dataset_slug(environment)
    known = metadata.list_environments()
    for found in known:
        if (found[0].slug, found[1].slug) == wanted:
            return Scope(*found)
    there = ", ".join(f"{e.name} (team {t.name})" for t, e in known[:_SHOWN_MAX]) or "none yet"
    raise NotFound(
        f"there is no environment {environment!r} of team {team!r}; there are: {there}. "
        "Create it with `bellwether environments create NAME`, or name another one with "
        "--set up.environment=NAME"
    )


def ensure_scope(metadata: Metadata, team: str, environment: str) -> Scope:
    """The team and environment of these names, created if they are new."""
    found = metadata.ensure_team(team, dataset_slug(team))
    return Scope(
        found, metadata.ensure_environment(found.id, environment, dataset_slug(environment))
    )


def create_key(
    metadata: Metadata,
    scope: Scope,
    name: str,
    rights: tuple[KeyKind, Access],
    clock: Clock,
    random_bytes: Callable[[int], bytes],
    *,
    events_per_s: int = 0,
    events_per_day: int = 0,
    classic: bool = False,
    text: str | None = None,
) -> tuple[str, ApiKey]:
    """Create a key; returns its text, which is not stored anywhere, and the key.

    rights: see `common.process.auth.rights_of`.
    classic, text: see `common.process.auth.make_key`.
    Raises Conflict if the key exists, BadRequest.
    """
    key_text, key = make_key(
        (scope.team, scope.environment),
        name,
        *rights,
        clock.now_ns(),
        random_bytes,
        events_per_s=events_per_s,
        events_per_day=events_per_day,
        classic=classic,
        text=text,
    )
    metadata.create_key(key)
    return key_text, key


def set_rights(
    metadata: Metadata, scope: Scope, key_id: str, *, admin: bool | None, operate: bool | None
) -> ApiKey:
    """Grant or revoke these rights of a key of the environment; None leaves a right as it is.

    Raises NotFound, BadRequest.
    """
    found = next((k for k in metadata.list_keys(scope.environment.id) if k.id == key_id), None)
    if found is None:
        raise NotFound(f"there is no key {key_id} in {scope.environment.name}")
    if found.kind is KeyKind.INGEST and (admin or operate):
        raise BadRequest("an ingest key can only send events: make another key")
    access = replace(
        found.access,
        admin=found.access.admin if admin is None else admin,
        operate=found.access.operate if operate is None else operate,
    )
    metadata.set_access(key_id, access)
    return replace(found, access=access)


def create_dataset(
    metadata: Metadata, scope: Scope, name: str, depth: int, description: str, clock: Clock
) -> Dataset:
    """The dataset of this name or second name, created if there is none.

    Raises BadDatasetName, AmbiguousDataset.
    """
    found = lookup.find_dataset(metadata, scope.team, scope.environment, name)
    if found is not None:
        return found
    slug = dataset_slug(name)
    return metadata.ensure_dataset(
        Dataset(
            id=dataset_id(scope.team.id, scope.environment.id, slug),
            env_id=scope.environment.id,
            slug=slug,
            name=name.strip(),
            description=description,
            expand_json_depth=_depth(depth),
            created_ns=clock.now_ns(),
            delete_protected=True,
        )
    )


def find_dataset(metadata: Metadata, scope: Scope, name: str) -> Dataset:
    """The dataset of this name or second name.

    Raises NotFound, BadDatasetName, AmbiguousDataset.
    """
    found = lookup.find_dataset(metadata, scope.team, scope.environment, name)
    if found is None:
        raise NotFound(f"there is no dataset {name!r} in {scope.environment.name}")
    return found


def set_protection(metadata: Metadata, scope: Scope, name: str, *, protected: bool) -> Dataset:
    """Set whether the dataset is protected from deletion. Raises NotFound."""
    changed = replace(find_dataset(metadata, scope, name), delete_protected=protected)
    metadata.update_dataset(changed)
    return changed


def set_depth(metadata: Metadata, scope: Scope, name: str, depth: int) -> Dataset:
    """Set how deep nested JSON of future events is expanded. Raises NotFound, ValueError."""
    changed = replace(find_dataset(metadata, scope, name), expand_json_depth=_depth(depth))
    metadata.update_dataset(changed)
    return changed


def set_retention(metadata: Metadata, scope: Scope, name: str, days: int) -> Dataset:
    """Set the number of days that events are retained (0: the indexers' setting).

    Raises NotFound, ValueError.
    """
    if not 0 <= days <= limits.RETENTION_DAYS_MAX:
        raise ValueError(f"the retention must be between 0 and {limits.RETENTION_DAYS_MAX} days")
    changed = replace(find_dataset(metadata, scope, name), retention_days=days)
    metadata.update_dataset(changed)
    return changed


async def delete_dataset(
    metadata: Metadata, log: Log, scope: Scope, name: str, clock: Clock
) -> Dataset:
    """Stop serving every row that the dataset has now.

    The tombstones are appended to the log first, so a deletion that was interrupted can be
    repeated. Raises NotFound, Conflict while the dataset is protected, LogUnavailable.
    """
    dataset = await asyncio.to_thread(find_dataset, metadata, scope, name)
    check_deletable(dataset)
    identity = await log.open()
    gone = gone_record(scope.team.id, scope.environment.id, dataset.id)
    for partition in range(identity.partitions):
        await log.append(partition, gone)
    return await asyncio.to_thread(mark_deleted, metadata, dataset, clock.now_ns())


def check_deletable(dataset: Dataset) -> None:
    """Raises Conflict while the dataset is protected."""
    if dataset.delete_protected:
        raise Conflict(
            f"{dataset.name} is protected from deletion; if it is to go: "
            f"bellwether datasets unprotect {shlex.quote(dataset.slug)}"
        )


def _depth(depth: int) -> int:
    if not 0 <= depth <= limits.EXPAND_DEPTH_MAX:
        raise ValueError(f"the depth must be between 0 and {limits.EXPAND_DEPTH_MAX}")
    return depth
