"""The shell on a real terminal and with a file, against a server that notes what it is asked."""

import json
import os
import pty
import re
import select
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bellwether.shell.history import BYTES_MAX, history_file, prepare_history
from tests.bellwether.local_server import serving
from tests.system.harness import ROOT

WAIT_S = 40.0  # generous: test machines are busy


class Server(BaseHTTPRequestHandler):
    """Answers like a Bellwether with the datasets `web` and `api`; `slow` fields never end."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[tuple[str, Any]]] = []
    hung_up: ClassVar[threading.Event] = threading.Event()

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        found: dict[str, Any] = {
            "/1/auth": {"type": "configuration"},
            "/1/datasets": [{"slug": "web", "name": "Web"}, {"slug": "api", "name": "api"}],
        }
        self._answer(200 if self.path in found else 404, found.get(self.path, {"error": "no"}))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((self.path, body))
        if self.path == "/bw/1/fields":
            self._answer(200, {"fields": [{"name": "service", "types": ["string"]}], "next": None})
            return
        if self.path == "/bw/1/rows":
            data = {"service": "api", "n": 17}
            row = {"time": "2026-01-01T00:00:00Z", "samplerate": 1, "data": data}
            page = {"rows": [row], "next": None, "coverage": {"complete": True}, "notes": []}
            self._answer(200, {"start": row["time"], "end": row["time"], **page})
            return
        spec = body["query"]
        if "slow" in json.dumps(spec):
            select.select([self.connection], [], [], WAIT_S)  # readable: the caller has hung up
            if self.connection.recv(1) == b"":
                self.hung_up.set()
            self.close_connection = True
            return
        rows = [{"data": dict.fromkeys(spec.get("breakdowns", []), "api") | {"COUNT": 41}}]
        answer = {"complete": True, "data": {"results": rows}, "coverage": {"complete": True}}
        self._answer(201, answer)

    def _answer(self, status: int, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(Server) as address:
        yield address


@pytest.fixture(autouse=True)
def forget() -> None:
    Server.asked.clear()
    Server.hung_up.clear()


def environment(url: str, folder: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("BELLWETHER_")}
    return {**kept, "PYTHONPATH": str(ROOT), "BELLWETHER_URL": url, "BELLWETHER_KEY": "k" * 22,
            "XDG_STATE_HOME": str(folder), "TERM": "xterm", "NO_COLOR": "1",
            "PROMPT_TOOLKIT_NO_CPR": "1"}  # fmt: skip


class Terminal:
    """A program on a pseudo-terminal."""

    def __init__(self, url: str, folder: Path, *arguments: str) -> None:
        self._parent, child = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bellwether", "shell", *arguments], stdin=child, stdout=child,
            stderr=child, env=environment(url, folder), preexec_fn=_take_terminal,
        )  # fmt: skip
        os.close(child)
        self._seen = b""

    def wait_for(self, text: str) -> str:
        """Read until the text has come; what came until then."""
        return self._read(lambda: text in self._text(), text)

    def answer(self, text: str, prompt: str) -> str:
        """Read until the text and then the prompt have come: only then are keys read again."""
        return self._read(lambda: prompt in self._text().partition(text)[2], text)

    def type(self, text: str) -> None:
        self._seen = b""
        os.write(self._parent, text.encode())

    def end(self) -> int:
        try:
            self._read(lambda: self.process.poll() is not None, "its end")
        finally:
            if self.process.poll() is None:
                self.process.kill()
            os.close(self._parent)
        return self.process.wait()

    def _read(self, until: Any, what: str) -> str:
        deadline_s = time.monotonic() + WAIT_S
        while not until():
            assert time.monotonic() < deadline_s, f"no {what!r} in {self._seen!r}"
            if not select.select([self._parent], [], [], 0.02)[0]:
                continue
            try:
                self._seen += os.read(self._parent, 65_536)
            except OSError:  # the program has ended
                time.sleep(0.02)
                if self.process.poll() is not None and not until():
                    raise AssertionError(f"no {what!r} in {self._seen!r}") from None
        return self._text()

    def _text(self) -> str:
        """What came, without the codes that move the cursor and choose colours."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self._seen.decode("utf-8", "replace"))


def _take_terminal() -> None:
    os.setsid()
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that Ctrl-C becomes a signal


