"""`GET /1/auth`: a key's rights, in the form that every client of the vendor reads."""

from aiohttp import web

from common.metadata import ApiKey, KeyKind
from common.process.auth import KeyCache, is_classic
from shepherd.http.key_header import authenticate, key_text


class AuthRoute:
    """The handler of `/1/auth`."""

    def __init__(self, keys: KeyCache) -> None:
        self._keys = keys

    async def auth(self, request: web.Request) -> web.Response:
        """200 with the key's access. Raises UnknownKey, MetadataUnavailable."""
        key = await authenticate(request.headers, self._keys)
        classic = is_classic(key_text(request.headers))
        return web.json_response(describe_key(key, classic=classic))


def describe_key(key: ApiKey, *, classic: bool = False) -> dict[str, object]:
    """The body of `/1/auth`. The Terraform provider reads `create_datasets`; the vendor's document
    has `createDatasets`. For an ingest key only these rights are shown. For a classic key the
    environment is left empty, as its clients expect.
    """
    access = key.access
    create = {"createDatasets": access.create_datasets, "create_datasets": access.create_datasets}
    if key.kind is not KeyKind.INGEST:
        absent = ("triggers", "boards", "slos", "recipients", "privateBoards")
        create = {
            "events": access.events,
            "queries": access.queries,
            "columns": access.columns,
            "markers": access.markers,
            **dict.fromkeys(absent, False),
            **create,
        }
    return {
        "id": key.id,
        "type": key.kind.value,
        "api_key_access": create,
        "environment": {
            "name": "" if classic else key.environment.name,
            "slug": "" if classic else key.environment.slug,
        },
        "team": {"name": key.team.name, "slug": key.team.slug},
    }
