"""A strict parser of request heads in front of aiohttp, so that all parsers agree on a request.

A request that two programs could read in two ways is refused: a proxy in front of us and we would
otherwise take one request for two, or one dataset for another. What is passed on is rewritten
where it has two forms (absolute targets, `Upgrade`, bytes that are not UTF-8). Refusals never
quote the request: a broken line may hold a key.
"""

import re
from typing import Final

import msgspec

from common import limits
from common.process.http.refusal import Refusal

_TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_LINE = re.compile(rb"(" + _TOKEN + rb") (\S+) (\S+)")
_HEADER = re.compile(rb"(" + _TOKEN + rb"):([\t\x20-\x7e\x80-\xff]*)")
_VERSION = re.compile(rb"HTTP/[0-9]{1,9}(?:\.[0-9]{1,9})?")
_VERSIONS: Final = (b"HTTP/1.1", b"HTTP/1.0")
_METHODS: Final = frozenset((b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"))
_ABSOLUTE = re.compile(rb"(?i:https?)://([^/?#]+)(.*)", re.DOTALL)
_NOT_IN_TARGET = re.compile(rb"[\x00-\x20\x7f-\xff\\#]")
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_DOT_SEGMENT = re.compile(rb"(?i)/(?:\.|%2e){1,2}(?:/|\?|$)")
_HOST = re.compile(rb"[A-Za-z0-9._~:\[\]-]*")
_LENGTH = re.compile(rb"[0-9]{1,15}")
# Parsed here, with one value each: of two values, a proxy might use the other.
_ONCE: Final = frozenset(
    (b"host", b"content-length", b"content-type", b"content-encoding", b"authorization", b"expect")
)
_ONCE_PREFIXES: Final = (b"x-honeycomb-", b"x-hny-", b"x-bellwether-")
_UPGRADING: Final = frozenset((b"upgrade", b"http2-settings"))
_INFLATED: Final = frozenset(
    (b"", b"identity", b"gzip", b"deflate")
)  # by aiohttp, for other routes


class RequestHead(msgspec.Struct, frozen=True, gc=False):
    """A head that may be passed on."""

    path: bytes  # without the query
    text: bytes  # as aiohttp gets it, with the empty line that ends it
    length: int  # of the body in bytes, 0 if it has none or comes in chunks
    chunked: bool

    def __repr__(self) -> str:
        return f"RequestHead(length={self.length}, chunked={self.chunked})"  # paths hold names


def read_request_head(raw: bytes, own_encodings: tuple[bytes, ...] = ()) -> RequestHead:
    """Parse a head without the empty line that ends it. Raises Refusal.

    own_encodings: as in `Paths`.
    """
    first, *lines = raw.removesuffix(b"\r\n").split(b"\r\n")
    method, target, version = _request_line(first)
    headers, values = _headers(lines)
    host = values.get(b"host")
    if host is None and version == b"HTTP/1.1":
        raise Refusal(400, "the request has no Host header")
    if host is not None and _HOST.fullmatch(host) is None:
        raise Refusal(400, "the Host header is not a host and a port")
    authority, target = _target(target)
    if authority:
        headers = [(name, value) for name, value in headers if name.lower() != b"host"]
        headers.append((b"Host", authority))
    chunked, length = _framing(values, version)
    _check_expectation(values)
    path = target.partition(b"?")[0]
    encoding = values.get(b"content-encoding", b"").lower()
    if encoding not in _INFLATED and not path.startswith(own_encodings):
        raise Refusal(415, "unsupported content encoding: use gzip or none")
    kept = [b"%b: %b\r\n" % one for one in headers if one[0].lower() not in _UPGRADING]
    text = b"".join((b"%b %b %b\r\n" % (method, target, version), *kept, b"\r\n"))
    return RequestHead(path, text, length, chunked)


def _request_line(line: bytes) -> tuple[bytes, bytes, bytes]:
    if len(line) > limits.HEADER_LINE_BYTES_MAX:
        raise Refusal(400, "the request line is too long")
    found = _LINE.fullmatch(line)
    if found is None:
        raise Refusal(400, "the request line is not a method, a target and HTTP/1.1")
    method, target, version = found.groups()
    if version not in _VERSIONS:
        if _VERSION.fullmatch(version):
            raise Refusal(505, "HTTP version not supported: use HTTP/1.1")
        raise Refusal(400, "the request line is not a method, a target and HTTP/1.1")
    if method not in _METHODS:
        raise Refusal(501, "method not supported")
    return method, target, version


def _headers(lines: list[bytes]) -> tuple[list[tuple[bytes, bytes]], dict[bytes, bytes]]:
    """All headers as they came, and their values by lower-case name (lists joined)."""
    if len(lines) > limits.HEADERS_MAX:
        raise Refusal(400, f"the request has more than {limits.HEADERS_MAX} headers")
    headers: list[tuple[bytes, bytes]] = []
    values: dict[bytes, bytes] = {}
    for line in lines:
        if len(line) > limits.HEADER_LINE_BYTES_MAX:
            raise Refusal(400, "a header of the request is too long")
        found = _HEADER.fullmatch(line)
        if found is None:
            raise Refusal(400, "a header of the request cannot be read")
        name, value = found[1], _utf8(found[2].strip(b" \t"))
        lower = name.lower()
        if lower in values:
            if lower in _ONCE or lower.startswith(_ONCE_PREFIXES):
                raise Refusal(400, "a header of the request comes twice that may come once")
            values[lower] += b"," + value
        else:
            values[lower] = value
        headers.append((name, value))
    return headers, values


def _utf8(value: bytes) -> bytes:
    """The value in UTF-8: other bytes are taken for Latin-1, as HTTP/1.1 once had it."""
    try:
        value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1").encode()
    return value


def _target(target: bytes) -> tuple[bytes, bytes]:
    """Authority (empty: as the Host header says) and target from its path on."""
    authority = b""
    if absolute := _ABSOLUTE.fullmatch(target):
        authority, target = absolute.groups()
        if _HOST.fullmatch(authority) is None:
            raise Refusal(400, "the request's target has no host and port")
        if not target.startswith(b"/"):
            target = b"/" + target
    if not target.startswith(b"/"):
        raise Refusal(400, "the request's target is not a path")
    if b"#" in target:
        raise Refusal(400, "the request's target has a fragment: write # as %23")
    if _NOT_IN_TARGET.search(target):
        raise Refusal(400, "the request's target has bytes that must be percent-encoded")
    if _BROKEN_ESCAPE.search(target.partition(b"?")[0]):
        raise Refusal(400, "the request's target has a broken percent-encoding")
    if _DOT_SEGMENT.search(target.partition(b"?")[0]):
        raise Refusal(400, "the request's target has a segment . or ..")
    return authority, target


def _framing(values: dict[bytes, bytes], version: bytes) -> tuple[bool, int]:
    """Whether the body comes in chunks, and its length if it does not."""
    length, coding = values.get(b"content-length"), values.get(b"transfer-encoding")
    if coding is not None:
        codings = [one.strip(b" \t").lower() for one in coding.split(b",")]
        if version != b"HTTP/1.1" or length is not None:
            raise Refusal(400, "the request's length is told in two ways")
        if codings.count(b"chunked") > 1 or b"" in codings:
            raise Refusal(400, "Transfer-Encoding cannot be read")
        if codings != [b"chunked"]:
            raise Refusal(501, "transfer coding not supported: use chunked alone")
        return True, 0
    if length is None:
        return False, 0
    if _LENGTH.fullmatch(length) is None:
        raise Refusal(400, "Content-Length cannot be read")
    return False, int(length)


def _check_expectation(values: dict[bytes, bytes]) -> None:
    if values.get(b"expect", b"100-continue").lower() != b"100-continue":
        raise Refusal(417, "expectation not supported: use 100-continue")
