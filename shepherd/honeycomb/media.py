"""The two media types in which the vendor's clients write events."""

from enum import StrEnum

from common.errors import UnsupportedMedia

_JSON_TYPES = frozenset(
    {
        "",
        "application/json",
        "text/json",
        "text/plain",
        "application/octet-stream",
        "application/x-www-form-urlencoded",  # the default of `curl -d`
        "application/x-ndjson",
    }
)
_MSGPACK_TYPES = frozenset({"application/msgpack", "application/x-msgpack"})


class Media(StrEnum):
    """How a body's events are written."""

    JSON = "json"
    MSGPACK = "msgpack"


def media_of(content_type: str) -> Media:
    """The media type of a Content-Type header's value. Raises UnsupportedMedia."""
    if content_type in _JSON_TYPES:  # the usual case
        return Media.JSON
    kind = content_type.split(";", 1)[0].strip().lower()
    if kind in _JSON_TYPES:
        return Media.JSON
    if kind in _MSGPACK_TYPES:
        return Media.MSGPACK
    raise UnsupportedMedia("unsupported content type: use application/json or application/msgpack")
