"""How an OTLP message is written: as protobuf, or as the JSON that stands for it."""

from enum import StrEnum

from common.errors import UnsupportedMedia


class Media(StrEnum):
    """The media types of requests; a response has its request's."""

    X_PROTOBUF = "application/x-protobuf"
    PROTOBUF = "application/protobuf"
    JSON = "application/json"


class UnsupportedContentType(UnsupportedMedia):
    """The request is of another type, and so is the response: a text."""

    def __init__(self) -> None:
        kinds = ", ".join(sorted(Media))
        super().__init__(f"unsupported content-type, valid types are: {kinds}")


def media_of(content_type: str) -> Media | None:
    """The media type of a Content-Type header's value; None if it is none of these."""
    try:
        return Media(content_type.split(";", 1)[0].strip().lower())
    except ValueError:
        return None
