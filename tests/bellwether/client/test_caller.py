"""The client of the standard library: answers, refusals, hang-ups, and no key elsewhere."""

import http.server
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest
from click.testing import CliRunner

from bellwether.cli import cli
from bellwether.client import ClientError, Target, find_target
from bellwether.client.caller import Caller, calling
from bellwether.client.session import connect


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[tuple[str, str, bytes, str]]] = []
    elsewhere: ClassVar[str] = "/y"

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.asked.append((self.command, self.path, body, self.headers["X-Honeycomb-Team"]))
        if self.path == "/close":  # as a server does with a connection nobody uses
            self._answer(200, b"{}")
            self.close_connection = True
            return
        if self.path == "/drop":
            self.close_connection = True
            return
        status = {"/refused": 422, "/moved": 302}.get(self.path, 200)
        body = {"/refused": b'{"error":"no such field"}', "/text": b"hello"}.get(self.path, b"[1]")
        self._answer(status, body)

    def do_GET(self) -> None:
        self.do_POST()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == 302:
            self.send_header("Location", self.elsewhere)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving(elsewhere: str = "/y") -> Iterator[tuple[str, list[tuple[str, str, bytes, str]]]]:
    handler = type("Own", (Handler,), {"asked": [], "elsewhere": elsewhere})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", handler.asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_answers_and_refusals_are_read_over_one_connection() -> None:
    with serving() as (url, asked), calling(Target(f"{url}/base", "secret")) as caller:
        assert caller.json("POST", "/x", {"a": "名"}) == [1]
        assert caller.json("GET", "/y") == [1]
        assert asked == [
            ("POST", "/base/x", '{"a":"名"}'.encode(), "secret"), ("GET", "/base/y", b"", "secret"),
        ]  # fmt: skip
    with serving() as (url, _), calling(Target(url, "secret")) as caller:
        with pytest.raises(ClientError, match="422: no such field") as caught:
            caller.json("POST", "/refused", {})
        assert caught.value.status == 422
        with pytest.raises(ClientError, match="302"):  # the key goes nowhere else
            caller.json("GET", "/moved")
        with pytest.raises(ClientError, match="no JSON"):
            caller.json("GET", "/text")
        with pytest.raises(ClientError, match="cannot be asked"):
            caller.json("POST", "/x", {"a": "\udcff"})


def test_a_connection_that_the_server_closed_meanwhile_is_opened_again() -> None:
    with serving() as (url, asked), calling(Target(url, "k")) as caller:
        for _ in range(3):
            caller.json("POST", "/close", {})
        assert len(asked) == 3


def test_no_answer_is_told_in_words_and_without_the_key() -> None:
    with serving() as (url, asked), calling(Target(url, "secret")) as caller:
        with pytest.raises(ClientError, match="closed without an answer") as caught:
            caller.json("POST", "/drop", {})
        assert "secret" not in str(caught.value)
        assert len(asked) == 1  # of a new connection nothing is asked twice
    for url, why in (
        ("http://127.0.0.1:1", "Connection refused"),
        ("http://host.invalid", "name is not known"),
        ("https://127.0.0.1:1", "Connection refused"),
    ):
        with pytest.raises(ClientError, match=why):
            Caller(Target(url, "secret")).json("GET", "/")


@pytest.mark.parametrize(
    "url", ["localhost:8080", "ftp://x", "http://", "http://x:99999", "http://u:p@x", "http://a b"]
)
def test_what_is_no_address_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ClientError, match=r"address"):
        find_target(url, "key", tmp_path, {}, False)


def test_a_key_that_no_header_holds_is_refused_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(ClientError) as caught:
        find_target("http://x", "se cret\n", tmp_path, {}, False)
    assert "cret" not in str(caught.value)


async def test_a_stream_tells_of_no_answer_in_the_same_words() -> None:
    for url, why in (
        ("http://127.0.0.1:1", "127.0.0.1:1: Connection refused. Is"),
        ("http://host.invalid", "host.invalid: the host's name is not known. Is"),
    ):
        async with connect(Target(url, "secret")) as client:
            with pytest.raises(ClientError, match=re.escape(why)):
                await client.json("GET", "/")
    with serving() as (url, _):
        async with connect(Target(url, "secret")) as client:
            with pytest.raises(ClientError, match="closed without an answer"):
                await client.json("POST", "/drop", {})


async def test_a_key_is_not_taken_to_where_a_server_redirects() -> None:
    told = "302: this address leads to"
    with serving() as (other, asked_other), serving(f"{other}/y") as (url, _):
        with calling(Target(url, "secret")) as caller, pytest.raises(ClientError, match=told):
            caller.json("GET", "/moved")
        async with connect(Target(url, "secret")) as client:
            for method, body in (("GET", None), ("POST", {})):
                with pytest.raises(ClientError, match=told):
                    await client.json(method, "/moved", body)
        assert asked_other == []


def test_a_command_that_is_not_known_is_told_its_neighbour() -> None:
    done = CliRunner().invoke(cli, ["qurey", "web"])
    assert done.exit_code == 2
    assert "Did you mean query?" in done.output
