"""`GET /1/auth`: what a key is and may do, in the shape that every client of the vendor reads."""

from aiohttp import web

from common.auth import KeyCache
from common.metadata import ApiKey, KeyKind
from shepherd.ingest import authenticate


class AuthRoute:
    """The handler of `/1/auth`."""

    def __init__(self, keys: KeyCache) -> None:
        self._keys = keys

    async def auth(self, request: web.Request) -> web.Response:
        """200 with the key's access. Raises UnknownKey, MetadataUnavailable."""
        return web.json_response(describe_key(await authenticate(request.headers, self._keys)))


def describe_key(key: ApiKey) -> dict[str, object]:
    """The body of `/1/auth`. `create_datasets` is what the Terraform provider reads,
    `createDatasets` what the vendor's document says. An ingest key tells only that.
    """
    access = key.access
    create = {"createDatasets": access.create_datasets, "create_datasets": access.create_datasets}
    if key.kind is not KeyKind.INGEST:
        absent = ("markers", "triggers", "boards", "slos", "recipients", "privateBoards")
        create = {
            "events": access.events,
            "queries": access.queries,
            "columns": access.columns,
            **dict.fromkeys(absent, False),
            **create,
        }
    return {
        "id": key.id,
        "type": key.kind.value,
        "api_key_access": create,
        "environment": {"name": key.environment.name, "slug": key.environment.slug},
        "team": {"name": key.team.name, "slug": key.team.slug},
    }
