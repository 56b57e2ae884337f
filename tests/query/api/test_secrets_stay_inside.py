"""Calls between roles that fail in every way tell nobody the token or a key (answers, logs,
telemetry): real members that answer badly, and a real query role that asks them.
"""

import asyncio
import io
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from yarl import URL

from common.locks.files import FileLocks
from common.logs import JsonFormatter
from common.metadata import Access, ApiKey, KeyKind
from common.process.auth import hash_key
from common.process.members import Member, claim_name, encode_member
from common.process.telemetry import Owner
from ops.admin import ensure_scope
from tests.query.harness import BASE_S, PARTITIONS, QueryHarness, query_harness

TOKEN = "planted-token-between-roles-5a1f"
KEY = "planted-api-key-77e0c3"
ANSWERS = {
    "refused_400": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}",
    "refused_401": b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
    "missing_404": b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope",
    "broken_500": b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 3\r\n\r\n[1]",
    "busy_429": b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n",
    "no_json": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "wrong_json": b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"no"',
    "cut_off": b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",
    "bad_chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "no_http": b"SSH-2.0-something\r\n",
    "long_line": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 10_000 + b"\r\n\r\n",
    "odd_type": b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
    "closed": b"",
}
ODD_TIMES = ("%C2%B2", "1.5", "-", "9" * 400, "%0d%0a")  # as they stand in a URL


class Recorded:
    """Telemetry that is kept."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def emit(self, name: str, **fields: str | int | float | bool | None) -> None:
        self.events.append(repr((name, fields)))

    def emit_for(self, owner: Owner, name: str, **fields: str | int | float | bool | None) -> None:
        self.events.append(repr((owner, name, fields)))


@asynccontextmanager
async def bad_member() -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that answers every request with some bytes and hangs up; yields its URL, and the
    list whose last entry those bytes are.
    """
    answers = [b""]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answers[-1])
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", answers


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that this process logs, as a role writes it, without masking."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter("query", "q1"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def announce(locks: FileLocks, url: str) -> None:
    """A twin of the good indexer, a shepherd, and another query role at the bad address."""
    for partition in range(PARTITIONS):
        twin = encode_member(Member("indexer", "ix-bad", url, "b", 1, 1, "1"))
        assert locks.acquire(claim_name("b", partition), twin)
    for role in ("shepherd", "query"):
        member = encode_member(Member(role, f"{role}-bad", url, "b", 1, 1, "1"))
        assert locks.acquire(f"roles/{role}/{role}-bad", member)


async def call_everything(running: QueryHarness, tail_times: tuple[str, ...]) -> list[str]:
    """Each way by which a caller can have the role ask others; the answers as they came."""
    query = b'{"query":{"start_time":%d,"end_time":%d},"wait_s":2}' % (BASE_S, BASE_S + 100)
    calls = [
        ("GET", "/bw/1/status", None),
        ("POST", "/bw/1/cut", None),
        ("GET", "/1/columns/shop", None),
        ("POST", "/1/query_results/shop", query),
        ("GET", "/1/query_results/shop/elsewhere", None),
        ("GET", "/1/datasets", None),
        *(("GET", f"/bw/1/tail/shop?after_ns={after}", None) for after in tail_times),
    ]
    answers = []
    for method, path, body in calls:
        headers = {"X-Honeycomb-Team": KEY}
        url = URL(running.url + path, encoded=True)
        asked = running.http.request(method, url, data=body, headers=headers)
        with suppress(TimeoutError):  # a tail goes on
            async with asyncio.timeout(0.3 if "/tail/" in path else 30), asked as answer:
                text = (await answer.content.read(100_000)).decode("utf-8", "replace")
                answers.append(f"{answer.status} {answer.headers} {text}")
    return answers


async def test_no_call_that_fails_tells_the_token_or_a_key(
    tmp_path: Path, logged: io.StringIO
) -> None:
    telemetry = Recorded()
    answers: list[str] = []
    async with query_harness(tmp_path, token=TOKEN, telemetry=telemetry) as running:
        place = ensure_scope(running.metadata, "T", "e")
        running.metadata.create_key(
            ApiKey(
                id="planted",
                hash=hash_key(KEY),
                kind=KeyKind.CONFIGURATION,
                name="planted",
                team=place.team,
                environment=place.environment,
                access=Access(queries=True, columns=True, operate=True),
            )
        )
        locks = FileLocks(tmp_path / "locks")
        async with bad_member() as (url, to_answer):
            await asyncio.to_thread(announce, locks, url)
            await asyncio.sleep(1.1)  # the role's picture of the members is a second old at most
            for way, answer in ANSWERS.items():
                to_answer.append(answer)
                times = ODD_TIMES if way == "refused_400" else ("1",)
                found = await call_everything(running, times)
                assert any("-bad" in text for text in found), way  # they were asked, and named
                answers += found
        locks.close()
    for told in (*answers, *telemetry.events, logged.getvalue()):
        assert TOKEN not in told
        assert KEY not in told
    assert "silent" in logged.getvalue()
    assert telemetry.events
