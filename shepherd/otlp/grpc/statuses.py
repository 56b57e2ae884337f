"""How a call ends: gRPC's status code, its text, and how long to wait before another try.

The codes follow from what exporters do with them: UNAVAILABLE is repeated by all of them, after the
time that RetryInfo names. RESOURCE_EXHAUSTED is none of ours: exporters differ in whether they
repeat it, and OpenTelemetry's Collector drops the data for good.
"""

from enum import IntEnum
from typing import Final, NamedTuple

from common.errors import BellwetherError
from shepherd.http.request import INTERNAL_ERROR
from shepherd.otlp.message_writer import bytes_field, number_field, rpc_status, text_field

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
    text = text.encode(errors="replace").decode()  # the library refuses half surrogate pairs
    if code is not Code.UNAVAILABLE:
        return Status(code, text, b"")
    return Status(code, text, retry_details(code, text, error.retry_after_s or 1))


def retry_details(code: Code, text: str, retry_after_s: int) -> bytes:
    """A `google.rpc.Status` with this code and text, and one detail: a `google.rpc.RetryInfo`."""
    delay = number_field(1, retry_after_s)  # google.protobuf.Duration
    detail = text_field(1, _RETRY_INFO) + bytes_field(2, bytes_field(1, delay))  # Any
    return rpc_status(code, text) + bytes_field(3, detail)
