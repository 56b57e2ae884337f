"""Odd requests get one answer on the fast path and through aiohttp, and none quotes them."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shepherd.config import ShepherdConfig
from tests.shepherd.harness import KEY, TOKEN, Shepherd, shepherd
from tests.waiting import PATIENCE_S

BODY = b'[{"data":{"a":1}}]'
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
EVENT = b'{"a":1}'


@pytest.fixture
async def server(tmp_path: Path, config: ShepherdConfig) -> AsyncIterator[Shepherd]:
    async with shepherd(tmp_path, config) as running:
        yield running


def request(
    target: str = "/1/batch/d",
    more: str | bytes = "",
    *,
    method: str = "POST",
    version: str = "HTTP/1.1",
    body: bytes = BODY,
    length: str | None = None,
    host: str = "Host: x\r\n",
    key: str = f"X-Honeycomb-Team: {KEY}\r\n",
) -> bytes:
    size = f"Content-Length: {len(body)}\r\n" if length is None else length
    head = f"{method} {target} {version}\r\n{host}{key}{size}"
    more = more.encode("latin-1") if isinstance(more, str) else more
    return head.encode("latin-1") + more + b"\r\n" + body


def event(more: str) -> bytes:
    return request("/1/events/d", more, body=EVENT)


CHUNKED = "Transfer-Encoding: chunked\r\n"
ODD: list[tuple[str, bytes, int]] = [
    # headers that are read, with values that no client should send
    ("rate not ascii", event("X-Honeycomb-Samplerate: \xb2\r\n"), 200),
    ("rate utf-8", event("X-Honeycomb-Samplerate: \xc2\xb2\r\n"), 200),
    ("rate of another script", event("X-Honeycomb-Samplerate: \xd9\xa3\r\n"), 200),
    ("rate with underscore", event("X-Honeycomb-Samplerate: 1_0\r\n"), 200),
    ("rate nan", event("X-Honeycomb-Samplerate: nan\r\n"), 200),
    ("rate infinite", event("X-Honeycomb-Samplerate: inf\r\n"), 200),
    ("rate twice", event("X-Honeycomb-Samplerate: 2\r\nX-Honeycomb-Samplerate: 3\r\n"), 400),
    ("rate good", event("X-Honeycomb-Samplerate: 10\r\n"), 200),
    ("rate empty", event("X-Honeycomb-Samplerate:\r\n"), 200),
    ("time not ascii", event("X-Honeycomb-Event-Time: \xff\r\n"), 400),
    ("time of another script", event("X-Honeycomb-Event-Time: \xd9\xa1\r\n"), 400),
    ("time twice", event("X-Honeycomb-Event-Time: 1\r\nx-honeycomb-event-time: 2\r\n"), 400),
    ("key not ascii", request(key="X-Honeycomb-Team: \xe9\xff\r\n"), 401),
    ("key utf-8", request(key="X-Honeycomb-Team: \xc3\xa9\r\n"), 401),
    ("key twice", request(more=f"X-Honeycomb-Team: {KEY}\r\n"), 400),
    ("old key not ascii", request(key="X-Hny-Team: \xe9\r\n"), 401),
    ("no key", request(key=""), 401),
    ("batch id not ascii", request(more="X-Bellwether-Batch-Id: \xe9\xff\r\n"), 200),
    ("batch id empty", request(more="X-Bellwether-Batch-Id:\r\n"), 400),
    ("batch id with a tab", request(more="X-Bellwether-Batch-Id: a\tb\r\n"), 400),
    ("type not ascii", request(more="Content-Type: \xe9\r\n"), 415),
    ("type unknown", request(more="Content-Type: image/png\r\n"), 415),
    ("encoding not ascii", request(more="Content-Encoding: \xe9\r\n"), 415),
    ("encodings", request(more="Content-Encoding: gzip, zstd\r\n"), 415),
    ("encoding twice", request(more="Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n"), 400),
    ("encoding unknown", request(more="Content-Encoding: br\r\n"), 415),
    ("authorization not ascii", request(more="Authorization: Bearer \xe9\xff\r\n"), 200),
    ("agent not ascii", request(more="User-Agent: caf\xe9\r\n"), 200),
    # the length of the body
    ("length signed", request(length="Content-Length: +18\r\n"), 400),
    ("length negative", request(length="Content-Length: -1\r\n"), 400),
    ("length hexadecimal", request(length="Content-Length: 0x12\r\n"), 400),
    ("length not ascii", request(length="Content-Length: 1\xb2\r\n"), 400),
    ("length with a list", request(length="Content-Length: 18, 18\r\n"), 400),
    ("length twice", request(more="Content-Length: 18\r\n"), 400),
    ("length of 30 digits", request(length=f"Content-Length: {'9' * 30}\r\n"), 400),
    ("length empty", request(length="Content-Length:\r\n"), 400),
    ("length and chunks", request(more=CHUNKED), 400),
    ("chunks", request(more=CHUNKED, length="", body=CHUNKS), 200),
    ("chunks in capitals", request(more=CHUNKED.upper(), length="", body=CHUNKS), 200),
    ("chunk extension", request(more=CHUNKED, length="", body=b"12;a=b" + CHUNKS[2:]), 200),
    ("chunk size broken", request(more=CHUNKED, length="", body=b"+12" + CHUNKS[2:]), 400),
    ("chunk too short", request(more=CHUNKED, length="", body=b"10" + CHUNKS[2:]), 400),
    ("gzip, chunked", request(more="Transfer-Encoding: gzip, chunked\r\n", length=""), 501),
    ("gzip alone", request(more="Transfer-Encoding: gzip\r\n", length=""), 501),
    ("identity", request(more="Transfer-Encoding: identity\r\n", length=""), 501),
    ("codings apart", request(more="Transfer-Encoding: gzip\r\n" + CHUNKED, length=""), 501),
    ("chunked twice", request(more=CHUNKED + CHUNKED, length=""), 400),
    ("coding empty", request(more="Transfer-Encoding:\r\n", length=""), 400),
    ("coding not ascii", request(more="Transfer-Encoding: chunk\xe9d\r\n", length=""), 501),
    ("chunks in 1.0", request(version="HTTP/1.0", more=CHUNKED, length="", body=CHUNKS), 400),
    # versions
    ("HTTP/2.0", request(version="HTTP/2.0"), 505),
    ("HTTP/2", request(version="HTTP/2"), 505),
    ("HTTP/3", request(version="HTTP/3"), 505),
    ("HTTP/1.2", request(version="HTTP/1.2"), 505),
    ("HTTP/0.9", request(version="HTTP/0.9"), 505),
    ("HTTP/11.1", request(version="HTTP/11.1"), 505),
    ("HTTP/1.1.1", request(version="HTTP/1.1.1"), 400),
    ("http/1.1", request(version="http/1.1"), 400),
    ("no version", b"POST /1/batch/d\r\nHost: x\r\n\r\n", 400),
    ("HTTP/1.0", request(version="HTTP/1.0"), 200),
    ("preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    # targets
    ("fragment", request("/1/batch/d#x"), 400),
    ("fragment in the query", request("/1/batch/d?a=1#x"), 400),
    ("backslash", request("/1/batch\\d"), 400),
    ("control character", request("/1/batch/d\x01"), 400),
    ("delete character", request("/1/batch/d\x7f"), 400),
    ("tab", request("/1/batch/d\te"), 400),
    ("space", request("/1/batch/d e"), 400),
    ("not ascii", request("/1/batch/\xfc"), 400),
    ("escaped slash", request("/1/batch/a%2Fb"), 200),
    ("escaped nothing", request("/1/batch/a%00b"), 400),
    ("escaped line break", request("/1/batch/a%0d%0ab"), 400),
    ("broken escape", request("/1/batch/a%zz"), 400),
    ("cut escape", request("/1/batch/a%2"), 400),
    ("dots", request("/1/batch/.."), 400),
    ("escaped dots", request("/1/batch/%2E%2e"), 400),
    ("dots between", request("/x/../1/batch/d"), 400),
    ("absolute", request("http://x/1/batch/d"), 200),
    ("absolute of another host", request("http://y:1/1/batch/d"), 200),
    ("absolute of another scheme", request("ftp://x/1/batch/d"), 400),
    ("absolute with a user", request("http://u@x/1/batch/d"), 400),
    ("authority", request("x:443"), 400),
    ("asterisk", request("*"), 400),
    ("query", request("/1/batch/d?x=1"), 200),
    # methods
    ("CONNECT", request("x:443", method="CONNECT", body=b""), 501),
    ("TRACE", request(method="TRACE", body=b""), 501),
    ("method in small letters", request(method="post"), 501),
    ("method unknown", request(method="BREW"), 501),
    ("method broken", request(method="PO(ST"), 400),
    ("method wrong", request(method="PUT"), 405),
    # heads
    ("bare LF", request().replace(b"\r\n", b"\n"), 400),
    ("one bare LF", request(more="X-A: 1\n"), 400),
    ("bare CR", request(more="X-A: 1\rX-B: 2\r\n"), 400),
    ("folded", request(more="X-A: 1\r\n 2\r\n"), 400),
    ("space before the colon", request(more="X-A : 1\r\n"), 400),
    ("no colon", request(more="X-A\r\n"), 400),
    ("no name", request(more=": 1\r\n"), 400),
    ("name not ascii", request(more="X-\xe9: 1\r\n"), 400),
    ("control character in a value", request(more="X-A: \x01\r\n"), 400),
    ("zero in a value", request(more="X-A: \x00\r\n"), 400),
    ("long header", request(more=f"X-A: {'a' * 20_000}\r\n"), 400),
    ("many headers", request(more="".join(f"X-{n}: 1\r\n" for n in range(200))), 400),
    ("no host", request(host=""), 400),
    ("two hosts", request(host="Host: x\r\nHost: y\r\n"), 400),
    ("host not ascii", request(host="Host: \xe9\r\n"), 400),
    ("host with a path", request(host="Host: x/y\r\n"), 400),
    ("host with a user", request(host="Host: a@b\r\n"), 400),
    ("line breaks first", b"\r\n\r\n" + request(), 200),
    ("hello of TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    # what a request asks for besides
    ("expect", request(more="Expect: 200-ok\r\n"), 417),
    ("expect not ascii", request(more="Expect: \xe9\r\n"), 417),
    ("upgrade to h2c", request(more="Connection: Upgrade\r\nUpgrade: h2c\r\n"), 200),
    ("upgrade alone", request(more="Upgrade: websocket\r\n"), 200),
    ("te", request(more="TE: trailers\r\n"), 200),
    # what is not for events
    ("auth", request("/1/auth", method="GET", body=b"", length=""), 200),
    ("auth, key not ascii",
     request("/1/auth", method="GET", body=b"", length="", key="X-Honeycomb-Team: \xff\r\n"), 401),
    ("zstd elsewhere", request("/1/queries/d", more="Content-Encoding: zstd\r\n"), 415),
    ("br elsewhere", request("/1/queries/d", more="Content-Encoding: br\r\n"), 415),
]  # fmt: skip


async def answers(url: str, first: bytes, sent: bytes) -> tuple[int, bytes]:
    """Status and body of the answer to `sent`, after `first` on one connection."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        async with asyncio.timeout(PATIENCE_S):
            if first:
                writer.write(first)
                assert (await answer(reader))[0] == 200
            writer.write(sent)
            return await answer(reader)
    finally:
        writer.close()


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The next answer that is not a 100."""
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        (length,) = [int(x[15:]) for x in lines if x.startswith(b"content-length:")] or [0]
        status = int(head.split()[1])
        if status != 100:
            return status, await reader.readexactly(length)


ALIVE = b"GET /x/alive HTTP/1.1\r\nHost: x\r\n\r\n"
THROUGH_AIOHTTP = b"X-Neutral: 1\r\nX-Neutral: 2\r\n"  # a header twice: not for the fast path


async def test_odd_requests_get_the_same_answer_on_both_ways(server: Shepherd) -> None:
    wrong = []
    for name, sent, status in ODD:
        line, _, rest = sent.partition(b"\r\n")
        again = line + b"\r\n" + THROUGH_AIOHTTP + rest if rest.startswith(b"Host") else sent
        found = [
            await answers(server.url, b"", sent),
            await answers(server.url, b"", again),
            await answers(server.url, ALIVE, sent),
            await answers(server.url, request(), sent),
        ]
        alike = found == [found[0]] * 4
        is_json_error = status < 400 or set(json.loads(found[0][1])) == {"error"}
        if not alike or not is_json_error or found[0][0] != status:
            wrong.append((name, status, found))
    assert wrong == []


EVENTS: list[bytes] = [
    request(),
    request(body=b"[]"),
    request(body=b'[{"data":{}}, 1, {"data":{"a":1},"samplerate":-1}]'),
    request(body=b"["),
    request(body=b""),
    event(""),
    request("/1/events/d", body=b""),
    request("/1/events/d", body=b"[]"),
    request(more="Content-Type: application/msgpack\r\n", body=b"\x91\x81\xa4data\x81\xa1a\x01"),
    request(more="Content-Type: image/png\r\n"),
    request(more="Content-Encoding: br\r\n"),
    request(more="Content-Encoding: gzip\r\n"),
    request(more="X-Bellwether-Batch-Id: one\r\n"),
    request(more="X-Bellwether-Batch-Id:\r\n"),
    request(key=""),
    request(key="X-Honeycomb-Team: unknown\r\n"),
    request("/1/batch/a%00b"),
    request("/1/batch/d", length="Content-Length: 5000001\r\n", body=b"["),
]


async def test_answers_are_the_same_bytes_with_the_fast_path_and_without(tmp_path: Path) -> None:
    found: list[list[bytes]] = []
    for fast_path in (True, False):
        folder = tmp_path / str(fast_path)
        folder.mkdir()
        async with shepherd(folder, ShepherdConfig(port=0, fast_path=fast_path)) as server:
            found.append([await answer_bytes(server.url, sent) for sent in EVENTS])
    assert found[0] == found[1]
    assert {answer[9:12] for answer in found[0]} == {b"200", b"400", b"401", b"415"}


async def answer_bytes(url: str, sent: bytes) -> bytes:
    """The whole answer, but for its date and the positions in its receipt."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(sent)
    async with asyncio.timeout(PATIENCE_S):
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        (length,) = [int(x[15:]) for x in lines if x.startswith(b"content-length:")]
        body = await reader.readexactly(length)
    writer.close()
    return re.sub(rb"(Date|X-Bellwether-Receipt|X-Trace-Id): [^\r]+", rb"\1", head) + body


