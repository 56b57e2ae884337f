"""Where a resource belongs: to a dataset, or with `__all__` to the environment of the key."""

from dataclasses import dataclass

from aiohttp import web

from common.metadata import ApiKey
from common.model.names import ALL_DATASETS
from query.http.dataset_names import DatasetNames


@dataclass(frozen=True, slots=True)
class Scope:
    """dataset_id: "": the environment itself."""

    env_id: str
    dataset_id: str


async def scope_of(names: DatasetNames, key: ApiKey, request: web.Request) -> Scope:
    """The scope that the path names. Raises as `DatasetNames.find` does."""
    if request.match_info["dataset"] == ALL_DATASETS:
        return Scope(key.environment.id, "")
    return Scope(key.environment.id, (await names.find(key, request)).id)
