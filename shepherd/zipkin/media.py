"""The content types of Zipkin's bodies."""

from typing import Final

from common.errors import UnsupportedMedia

_JSON: Final = frozenset(
    {
        "",
        "application/json",
        "text/json",
        "text/plain",
        "application/x-www-form-urlencoded",  # the default of `curl -d`
    }
)


def check_json(content_type: str) -> None:
    """Raises UnsupportedMedia for what is not JSON."""
    if content_type.split(";", 1)[0].strip().lower() not in _JSON:
        raise UnsupportedMedia("unsupported content type: use application/json")