async def test_no_answer_quotes_a_broken_line_that_holds_the_key(
    server: Shepherd, caplog: pytest.LogCaptureFixture
) -> None:
    hidden = KEY.encode()
    broken = [
        b"GET /1/auth?key=" + hidden + b" HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET /1/" + hidden + b"#x HTTP/1.1\r\nHost: x\r\n\r\n",
        hidden + b" /1/auth HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /1/auth HTTP/1.1 " + hidden + b"\r\nHost: x\r\n\r\n",
        b"GET /1/auth HTTP/1.1\r\nHost: " + hidden + b"@\r\n\r\n",
        b"GET /1/auth HTTP/1.1\r\nHost: x\r\nX-Honeycomb-Team " + hidden + b"\r\n\r\n",
        b"GET /1/auth HTTP/1.1\r\nHost: x\r\nX-Honeycomb-Team: " + hidden + b"\x00\r\n\r\n",
        b"GET /1/auth HTTP/1.1\r\nHost: x\r\n " + hidden + b"\r\n\r\n",
        b"GET /1/auth HTTP/1.1\r\nHost: x\r\nContent-Length: " + hidden + b"\r\n\r\n",
        b"GET /1/auth HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: " + hidden + b"\r\n\r\n",
        b"GET /1/auth HTTP/1.1\r\nHost: x\r\nExpect: " + hidden + b"\r\n\r\n",
        b"POST /1/batch/d HTTP/1.1\r\nHost: x\r\nX-Honeycomb-Team: " + hidden + b"\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n" + hidden + b"\r\n",
        request(more=b"Content-Type: " + hidden + b"\r\n"),
        request(more=b"Content-Encoding: " + hidden + b"\r\n"),
        request("/1/auth", method="PUT", more=b"X-A: " + hidden + b"\r\n"),
    ]
    for url in (server.url, server.internal):
        for sent in broken:
            status, body = await answers(url, b"", sent)
            assert status >= 400
            assert hidden not in body
    assert KEY not in caplog.text


