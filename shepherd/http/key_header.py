"""The API key of a request: every public route checks it before anything else."""

from collections.abc import Mapping
from typing import Final

from common.errors import UnknownKey
from common.metadata import ApiKey
from common.process.auth import KEY_HEADER, KeyCache

# In lower case: the fast path's headers are a plain dict of lower-case names.
_KEY: Final = KEY_HEADER.lower()
_OLD_KEY: Final = "x-hny-team"  # old libhoney for JavaScript


async def authenticate(headers: Mapping[str, str], keys: KeyCache) -> ApiKey:
    """The key that a request's headers carry. Raises UnknownKey, MetadataUnavailable."""
    text = key_text(headers)
    if not text:
        raise UnknownKey
    return await keys.authenticate(text)


def key_text(headers: Mapping[str, str]) -> str:
    """The text of the key, empty if the request has none."""
    return headers.get(_KEY) or headers.get(_OLD_KEY) or ""
