"""Odd requests at a query role: the API's own JSON error, no traceback, nothing quoted."""

import gzip
import json
from pathlib import Path

import pytest

from tests.query.harness import query_harness
from tests.shepherd.http.test_odd_requests import answers

QUERY = b'{"calculations":[{"op":"COUNT"}]}'


def post(more: bytes = b"", body: bytes = QUERY, length: bytes | None = None) -> bytes:
    size = b"Content-Length: %d\r\n" % len(body) if length is None else length
    head = b"POST /1/queries/d HTTP/1.1\r\nHost: x\r\nX-Honeycomb-Team: K\r\n"
    return head + size + more + b"\r\n" + body


CHUNKED = b"Transfer-Encoding: chunked\r\n"
ODD = [
    ("good", post(), 200),
    ("gzip", post(b"Content-Encoding: gzip\r\n", gzip.compress(QUERY)), 200),
    ("chunks", post(CHUNKED, b"%x\r\n%b\r\n0\r\n\r\n" % (len(QUERY), QUERY), b""), 200),
    ("zstd", post(b"Content-Encoding: zstd\r\n", b"\x28\xb5\x2f\xfd\x00\x00\x00"), 415),
    ("br", post(b"Content-Encoding: br\r\n"), 415),
    ("encodings", post(b"Content-Encoding: gzip, gzip\r\n"), 415),
    ("gzip that is none", post(b"Content-Encoding: gzip\r\n"), 400),
    ("deflate that is none", post(b"Content-Encoding: deflate\r\n", b"\xff" * 30), 400),
    ("chunks that are none", post(CHUNKED, b"SECRET\r\n", b""), 400),
    ("not JSON", post(body=b"SECRET"), 400),
    ("too large", post(body=b" " * 200_000), 413),
    ("key not ascii", post().replace(b": K", b": \xff\xfe"), 401),
    ("version", post().replace(b"HTTP/1.1", b"HTTP/2.0"), 505),
    ("fragment", post().replace(b"/d ", b"/d#SECRET "), 400),
    ("coding", post(b"Transfer-Encoding: gzip, chunked\r\n", length=b""), 501),
    ("after not ascii", post(b"X-Bellwether-After: \xff\r\n"), 200),
]  # fmt: skip


async def test_odd_requests_get_the_apis_error_and_leave_no_traceback(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = []
    async with query_harness(tmp_path, datasets=("d",)) as query:
        for name, sent, status in ODD:
            found, body = await answers(query.url, b"", sent)
            told = status < 400 or "error" in json.loads(body)
            if found != status or not told or b"SECRET" in body:
                wrong.append((name, status, found, body))
    assert wrong == []
    assert "Traceback" not in caplog.text
    assert "SECRET" not in caplog.text
