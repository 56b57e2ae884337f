"""Authentication and permissions of the query API. A key can access only its own environment."""

from collections.abc import Sequence

from aiohttp import web

from common.errors import NotAllowed
from common.metadata import ApiKey, KeyKind
from common.model.names import ALL_DATASETS
from common.process.auth import KEY_HEADER, KeyCache
from common.process.fair.requester import Requester
from common.process.sessions import Sessions
from query.asking.question import present_question
from query.faults import SpecError

SESSIONS = web.AppKey("sessions", Sessions)
_RIGHTS = {
    "queries": "run queries",
    "columns": "manage columns",
    "markers": "manage markers",
    "create_datasets": "manage datasets",
    "admin": "manage the environment's keys",
    "operate": "operate the installation (an operator can give that right: "
    "bellwether keys set-rights ID --operate)",
}


async def authorize(keys: KeyCache, request: web.Request, right: str | None) -> ApiKey:
    """The key of the request. right: the right that it must have; None: any key will do.

    Raises UnknownKey, NotAllowed, MetadataUnavailable; TooManyRequests for what asks about events.
    """
    key = await key_of(keys, request)
    if key.kind is KeyKind.INGEST:
        raise NotAllowed("an ingest key can only send events")
    if right is not None and not getattr(key.access, right):
        raise NotAllowed(f"this key may not {_RIGHTS[right]}")
    present_question().is_asked_by(key)
    return key


async def authorize_any(keys: KeyCache, request: web.Request, rights: Sequence[str]) -> ApiKey:
    """The key of the request, which must have one of these rights. Raises as `authorize` does."""
    key = await authorize(keys, request, None)
    if not any(getattr(key.access, right) for right in rights):
        raise NotAllowed(f"this key may not {_RIGHTS[rights[-1]]}")
    return key


async def key_of(keys: KeyCache, request: web.Request) -> ApiKey:
    """The key that a request carries or, of the page, whose session it belongs to.

    Raises UnknownKey, MetadataUnavailable.
    """
    text = request.headers.get(KEY_HEADER) or request.headers.get("X-Hny-Team") or ""
    sessions = request.app.get(SESSIONS)
    if text or sessions is None:
        return await keys.authenticate(text)
    return await keys.authenticate_hash(await sessions.key_hash(request.headers))


def requester_of(key: ApiKey) -> Requester:
    """Whose fair share of turns a request with this key takes."""
    return Requester(key.environment.id, key.id)


def name_or_all(request: web.Request) -> str:
    """The dataset's name in the path of the request, or ALL_DATASETS."""
    return request.match_info["dataset"]  # aiohttp has decoded it once: `pct%2541` is `pct%41`


def name_of(request: web.Request) -> str:
    """The dataset's name in the path of the request. Raises SpecError."""
    name = name_or_all(request)
    if name == ALL_DATASETS:
        raise SpecError("dataset", "invalid", f"{ALL_DATASETS} cannot be asked here: name one")
    return name
