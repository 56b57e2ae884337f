"""How a call ends: gRPC's status code, its text, and how long to wait before another try.

The codes follow from what exporters do with them: UNAVAILABLE is repeated by all of them, after the
time that RetryInfo names. RESOURCE_EXHAUSTED is none of ours: exporters differ in whether they
repeat it, and OpenTelemetry's Collector drops the data for good.
"""

from enum import IntEnum
from typing import Final, NamedTuple

from common.errors import BellwetherError
from shepherd.http.request import INTERNAL_ERROR

_LENGTH_DELIMITED: Final = 2  # protobuf's wire types
_VARINT: Final = 0
_RETRY_INFO: Final = "type.googleapis.com/google.rpc.RetryInfo"


class Code(IntEnum):
    """gRPC's status codes, as far as they are used here."""

    INVALID_ARGUMENT = 3
    NOT_FOUND = 5
    PERMISSION_DENIED = 7
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    UNAUTHENTICATED = 16


class Status(NamedTuple):
    """The end of a call. details: a `google.rpc.Status` for `grpc-status-details-bin`, or empty."""

    code: Code
    text: str
    details: bytes


# By the HTTP status of the error. What is not here and below 500 is the client's fault for good.
_CODES: Final = {
    401: Code.UNAUTHENTICATED,
    403: Code.PERMISSION_DENIED,
    404: Code.NOT_FOUND,
    415: Code.UNIMPLEMENTED,
    429: Code.UNAVAILABLE,
    503: Code.UNAVAILABLE,
}


def status_of(error: BellwetherError) -> Status:
    """The status of a call that ends with this error."""
    default = Code.INVALID_ARGUMENT if error.status < 500 else Code.INTERNAL
    code = _CODES.get(error.status, default)
    text = INTERNAL_ERROR if code is Code.INTERNAL else str(error)
    if code is not Code.UNAVAILABLE:
        return Status(code, text, b"")
    return Status(code, text, retry_details(code, text, error.retry_after_s or 1))


def retry_details(code: Code, text: str, retry_after_s: int) -> bytes:
    """A `google.rpc.Status` with this code and text, and one detail: a `google.rpc.RetryInfo`."""
    delay = _number(1, retry_after_s)  # google.protobuf.Duration
    info = _bytes(1, delay)
    detail = _bytes(1, _RETRY_INFO.encode()) + _bytes(2, info)  # google.protobuf.Any
    return _number(1, code) + _bytes(2, text.encode()) + _bytes(3, detail)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3 | _VARINT) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | _LENGTH_DELIMITED) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
