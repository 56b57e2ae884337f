"""The API key of a request: every public route checks it before anything else."""

from collections.abc import Mapping

from common.errors import UnknownKey
from common.metadata import ApiKey
from common.process.auth import KeyCache
from shepherd.http.request import KEY, OLD_KEY


async def authenticate(headers: Mapping[str, str], keys: KeyCache) -> ApiKey:
    """The key that a request's headers carry. Raises UnknownKey, MetadataUnavailable."""
    text = key_text(headers)
    if not text:
        raise UnknownKey
    return await keys.authenticate(text)


def key_text(headers: Mapping[str, str]) -> str:
    """The text of the key, empty if the request has none."""
    return headers.get(KEY) or headers.get(OLD_KEY) or ""