def test_questions_on_a_terminal(url: str, tmp_path: Path) -> None:
    terminal = Terminal(url, tmp_path, "web")
    terminal.wait_for("web>")
    terminal.type("COUNT GROUP BY ser\t")
    terminal.wait_for("vice")  # completed from the server
    terminal.type("\r")
    terminal.answer("complete: 0 of 0", "web>")
    assert Server.asked[-1][1]["query"]["breakdowns"] == ["service"]
    terminal.type("COUNT,\r")  # cannot end here
    terminal.wait_for("....")
    terminal.type("SUM(x)\r")
    terminal.answer("complete:", "web>")
    assert len(Server.asked[-1][1]["query"]["calculations"]) == 2
    terminal.type("COUNT WHER a = 1\r")
    assert "^^^^" in terminal.answer("did you mean WHERE", "web>")
    terminal.type("\\use api\r")
    terminal.wait_for("api>")
    terminal.type("SELECT * LAST 1h LIMIT 5\r")
    terminal.answer("17", "api>")
    path, body = Server.asked[-1]
    assert (path, body["dataset"], body["limit"]) == ("/bw/1/rows", "api", 5)
    terminal.type("\\timing\r")
    terminal.answer("timing is on", "api>")
    terminal.type("COUNT\r")
    terminal.answer("took ", "api>")
    terminal.type("\x04")
    assert terminal.end() == 0
    kept = history_file({"XDG_STATE_HOME": str(tmp_path)})
    assert "+COUNT GROUP BY service\n" in kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_ctrl_c_ends_the_question_on_the_server_and_the_shell_goes_on(
    url: str, tmp_path: Path
) -> None:
    terminal = Terminal(url, tmp_path, "web")
    terminal.wait_for("web>")
    terminal.type("COUNT GROUP BY slow\r")
    deadline_s = time.monotonic() + WAIT_S
    while not Server.asked:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    terminal.type("\x03")
    terminal.answer("cancelled", "web>")
    assert Server.hung_up.wait(WAIT_S)
    terminal.type("COUNT\r")
    terminal.answer("complete:", "web>")
    terminal.type("half a ques")
    terminal.wait_for("half a ques")
    terminal.type("\x03")  # thrown away
    terminal.answer("\n", "web>")
    terminal.type("\\q\r")
    assert terminal.end() == 0


def script(url: str, folder: Path, text: bytes, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "bellwether", "shell", *arguments], input=text, timeout=WAIT_S,
        capture_output=True, check=False, env=environment(url, folder),
    )  # fmt: skip
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_a_file_of_questions_is_answered_and_the_exit_code_tells(url: str, tmp_path: Path) -> None:
    text = b"""\xef\xbb\xbf-- questions
COUNT
GROUP BY service

\\format json
SELECT * LIMIT 1; COUNT FROM api
"""
    code, out, err = script(url, tmp_path, text, "web")
    assert (code, err) == (0, "")
    table, rows, answer = out.partition("{")[0], *out.splitlines()[-2:]
    assert "service" in table
    assert json.loads(rows)["data"] == {"service": "api", "n": 17}
    assert json.loads(answer)["data"]["results"][0]["data"]["COUNT"] == 41
    assert [path for path, _ in Server.asked] == [
        "/1/query_results/web", "/bw/1/rows", "/1/query_results/api",
    ]  # fmt: skip
    assert not list(tmp_path.iterdir())  # no history of a file


def test_a_question_that_fails_does_not_stop_those_behind_it(url: str, tmp_path: Path) -> None:
    code, out, err = script(url, tmp_path, b"COUNT WHERE\nCOUNT ODER\n\\nothing\nCOUNT\n", "web")
    assert code == 1
    assert "(line 1)" in err
    assert "\\nothing" in err
    assert "41" in out
    code, _, err = script(url, tmp_path, b"COUNT\n\\q\nCOUNT WHERE a =\n", "web")
    assert (code, err) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "text", "why"),
    [
        (("wep",), b"COUNT", "did you mean web?"),
        ((), b"COUNT", "which dataset?"),
        (("web",), b"\xff\xfeC", "not UTF-8"),
        (("web",), b"\\use nothing-like-it", "\\datasets lists them"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_told(
    url: str, tmp_path: Path, arguments: tuple[str, ...], text: bytes, why: str
) -> None:
    code, _, err = script(url, tmp_path, text, *arguments)
    assert code in (1, 2)
    assert why in err
    assert "Traceback" not in err


def test_ctrl_c_ends_a_file_of_questions(url: str, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "bellwether", "shell", "web"], stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(url, tmp_path),
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(b"COUNT GROUP BY slow\nCOUNT\n")
    process.stdin.close()
    deadline_s = time.monotonic() + WAIT_S
    while not Server.asked:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.wait(WAIT_S) == 130
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert Server.hung_up.wait(WAIT_S)
    assert len(Server.asked) == 1


def test_the_history_is_made_private_and_stays_bounded(tmp_path: Path) -> None:
    path = tmp_path / "bellwether" / "history"
    path.parent.mkdir()
    entry = "\n# 2026-01-01 00:00:00\n+COUNT {}\n"
    count = BYTES_MAX // len(entry) + 100
    path.write_text("".join(entry.format(n) for n in range(count)))
    path.chmod(0o644)
    prepare_history(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kept = path.read_text()
    assert len(kept) <= BYTES_MAX
    assert kept.startswith("\n# 2026")
    assert kept.endswith(f"+COUNT {count - 1}\n")
