"""The dataset of a service's spans, for protocols that name no dataset."""

from functools import lru_cache
from typing import Final

from common.model.names import BadDatasetName, dataset_slug

UNKNOWN_SERVICE: Final = "unknown_service"  # of services without a name; SDKs add `:python` to it
_KNOWN_MAX: Final = 1_024


@lru_cache(_KNOWN_MAX)
def dataset_of_service(service: str) -> str | None:
    """The service's name without blanks around it; None if it names no service, or could not be a
    dataset's name.
    """
    name = service.strip()
    if name.startswith(UNKNOWN_SERVICE):
        return None
    try:
        dataset_slug(name)
    except BadDatasetName:
        return None
    return name
