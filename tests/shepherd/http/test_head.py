"""Heads that are read without aiohttp: only what every reader reads in one way."""

import asyncio

import pytest
from aiohttp.http import HttpRequestParser
from hypothesis import given
from hypothesis import strategies as st

from shepherd.http.request import IngestRequest, IngestResponse, IngestRoute, ProtocolLimits
from shepherd.http.request_head import HeadReader

HOST = b"Host: x\r\n"
LENGTH = b"Content-Length: 5\r\n"


async def take(request: IngestRequest) -> IngestResponse:
    raise AssertionError(f"{request}: these tests only read heads")


LIMITS = ProtocolLimits(1, 1, 1, 1)
EVENT = IngestRoute("/1/events", LIMITS, take)
BATCH = IngestRoute("/1/batch", LIMITS, take)
PLAIN = IngestRoute("/2/plain", LIMITS, take, has_name=False)
read_head = HeadReader((EVENT, BATCH, PLAIN)).read


def head(line: bytes = b"POST /1/batch/web HTTP/1.1\r\n", headers: bytes = HOST + LENGTH) -> bytes:
    return line + headers


def test_head_of_a_client_is_read() -> None:
    raw = head(
        b"POST /1/events/my%20data.set HTTP/1.1\r\n",
        b"Host: a:1\r\nUser-Agent: libhoney-go/1.2 (x; y)\r\nContent-Length: 17\r\n"
        b"X-Honeycomb-Team:key \r\nContent-Type: \tapplication/json\r\nConnection: Keep-Alive\r\n",
    )
    found = read_head(raw)
    assert found is not None
    assert (found.route, found.segment, found.length) == (EVENT, "my%20data.set", 17)
    assert found.headers["x-honeycomb-team"] == "key"
    assert found.headers["content-type"] == "application/json"
    assert "key" not in repr(found)


def test_head_for_a_route_without_a_name_is_read() -> None:
    found = read_head(head(b"POST /2/plain HTTP/1.1\r\n"))
    assert found is not None
    assert (found.route, found.segment, found.length) == (PLAIN, "", 5)


@pytest.mark.parametrize("routes", [(), (EVENT,), (PLAIN,)])
def test_paths_of_no_route_are_left_to_aiohttp(routes: tuple[IngestRoute, ...]) -> None:
    read = HeadReader(routes).read
    for path in ("/1/batch/web", "/2/plain/", "/2/plain/web", "/1/events", ""):
        assert read(head(f"POST {path} HTTP/1.1\r\n".encode())) is None


@pytest.mark.parametrize(
    "line",
    [
        b"GET /1/batch/web HTTP/1.1\r\n",
        b"POST /1/batch/web HTTP/1.0\r\n",
        b"POST  /1/batch/web HTTP/1.1\r\n",
        b"POST /1/batch/web?a=1 HTTP/1.1\r\n",
        b"POST /1/batch/a/b HTTP/1.1\r\n",
        b"POST /1/batch/a%2fb HTTP/1.1\r\n",
        b"POST /1/batch/.. HTTP/1.1\r\n",
        b"POST /1/batch/%zz HTTP/1.1\r\n",
        b"POST /1/batch/ HTTP/1.1\r\n",
        b"POST /1/auth HTTP/1.1\r\n",
        b"POST /1/batch/\xc3\xa9 HTTP/1.1\r\n",
        b"POST /1/batch/web HTTP/1.1\n",
    ],
)
def test_other_request_lines_are_left_to_aiohttp(line: bytes) -> None:
    assert read_head(head(line)) is None


@pytest.mark.parametrize(
    "headers",
    [
        LENGTH + LENGTH,
        LENGTH + b"".join(b"X-%d: a\r\n" % n for n in range(100)),
        LENGTH + b"content-length: 5\r\n",
        LENGTH + b"Transfer-Encoding: chunked\r\n",
        LENGTH + b"Expect: 100-continue\r\n",
        LENGTH + b"Connection: close\r\n",
        LENGTH + b"Connection: keep-alive, Upgrade\r\n",
        LENGTH + b"Upgrade: h2c\r\n",
        LENGTH + b"X-Honeycomb-Team: a\r\nX-Honeycomb-Team: b\r\n",
        LENGTH + b" folded: yes\r\n",
        LENGTH + b"a : b\r\n",
        LENGTH + b"a: \x00\r\n",
        LENGTH + b"a: \x7f\r\n",
        LENGTH + b"a: \xff\r\n",
        LENGTH + b"a: b\nc: d\r\n",
        LENGTH + b"a: b\rc: d\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 5, 5\r\n",
        b"Content-Length: 0x5\r\n",
        b"Content-Length:\r\n",
        b"Content-Length: 9999999999999999\r\n",
    ],
)
def test_other_headers_are_left_to_aiohttp(headers: bytes) -> None:
    assert read_head(head(headers=HOST + headers)) is None


@pytest.mark.parametrize("headers", [b"", HOST, LENGTH])
def test_head_without_host_or_length_is_left_to_aiohttp(headers: bytes) -> None:
    assert read_head(head(headers=headers)) is None


_PIECES = st.sampled_from(
    [
        HOST,
        LENGTH,
        b"Content-Length:0\r\n",
        b"A:b\r\n",
        b"x-y:\t1 2\t\r\n",
        b"Te: x\r\n",
        b"q: \xe9\r\n",
    ]
)
_NOISE = st.binary(min_size=1, max_size=2)


@given(st.lists(_PIECES, max_size=5), st.data())
def test_what_is_read_aiohttp_reads_alike(pieces: list[bytes], data: st.DataObject) -> None:
    raw = head(b"POST /1/batch/web HTTP/1.1\r\n", b"".join(pieces))
    if data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(raw)))
        raw = raw[:at] + data.draw(_NOISE) + raw[at + data.draw(st.integers(0, 2)) :]
    found = read_head(raw)
    if found is None:
        return
    loop = asyncio.new_event_loop()
    try:
        protocol = asyncio.StreamReaderProtocol(asyncio.StreamReader(loop=loop), loop=loop)
        parser = HttpRequestParser(protocol, loop, 2**16)
        ((message, _),), _, rest = parser.feed_data(raw + b"\r\n")
    finally:
        loop.close()
    assert rest == b""
    assert (message.method, message.path) == ("POST", f"{found.route.path}/{found.segment}")
    assert {name.lower(): value for name, value in message.headers.items()} == found.headers
    assert (message.should_close, message.chunked, message.upgrade) == (False, False, False)
