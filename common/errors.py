"""Errors that cross a package's boundary, named for the caller's situation.

Each has its HTTP status, and a text with the remedy. Errors that never leave a package are declared
in that package.
"""

from typing import TypeVar

_Error = TypeVar("_Error", bound=BaseException)


def without_frames(error: _Error) -> _Error:
    """The error without the frames that it came through, whose variables live as long as it does:
    in a query role, the states of the question. What caused it is forgotten, too.
    """
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


class BellwetherError(Exception):
    """Base of every error that a caller may see. `status` is its HTTP status."""

    status = 500
    retry_after_s: int | None = None


class BadRequest(BellwetherError):
    """The request cannot be read or asks for something that is not allowed."""

    status = 400


class UnknownKey(BellwetherError):
    """The API key is not known."""

    status = 401

    def __init__(self) -> None:
        super().__init__("unknown API key - check your credentials")


class NotAllowed(BellwetherError):
    """The key is known but lacks the permission that the message names."""

    status = 403


class TooManyDatasets(NotAllowed):
    """The environment has as many datasets as it may have."""

    def __init__(self, datasets_max: int) -> None:
        super().__init__(
            f"this environment has {datasets_max} datasets, as many as it may have (setting "
            "node.datasets_max): use one of them, or delete one"
        )


class NotFound(BellwetherError):
    """What the request names does not exist."""

    status = 404


class Conflict(BellwetherError):
    """The request contradicts what is there."""

    status = 409


class TooLarge(BellwetherError):
    """The body is larger than its limit."""

    status = 413


class UnsupportedMedia(BellwetherError):
    """Content type or content encoding is not one that is read here."""

    status = 415


class Unprocessable(BellwetherError):
    """Well-formed, but its values are not valid."""

    status = 422


class TooManyRequests(BellwetherError):
    """A rate limit or quota of the key is used up."""

    status = 429

    def __init__(self, message: str, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unavailable(BellwetherError):
    """Cannot be done now and nothing was acknowledged; try again after `retry_after_s`."""

    status = 503

    def __init__(self, message: str, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class LogUnavailable(Unavailable):
    """The log cannot append or read now. From `append`: the record's outcome is unknown."""


class LogLost(LogUnavailable):
    """A file of the log is missing or cannot be read at all: offsets from `first` up to `end`.

    They may come back when the file is restored; until then nothing can be read of them.
    """

    def __init__(self, message: str, first: int, end: int) -> None:
        super().__init__(message, retry_after_s=5)
        self.first = first
        self.end = end


class LogRefused(LogUnavailable):
    """The record is not in the log and never will be: it may go to another partition."""


class LogFull(LogRefused):
    """The log's disk is full; space has to be freed."""


class LogOverloaded(LogRefused):
    """More is waiting for the log than its buffer may hold."""


class OffsetGone(BellwetherError):
    """The log no longer holds the requested offset (I5). `start` is its first offset."""

    def __init__(self, partition: int, offset: int, start: int) -> None:
        super().__init__(
            f"partition {partition}: offset {offset} is gone, the log starts at {start}"
        )
        self.start = start


class ObjectMissing(BellwetherError):
    """The object store has no object of that key."""

    status = 404


class ObjectsUnavailable(Unavailable):
    """The object store cannot be reached or is full."""


class MetadataUnavailable(Unavailable):
    """The metadata store cannot be reached; never to be confused with 'no such key' (I8)."""


class DamagedObject(BellwetherError):
    """Bytes whose checksum does not match: never served, always reported."""
