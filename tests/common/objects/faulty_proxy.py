"""A proxy in front of an S3 server that forwards requests and may answer wrongly, as configured."""

import http.client
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


@dataclass(slots=True)
class ProxyFaults:
    """Faults, each with the number of requests by method that get it (POST: complete).

    fail_after: executed, and answered with 500.
    fail_before: not executed, and answered with 503.
    hang_up: executed, and not answered.
    late: answered with 500, and executed `late_s` later, once `late_may` is set (it is at first).
    often: in addition, the share of all requests that get each of these faults.
    injected: number of requests that got each fault.
    damage: number of bodies of GET in which one byte is changed.
    cut: number of bodies of GET that end early.
    seen: methods of all requests.
    done_late: (method, the server's status) of requests that were executed late.
    """

    fail_after: dict[str, int] = field(default_factory=dict)
    fail_before: dict[str, int] = field(default_factory=dict)
    hang_up: dict[str, int] = field(default_factory=dict)
    late: dict[str, int] = field(default_factory=dict)
    late_s: float = 1.0
    late_may: threading.Event = field(default_factory=threading.Event)
    often: dict[str, float] = field(default_factory=dict)
    injected: Counter[str] = field(default_factory=Counter)
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    damage: int = 0
    cut: int = 0
    seen: list[str] = field(default_factory=list)
    done_late: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.late_may.set()

    def take(self, kind: str, method: str) -> bool:
        """Whether this request is answered wrongly in this way."""
        counted: dict[str, int] = getattr(self, kind)
        left = counted.get(method, 0)
        counted[method] = left - 1
        wrong = left > 0 or self.chance.random() < self.often.get(kind, 0.0)
        self.injected[kind] += wrong
        return wrong


@contextmanager
def faulty_proxy(upstream: str, faults: ProxyFaults) -> Iterator[str]:
    """A running proxy; yields its URL."""
    target = urlsplit(upstream)

    def do(
        command: str, path: str, headers: list[tuple[str, str]], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Forward the request to the server; returns (status, headers, body)."""
        connection = http.client.HTTPConnection(target.hostname or "", target.port)
        connection.putrequest(command, path, skip_host=True, skip_accept_encoding=True)
        for name, text in headers:
            connection.putheader(name, text)
        connection.endheaders(body)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders()), body

    def do_late(
        method: str, command: str, path: str, headers: list[tuple[str, str]], body: bytes
    ) -> None:
        faults.late_may.wait()
        status, _, _ = do(command, path, headers, body)
        faults.done_late.append((method, status))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            method = self.command
            if method == "POST" and "uploadId" not in self.path:
                method = "begin"
            faults.seen.append(method)
            if faults.take("fail_before", method):
                self._answer(503, {}, b"<Error><Code>SlowDown</Code></Error>")
                return
            if faults.take("late", method):
                asked = (method, self.command, self.path, self.headers.items(), body)
                later = threading.Timer(faults.late_s, do_late, asked)
                later.daemon = True
                later.start()
                self._answer(500, {}, b"<Error><Code>InternalError</Code></Error>")
                return
            status, headers, body = do(self.command, self.path, self.headers.items(), body)
            if faults.take("fail_after", method):
                self._answer(500, {}, b"<Error><Code>InternalError</Code></Error>")
            elif faults.take("hang_up", method):
                self.close_connection = True
            else:
                self._answer(status, headers, body)

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response_only(status)
            for name, text in headers.items():
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, text)
            length = headers.get("Content-Length", str(len(body)))
            self.send_header("Content-Length", length)
            self.end_headers()
            if self.command == "GET" and faults.cut > 0:
                faults.cut -= 1
                self.wfile.write(body[: len(body) // 2])
                self.close_connection = True
                return
            if self.command == "GET" and faults.damage > 0:
                faults.damage -= 1
                body = bytes([body[0] ^ 1]) + body[1:]
            if self.command != "HEAD":
                self.wfile.write(body)

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):  # every method
                return self._pass_on
            raise AttributeError(name)

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
