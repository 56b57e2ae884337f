"""The forms in which Zipkin's clients write spans, by route and content type."""

from collections.abc import Callable
from enum import StrEnum
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
_PROTOBUF: Final = frozenset({"application/x-protobuf", "application/protobuf"})


class Form(StrEnum):
    """How a body writes its spans."""

    JSON_V1 = "JSON, version 1"
    JSON_V2 = "JSON, version 2"
    PROTOBUF = "protobuf, version 2"


FormOf = Callable[[str], Form]  # of a Content-Type header's value; raises UnsupportedMedia


def form_of_v1(content_type: str) -> Form:
    """The form of a body of `/api/v1/spans`. Raises UnsupportedMedia."""
    if _kind(content_type) in _JSON:
        return Form.JSON_V1
    raise UnsupportedMedia("unsupported content type: use application/json")


def form_of_v2(content_type: str) -> Form:
    """The form of a body of `/api/v2/spans`. Raises UnsupportedMedia."""
    kind = _kind(content_type)
    if kind in _JSON:
        return Form.JSON_V2
    if kind in _PROTOBUF:
        return Form.PROTOBUF
    raise UnsupportedMedia(
        "unsupported content type: use application/json or application/x-protobuf"
    )


def _kind(content_type: str) -> str:
    return content_type.split(";", 1)[0].strip().lower()
