"""The requests that are sent to a running build: good, bad and odd ones."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import msgpack
import zstandard

from benchmarks.same_bytes.exchange import Sent

_BODY = b'[{"data":{"a":1}}]'
_CHUNKED = "Transfer-Encoding: chunked\r\n"
# A header that comes twice: the fast path leaves such a request to aiohttp.
_FOR_AIOHTTP = b"X-Neutral: 1\r\nX-Neutral: 2\r\n"
_JSON = "Content-Type: application/json\r\n"
_PACKED = "Content-Type: application/msgpack\r\n"


def chunks(body: bytes) -> bytes:
    """The body in one chunk."""
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


class Requests:
    """Makes requests with one key, whose events happen at one moment (unix s)."""

    def __init__(self, key: str, moment_s: int) -> None:
        self._key = f"X-Honeycomb-Team: {key}\r\n"
        self._moment_s = moment_s

    def make(
        self,
        target: str = "/1/batch/d",
        more: str | bytes = "",
        *,
        method: str = "POST",
        version: str = "HTTP/1.1",
        body: bytes = _BODY,
        length: str | None = None,
        host: str = "Host: x\r\n",
        key: str | None = None,
    ) -> bytes:
        """A request's bytes."""
        size = f"Content-Length: {len(body)}\r\n" if length is None else length
        key = self._key if key is None else key
        more = more.encode("latin-1") if isinstance(more, str) else more
        head = f"{method} {target} {version}\r\n{host}{key}{size}".encode("latin-1")
        return head + more + b"\r\n" + body

    def get(self, target: str, *, key: str | None = None, more: str = "") -> bytes:
        """A request without a body."""
        return self.make(target, more, method="GET", body=b"", length="", key=key)

    def json(self, target: str, value: object, *, method: str = "POST", more: str = "") -> bytes:
        """A request with a JSON body."""
        return self.make(target, _JSON + more, method=method, body=json.dumps(value).encode())

    def all(self) -> Iterator[Sent]:
        """Every request; those for events through both readers of heads, and behind another."""
        good = self.make("/1/batch/before", body=b'[{"data":{"before":1}}]')
        for name, data in (*self._ingest(), *self._odd()):
            yield Sent(name, data)
            line, _, rest = data.partition(b"\r\n")
            if rest.startswith(b"Host") and b" HTTP/1.1" in line:
                yield Sent(f"{name}, aiohttp", line + b"\r\n" + _FOR_AIOHTTP + rest)
            yield Sent(f"{name}, second", data, good)
        for name, data in self._elsewhere():
            yield Sent(name, data)

    def _ingest(self) -> Iterator[tuple[str, bytes]]:
        at = self._moment_s
        event, batch = "/1/events/web", "/1/batch/web"
        time_header = f"X-Honeycomb-Event-Time: {at}\r\n"
        mixed = [
            {"time": at, "samplerate": 2, "data": {"a": 1, "b": "x"}},
            {"time": f"{at}.25", "data": {}},
            {"data": {"a": None}, "time": "yesterday"},
            {"time": at, "data": [1]},
            {"time": at, "samplerate": -1, "data": {"a": 1}},
            {"time": at, "samplerate": "x", "data": {"a": {"b": {"c": [1, {"d": 2}]}}}},
            7,
            {"time": at, "data": {"n": 2**70, "s": "x" * 70_000, "u": "\u00e9\U0001f600"}},
            {"time": at, "data": {f"f{n}": n for n in range(2_100)}},
        ]
        yield "event", self.make(event, time_header, body=b'{"a":1,"b":"two"}')
        yield "event with rate", self.make(event, "X-Honeycomb-Samplerate: 10\r\n", body=b'{"a":2}')
        yield "event, rate of 0", self.make(event, "X-Honeycomb-Samplerate: 0\r\n", body=b'{"a":2}')
        yield "event, bad time", self.make(event, "X-Honeycomb-Event-Time: x\r\n", body=b'{"a":3}')
        for name, body in (
            ("empty", b""), ("blank", b" \n"), ("null", b"null"), ("no fields", b"{}"),
            ("list", b"[1]"), ("number", b"1"), ("cut", b'{"a":'), ("NaN", b'{"a":NaN}'),
            ("not UTF-8", b'{"a":"\xff"}'), ("deep", b'{"a":' + b"[" * 600 + b"]" * 600 + b"}"),
            ("twice", b'{"a":1,"a":2}'), ("huge number", b'{"a":1e999}'),
            ("too large", b'{"a":"' + b"x" * 1_100_000 + b'"}'),
        ):  # fmt: skip
            yield f"event {name}", self.make(event, body=body)
            yield f"batch {name}", self.make(batch, body=body)
        yield "batch of nothing", self.make(batch, body=b"[]")
        yield "batch mixed", self.json(batch, mixed)
        yield "batch too large", self.make(batch, body=b"[" + b" " * 5_300_000 + b"]")
        yield "batch of too many", self.make(batch, body=b"[" + b"7," * 100_100 + b"7]")
        yield "lines", self.make(batch, body=b'{"data":{"a":1}}\n{"data":{"a":2}}\n')
        packed = [one for one in mixed if one is not mixed[7]]
        yield "msgpack", self.make(batch, _PACKED, body=msgpack.packb(packed))
        yield "msgpack cut", self.make(batch, _PACKED, body=msgpack.packb(packed)[:-3])
        yield (
            "msgpack event",
            self.make(event, _PACKED, body=msgpack.packb({"a": b"raw", "b": 1.5})),
        )
        yield "msgpack nil", self.make(event, _PACKED, body=b"\xc0")
        whole = json.dumps(mixed).encode()
        for name, body in (
            ("gzip", gzip.compress(whole, mtime=0)), ("zstd", zstandard.compress(whole)),
            ("gzip", gzip.compress(whole, mtime=0)[:-9]), ("zstd", whole), ("br", whole),
            ("identity", whole), ("GZIP", gzip.compress(b" " * 6_000_000, mtime=0)),
        ):  # fmt: skip
            encoding = f"Content-Encoding: {name}\r\n"
            yield f"encoding {name} {len(body)}", self.make(batch, encoding, body=body)
        for kind in ("text/plain", "application/json; charset=utf-8", "application/x-ndjson",
                     "image/png", "", "application/x-www-form-urlencoded"):  # fmt: skip
            yield f"type {kind!r}", self.make(batch, f"Content-Type: {kind}\r\n")
        for name in ("a%20b", "a%2Fb", "caf%C3%A9", "%FF", "%00", "x" * 300, "A.b~c_d-e", "..",
                     "", "bellwether", "a/b"):  # fmt: skip
            yield f"dataset {name[:20]!r}", self.make(f"/1/batch/{name}")
            yield f"dataset {name[:20]!r}, event", self.make(f"/1/events/{name}", body=b'{"a":1}')
        for name, key in (("none", ""), ("unknown", "X-Honeycomb-Team: unknown\r\n"),
                          ("empty", "X-Honeycomb-Team:\r\n"),
                          ("old", self._key.replace("Honeycomb", "Hny")),
                          ("lower", self._key.replace("X-Honeycomb-Team", "x-honeycomb-team")),
                          ("bearer", self._key.replace("X-Honeycomb-Team", "Authorization")),
                          ):  # fmt: skip
            yield f"key {name}", self.make(key=key)
            yield f"key {name}, event", self.make("/1/events/d", body=b'{"a":1}', key=key)
            yield f"key {name}, auth", self.get("/1/auth", key=key)
            yield f"key {name}, elsewhere", self.get("/1/datasets", key=key)
        yield "batch id", self.make(batch, "X-Bellwether-Batch-Id: one\r\n")
        yield "batch id again", self.make(batch, "X-Bellwether-Batch-Id: one\r\n")
        yield "batch id too long", self.make(batch, f"X-Bellwether-Batch-Id: {'x' * 600}\r\n")
        for origin in ("https://page.example", "https://other.example", "null", "x y"):
            yield f"origin {origin}", self.make(batch, f"Origin: {origin}\r\n")
            asked = "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: x-a\r\n"
            for path in (batch, event, "/1/auth", "/1/datasets"):
                preflight = self.make(
                    path, f"Origin: {origin}\r\n{asked}", method="OPTIONS", body=b"", length=""
                )
                yield f"preflight {origin} {path}", preflight
        for method in ("GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"):
            for path in (batch, event, "/1/batch/", "/1/events/", "/1/auth", "/x/alive"):
                yield f"{method} {path}", self.make(path, method=method, body=b"", length="")

    def _odd(self) -> Iterator[tuple[str, bytes]]:
        for name, more in (
            ("rate not ascii", "X-Honeycomb-Samplerate: \xb2\r\n"),
            ("rate nan", "X-Honeycomb-Samplerate: nan\r\n"),
            ("rate twice", "X-Honeycomb-Samplerate: 2\r\nX-Honeycomb-Samplerate: 3\r\n"),
            ("time not ascii", "X-Honeycomb-Event-Time: \xff\r\n"),
            ("key twice", self._key),
            ("batch id empty", "X-Bellwether-Batch-Id:\r\n"),
            ("batch id with a tab", "X-Bellwether-Batch-Id: a\tb\r\n"),
            ("type not ascii", "Content-Type: \xe9\r\n"),
            ("encodings", "Content-Encoding: gzip, zstd\r\n"),
            ("encoding twice", "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n"),
            ("agent not ascii", "User-Agent: caf\xe9\r\n"),
            ("length twice", f"Content-Length: {len(_BODY)}\r\n"),
            ("length and chunks", _CHUNKED),
            ("bare LF", "X-A: 1\n"), ("bare CR", "X-A: 1\rX-B: 2\r\n"),
            ("folded", "X-A: 1\r\n 2\r\n"), ("space before the colon", "X-A : 1\r\n"),
            ("no colon", "X-A\r\n"), ("no name", ": 1\r\n"), ("control", "X-A: \x01\r\n"),
            ("long header", f"X-A: {'a' * 20_000}\r\n"),
            ("many headers", "".join(f"X-{n}: 1\r\n" for n in range(200))),
            ("two hosts", "Host: y\r\n"), ("expect", "Expect: 100-continue\r\n"),
            ("expect other", "Expect: 200-ok\r\n"), ("te", "TE: trailers\r\n"),
            ("upgrade", "Connection: Upgrade\r\nUpgrade: h2c\r\n"),
            ("close", "Connection: close\r\n"), ("keep", "Connection: keep-alive\r\n"),
        ):  # fmt: skip
            yield name, self.make(more=more)
        for length in ("+18", "-1", "0x12", "18, 18", "9" * 30, "", "1\xb2"):
            yield f"length {length!r}", self.make(length=f"Content-Length: {length}\r\n")
        for coding in ("gzip, chunked", "gzip", "identity", "", "chunk\xe9d"):
            more = f"Transfer-Encoding: {coding}\r\n"
            yield f"coding {coding!r}", self.make(more=more, length="")
        sound = chunks(_BODY)
        for name, body in (("", sound), (" extended", b"12;a=b" + sound[2:]),
                           (" broken", b"+12" + sound[2:]), (" short", b"10" + sound[2:]),
                           ):  # fmt: skip
            yield f"chunks{name}", self.make(more=_CHUNKED, length="", body=body)
        yield "length missing", self.make(length="", body=b"")
        for version in ("HTTP/2.0", "HTTP/1.2", "HTTP/0.9", "HTTP/1.1.1", "http/1.1", "HTTP/1.0"):
            yield f"version {version}", self.make(version=version)
        for target in ("/1/batch/d#x", "/1/batch\\d", "/1/batch/d\x01", "/1/batch/d e",
                       "/1/batch/\xfc", "/1/batch/a%zz", "/1/batch/a%2", "/1/batch/%2E%2e",
                       "/x/../1/batch/d", "http://x/1/batch/d", "ftp://x/1/batch/d",
                       "http://u@x/1/batch/d", "x:443", "*", "/1/batch/d?x=1", "//1/batch/d",
                       "/1/batch/d/", "/1/batch", "/2/batch/d", "/"):  # fmt: skip
            yield f"target {target!r}", self.make(target)
        for method in ("CONNECT", "TRACE", "post", "BREW", "PO(ST"):
            yield f"method {method}", self.make(method=method, body=b"")
        for host in ("", "Host: \xe9\r\n", "Host: x/y\r\n", "Host: a@b\r\n", "Host:\r\n"):
            yield f"host {host!r}", self.make(host=host)
        yield "bare LF everywhere", self.make().replace(b"\r\n", b"\n")
        yield "line breaks first", b"\r\n\r\n" + self.make()
        yield "no version", b"POST /1/batch/d\r\nHost: x\r\n\r\n"
        yield "preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        yield "hello of TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"

    def _elsewhere(self) -> Iterator[tuple[str, bytes]]:
        """Routes that the query role answers."""
        for target in (
            "/1/auth", "/1/datasets", "/1/datasets?page[size]=1", "/1/datasets/web",
            "/1/datasets/nothing", "/1/columns/nothing", "/1/columns/web?page[size]=x",
            "/1/queries/web/nothing", "/1/query_results/web/nothing", "/1/nothing", "/nothing",
            "/bw/1/nothing", "/bw/1/keys", "/metrics", "/healthz", "/readyz", "/internal/status",
            "/internal/placement", "/1/boards", "/1/triggers/web", "/favicon.ico",
        ):  # fmt: skip
            yield f"GET {target}", self.get(target)
        for method, target in (
            ("PUT", "/1/datasets"), ("PATCH", "/1/datasets/web"), ("POST", "/1/datasets/web"),
            ("DELETE", "/1/queries/web"), ("PUT", "/bw/1/rows"), ("GET", "/bw/1/rows"),
            ("GET", "/bw/1/fields"), ("DELETE", "/bw/1/status"), ("PUT", "/1/query_results/web"),
        ):  # fmt: skip
            yield f"{method} {target}", self.json(target, {}, method=method)
        value: Any
        yield "dataset made", self.json("/1/datasets", {"name": "Made By Hand", "description": "x"})
        yield "dataset made again", self.json("/1/datasets", {"name": "made by hand"})
        for value in ({}, {"name": ""}, {"name": 7}, {"name": "x" * 500}, [], "x", None,
                      {"name": "ok", "expand_json_depth": 99}, {"name": "b\u0000d"}):  # fmt: skip
            yield f"dataset {str(value)[:40]}", self.json("/1/datasets", value)
        path = "/1/datasets/made-by-hand"
        yield "dataset deleted early", self.json(path, {}, method="DELETE")
        for value in ({"description": "y"}, {"expand_json_depth": 2}, {"settings": {"x": 1}},
                      {"retention_days": -1}, {"settings": {"delete_protected": False}},
                      ):  # fmt: skip
            yield f"dataset changed {value}", self.json(path, value, method="PUT")
        yield "dataset deleted", self.json(path, {}, method="DELETE")
        yield "dataset gone", self.get(path)
        column = {"key_name": "made", "type": "integer", "description": "d"}
        yield "column made", self.json("/1/columns/web", column)
        yield "column made again", self.json("/1/columns/web", column)
        for value in ({}, {"key_name": 1}, {"key_name": "x", "type": "blob"}, []):
            yield f"column {value}", self.json("/1/columns/web", value)
        for kind in ("application/json", "text/plain", "image/png"):
            bad = self.make("/1/queries/web", f"Content-Type: {kind}\r\n", body=b'{"a":')
            yield f"broken query as {kind}", bad
        yield "zstd elsewhere", self.make("/1/queries/web", "Content-Encoding: zstd\r\n")
        yield "key made", self.json("/bw/1/keys", {"name": "n", "rights": ["ingest"]})
        for value in ({}, {"name": 1}, {"name": "n", "rights": ["all"]}, []):
            yield f"key {value}", self.json("/bw/1/keys", value)
        yield "key revoked", self.make("/bw/1/keys/none", method="DELETE", body=b"", length="")
        yield "tail of nothing", self.get("/bw/1/tail/nothing")


def internal(token: str, role: str) -> Iterator[Sent]:
    """Requests to a role's internal address, without and with the token."""
    good = f"X-Bellwether-Internal-Token: {token}\r\n"
    for path in (
        "/healthz", "/readyz", "/nothing", "/internal/nothing", "/internal/status",
        "/internal/placement", "/internal/share", "/internal/columns", "/internal/datasets",
        "/internal/tail", "/internal/held", "/internal/records", "/internal/telemetry",
        "/internal/segment/00", "/internal/cut", "/1/auth", "/1/datasets", "/bw/1/status",
    ):  # fmt: skip
        for method in ("GET", "POST", "PUT"):
            bad = good[:-9] + "x\r\n"
            for name, header in (("no token", ""), ("bad token", bad), ("token", good)):
                if name == "token" and (method, path) == ("POST", "/internal/cut"):
                    continue
                body = "Content-Length: 2\r\n\r\n{}" if method != "GET" else "\r\n"
                head = f"{method} {path} HTTP/1.1\r\nHost: x\r\n{header}{body}"
                measured = path in ("/internal/status", "/internal/placement")
                yield Sent(f"{role} {method} {path} {name}", head.encode(), measured=measured)
