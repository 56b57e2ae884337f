"""An alarm of a real installation reaches a real receiver when it begins and when it ends."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.system.harness import running

pytestmark = pytest.mark.system


def test_an_alarm_is_posted_shown_and_measured_from_its_beginning_to_its_end(
    tmp_path: Path,
) -> None:
    posts: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/hook?token=planted"
        late = ("--set", "indexer.snapshot_late_s=1")  # so what was just sent is late at once
        environ = {"BELLWETHER_ALARMS_URL": address}
        with running(tmp_path, *late, environ=environ) as system:
            system.send("hello", [{"data": {"a": 1}}])
            system.wait_until(lambda: bool(posts), "the alarm's beginning")

            def is_shown() -> bool:  # a first one may be of the moment before the event was read
                return "in no snapshot" in system.run("status").stdout

            system.wait_until(is_shown, "the alarm in the status")
            assert system.run("cut").returncode == 0

            def has_ended() -> bool:
                last = {notice["partition"]: notice["state"] for notice in list(posts)}
                return set(last.values()) == {"ended"}

            system.wait_until(has_ended, "the alarm's end")
            logs = b"".join(path.read_bytes() for path in (system.data / "logs").iterdir())
        server.shutdown()
    assert {notice["alarm"] for notice in posts} == {"snapshot_late"}
    assert {notice["role"] for notice in posts} == {"indexer"}
    assert b"token=planted" not in logs
