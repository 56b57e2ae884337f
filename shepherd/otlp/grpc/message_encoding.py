"""Which compression a message has, as far as its first bytes tell.

The library hands over messages as they were sent, and does not tell their `grpc-encoding`; calls
with another than identity, gzip and deflate it refuses itself. An uncompressed export request
begins with its field 1, the byte 0x0A, and never with one of the marks below.
"""

from typing import Final

_GZIP: Final = b"\x1f\x8b"
_ZLIB_METHOD: Final = 0x78  # deflate with a window of 32 KiB, as every encoder of gRPC writes it
_ZLIB_CHECK: Final = 31  # the first two bytes are a multiple of it: RFC 1950


def content_encoding(message: bytes) -> str:
    """The name of the message's compression as HTTP has it; empty for none."""
    if message.startswith(_GZIP):
        return "gzip"
    if len(message) > 1 and message[0] == _ZLIB_METHOD:
        return "deflate" if int.from_bytes(message[:2]) % _ZLIB_CHECK == 0 else ""
    return ""
