"""A real `bellwether up` in a folder of its own, for tests that start, kill and ask real processes.

    with running(tmp_path) as system:
        system.send("hello", [{"data": {"a": 1}}])
        answer = system.ask("hello", {"calculations": [{"op": "COUNT"}]})

Leaving the block stops it and checks that no process of it is left.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from bellwether.config.secrets import read_key
from bellwether.supervisor.child import ask_ready
from common.locks.files import FileLocks
from common.process.members import Member, list_members
from tests.kernel_cache import KERNEL_CACHE

ROOT = Path(__file__).resolve().parent.parent.parent
READY_S = 300.0  # generous: test machines are busy; the target of 5 s is measured elsewhere
STOP_S = 180.0
_STEP_S = 0.05


class Answer:
    """An HTTP answer, read whole."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def json(self) -> Any:
        return json.loads(self.body)


class System:
    """One `up` and its data folder. Start and stop it as often as a test wants."""

    def __init__(
        self,
        folder: Path,
        arguments: tuple[str, ...] = (),
        environ: dict[str, str] | None = None,
        open_files: int = 0,
    ) -> None:
        self.folder = folder
        self.open_files = open_files  # of each process, hard limit too; 0: as this process has
        self.data = folder / "data"
        self.arguments = arguments
        self.environ = environ or {}
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.key = ""
        self._outputs = 0
        self._seen: set[int] = set()

    def start(self, *, wait: bool = True) -> None:
        """Start `up` and wait until every role is ready."""
        folder = self.folder
        folder.mkdir(parents=True, exist_ok=True)
        self._outputs += 1
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("BELLWETHER_")}
        command = [sys.executable, "-m", "bellwether", "up", "--data", str(self.data)]
        if self.open_files:
            command = ["sh", "-c", 'ulimit -n "$0" && exec "$@"', str(self.open_files), *command]
        port = self.url.rsplit(":", 1)[1] if self.url else "0"  # the same after a restart
        with self.output_path.open("wb") as output:
            self.process = subprocess.Popen(
                [*command, "--port", port, *self.arguments],
                cwd=folder,
                env={
                    **inherited,
                    "PYTHONPATH": str(ROOT),
                    "PYTHONUNBUFFERED": "1",
                    "BELLWETHER_INDEXER_KERNEL_CACHE": str(KERNEL_CACHE),
                    "BELLWETHER_SHEPHERD_KERNEL_CACHE": str(KERNEL_CACHE),
                    **self._free_grpc_port(),
                    **self.environ,
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._seen.add(self.process.pid)
        if wait:
            self.wait_ready()

    def _free_grpc_port(self) -> dict[str, str]:
        """So that programs under test do not meet on the usual one; an earlier build has none."""
        earlier = "PYTHONPATH" in self.environ
        return {} if earlier else {"BELLWETHER_SHEPHERD_OTLP_GRPC_PORT": "0"}

    @property
    def output_path(self) -> Path:
        return self.folder / f"up-{self._outputs}.out"

    @property
    def output(self) -> str:
        """What `up` has printed since its last start."""
        return self.output_path.read_text("utf-8", "replace")

    def wait_until(self, test: Callable[[], bool], what: str, seconds: float = READY_S) -> None:
        """Wait for a condition; an `up` that ends meanwhile, or the time-out, fails the test."""
        deadline_s = time.monotonic() + seconds
        while not test():
            if self.process is not None and self.process.poll() is not None:
                raise AssertionError(f"up ended while waiting for {what}:\n{self.tails()}")
            if time.monotonic() > deadline_s:
                raise AssertionError(f"waited {seconds} s for {what}:\n{self.tails()}")
            time.sleep(_STEP_S)

    def wait_ready(self) -> None:
        """Wait until `up` has said that every role is ready."""
        self.wait_until(lambda: "ready in " in self.output, "up to be ready")
        holder = self.holder()
        if holder is None:
            raise AssertionError(f"nobody holds {self.data}:\n{self.output}")
        self.url = holder.url
        self.key = read_key(self.data) or ""
        self.pids()

    def holder(self) -> Member | None:
        """The `up` that holds the data folder."""
        with contextlib.closing(FileLocks(self.data / "locks")) as locks:
            value = locks.holders("up").get("up")
        return None if value is None else msgspec.json.decode(value, type=Member)

    def members(self, role: str) -> list[Member]:
        """The processes of a role that are announced now."""
        with contextlib.closing(FileLocks(self.data / "locks")) as locks:
            found = list_members(locks, role)
        self._seen.update(member.pid for member in found)
        return found

    def pids(self) -> dict[str, list[int]]:
        """Process ids by role, the supervisor's own as `up`."""
        found = {r: [m.pid for m in self.members(r)] for r in ("shepherd", "indexer", "query")}
        return {"up": [self.process.pid] if self.process else [], **found}

    def kill_role(self, role: str, zone: str | None = None) -> int:
        """SIGKILL one process of a role; returns its pid."""
        member = next(m for m in self.members(role) if zone in (None, m.zone))
        os.kill(member.pid, signal.SIGKILL)
        return member.pid

    def wait_role_ready(self, role: str, *, not_pid: int = 0) -> None:
        """Wait until every process of the role is ready and `not_pid` is gone."""

        def ready() -> bool:
            members = self.members(role)
            alive = bool(members) and all(m.pid != not_pid for m in members)
            return alive and all(ask_ready(m.url) is None for m in members)

        self.wait_until(ready, f"{role} to be ready")

    def kill_up(self) -> None:
        """SIGKILL the supervisor; its roles stop by themselves."""
        if self.process is None:
            return
        self.pids()
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def kill_everything(self) -> None:
        """SIGKILL the supervisor and every role at once, as a power cut would."""
        pids = [pid for group in self.pids().values() for pid in group]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait()
        self.process = None
        self.wait_gone()

    def stop(self) -> int:
        """Ctrl-C; returns the exit code."""
        if self.process is None:
            return 0
        self.pids()
        self.process.send_signal(signal.SIGINT)
        try:
            code = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"up did not stop:\n{self.tails()}") from error
        self.process = None
        return code

    def left_over(self) -> list[int]:
        """Processes of this system that are still running (zombies are not)."""
        return [pid for pid in sorted(self._seen) if _runs(pid, str(self.data))]

    def wait_gone(self, seconds: float = STOP_S) -> None:
        """Wait until no process of this system is left."""
        deadline_s = time.monotonic() + seconds
        while left := self.left_over():
            if time.monotonic() > deadline_s:
                raise AssertionError(f"still running: {left}\n{self.tails()}")
            time.sleep(_STEP_S)

    def tails(self, count: int = 15) -> str:
        """The last lines of everything that was printed, for a failure's message."""
        parts = [f"== up ==\n{self.output[-3000:]}"]
        for path in sorted((self.data / "logs").glob("*.log")):
            lines = path.read_text("utf-8", "replace").splitlines()[-count:]
            parts.append(f"== {path.name} ==\n" + "\n".join(line[:1500] for line in lines))
        return "\n".join(parts)

    def http(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: dict[str, str] | None = None,
        *,
        timeout_s: float = 120.0,
    ) -> Answer:
        """A request with the key. An error status is an answer, no answer raises OSError."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {"X-Honeycomb-Team": self.key, "Content-Type": "application/json", **(headers or {})}
        request = urllib.request.Request(self.url + path, data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout_s) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())

    def send(self, dataset: str, events: list[dict[str, Any]]) -> str:
        """Send a batch, expect every event to be accepted; returns the receipt."""
        answer = self.http("POST", f"/1/batch/{quote(dataset, safe='')}", events)
        if answer.status != 200 or any(s["status"] != 202 for s in answer.json()):
            raise AssertionError(f"not all accepted: {answer.status} {answer.body[:500]!r}")
        return answer.headers.get("X-Bellwether-Receipt", "")

    def ask(self, dataset: str, spec: dict[str, Any], *, after: str = "") -> Any:
        """Run a query, whole; returns the result document. `after`: a receipt to wait for."""
        name = quote(dataset, safe="")
        stored = self.http("POST", f"/1/queries/{name}", spec)
        if stored.status != 200:
            raise AssertionError(f"query refused: {stored.status} {stored.body[:500]!r}")
        body = {"query_id": stored.json()["id"], "coverage": "require"}
        headers = {"X-Bellwether-After": after} if after else {}
        made = self.http("POST", f"/1/query_results/{name}", body, headers)
        if made.status not in (200, 201):
            raise AssertionError(f"result refused: {made.status} {made.body[:500]!r}")
        result = made.json()
        deadline_s = time.monotonic() + READY_S
        while not result.get("complete"):
            if time.monotonic() > deadline_s:
                raise AssertionError(f"the result is never complete: {result}")
            time.sleep(_STEP_S)
            got = self.http("GET", f"/1/query_results/{name}/{result['id']}")
            if got.status != 200:
                raise AssertionError(f"no result: {got.status} {got.body[:1500]!r}")
            result = got.json()
        return result

    def run(
        self, *arguments: str, stdin: bytes | None = None, timeout_s: float = 600.0
    ) -> subprocess.CompletedProcess[str]:
        """Run a client command against this system."""
        environ = {k: v for k, v in os.environ.items() if not k.startswith("BELLWETHER_")}
        environ |= {"BELLWETHER_URL": self.url, "BELLWETHER_KEY": self.key, "COLUMNS": "160"}
        environ |= {"PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(self.folder / "state")}
        done = subprocess.run(
            [sys.executable, "-m", "bellwether", *arguments],
            cwd=self.folder,
            env=environ,
            input=stdin,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )


def _runs(pid: int, marker: str) -> bool:
    """Whether the process runs and is one of ours (a pid may have been given to another)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        environ = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    return state != "Z" and b"bellwether" in command and marker.encode() in command + environ


@contextlib.contextmanager
def running(
    folder: Path, *arguments: str, environ: dict[str, str] | None = None, open_files: int = 0
) -> Iterator[System]:
    """A started system; at the end it is stopped and nothing of it may be left."""
    system = System(folder, arguments, environ, open_files)
    try:
        system.start()
        yield system
        code = system.stop()
        if code != 0:
            raise AssertionError(f"up did not stop cleanly (code {code}):\n{system.tails()}")
    finally:
        if system.process is not None:
            system.kill_everything()
        system.wait_gone()
