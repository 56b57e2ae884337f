"""Control of a running launcher from another terminal, over a socket in the cluster's folder.

Request and reply are one line of JSON each. Only the socket's owner may connect.
"""

import json
import os
import socket
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

_REQUEST_BYTES_MAX = 64 * 1024
_ANSWER_S = 180.0  # starting a part may take minutes
_BACKLOG = 4


@dataclass(frozen=True, slots=True)
class Request:
    """A command for a launcher. `options`: of the command, such as a fault's numbers."""

    command: str
    names: list[str] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """The result of a request, as lines to print."""

    ok: bool
    lines: list[str]


class NotRunning(Exception):
    """No launcher runs on this folder."""


class ControlSocket:
    """Answers requests, each in turn, until it is closed."""

    def __init__(self, folder: Path, answer: Callable[[Request], Reply]) -> None:
        self._answer = answer
        self._path = folder / "control.sock"
        self._path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX)
        before = os.umask(0o177)
        try:
            self._socket.bind(_short(self._path))
        finally:
            os.umask(before)
        self._socket.listen(_BACKLOG)
        self._thread = threading.Thread(target=self._serve, name="control", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return  # closed
            with connection:
                connection.settimeout(5.0)
                try:
                    request = Request(**json.loads(_read_line(connection)))
                    reply = self._answer(request)
                    connection.sendall(json.dumps(asdict(reply)).encode() + b"\n")
                except (OSError, ValueError, TypeError) as error:
                    print(f"control: a request could not be answered: {error}", flush=True)

    def close(self) -> None:
        """Stop answering."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._path.unlink(missing_ok=True)


def send_request(folder: Path, request: Request) -> Reply:
    """Send a request to the launcher of this folder. Raises NotRunning."""
    path = folder.resolve() / "control.sock"
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_ANSWER_S)
            connection.connect(_short(path))
            connection.sendall(json.dumps(asdict(request)).encode() + b"\n")
            return Reply(**json.loads(_read_line(connection)))
    except (OSError, ValueError) as error:
        raise NotRunning(
            f"no cluster runs on {folder} ({error}); start one with the command `up`"
        ) from error


def _read_line(connection: socket.socket) -> bytes:
    data = b""
    while not data.endswith(b"\n"):
        block = connection.recv(65_536)
        if not block or len(data) > _REQUEST_BYTES_MAX * 16:
            raise ValueError("an incomplete line")
        data += block
    return data


def _short(path: Path) -> str:
    """The relative path if it is shorter: a socket's path is limited to about 100 bytes."""
    relative = os.path.relpath(path)
    return min(str(path), relative, key=len)