@pytest.mark.parametrize("token", [b"\xff\xfe", b"\xc3\xa9", b"wrong", b""])
async def test_internal_token_that_is_no_token_is_401(server: Shepherd, token: bytes) -> None:
    path = b"GET /internal/placement HTTP/1.1\r\nHost: x\r\nX-Bellwether-Internal-Token: "
    status, body = await answers(server.internal, b"", path + token + b"\r\n\r\n")
    assert (status, json.loads(body)) == (401, {"error": "internal token required"})
    good = path + TOKEN.encode() + b"\r\n\r\n"
    assert (await answers(server.internal, b"", good))[0] == 200


@pytest.mark.parametrize("asked", ["h2c", "websocket"])
async def test_requests_behind_an_upgrade_in_one_piece_are_answered(
    server: Shepherd, asked: str
) -> None:
    upgrade = request(more=f"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: {asked}\r\n")
    behind = [request(), upgrade, request(more=CHUNKED, length="", body=CHUNKS), ALIVE, request()]
    host, port = server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(upgrade + b"".join(behind))
    async with asyncio.timeout(PATIENCE_S):
        assert [(await answer(reader))[0] for _ in range(6)] == [200] * 6
    writer.close()
    assert len(await server.events("d")) == 5


async def test_bare_line_feeds_are_refused_before_the_head_ends(server: Shepherd) -> None:
    for first in (b"", ALIVE):
        assert (await answers(server.url, first, b"POST /1/batch/d HTTP/1.1\nHost:"))[0] == 400


@pytest.mark.parametrize("pieces", [1, 3])
@pytest.mark.parametrize(
    "one", [request(), request(more=CHUNKED, length="", body=CHUNKS)], ids=["length", "chunks"]
)
async def test_half_closed_client_gets_every_answer_it_asked_for(
    server: Shepherd, one: bytes, pieces: int
) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    sent = one * 3 + one[:-3]
    for at in range(pieces):
        writer.write(sent[at::1] if pieces == 1 else sent[at * 200 : (at + 1) * 200])
        await asyncio.sleep(0)
    if pieces > 1:
        writer.write(sent[pieces * 200 :])
    writer.write_eof()
    async with asyncio.timeout(PATIENCE_S):
        got = await reader.read()
    assert (got.count(b"HTTP/1.1 200"), got.count(b"HTTP/1.1")) == (3, 3)
    writer.close()
    assert len(await server.events("d")) == 3
