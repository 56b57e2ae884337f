"""Free ports of loopback, remembered by name so that a restarted cluster keeps its addresses.

Taken below the range from which the system numbers outgoing connections: a port that was free when
a broker stopped is then still free when it starts again.
"""

import json
import random
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
FIRST, LAST = 15_000, 32_000
_TRIES = 1_000


class NoFreePort(Exception):
    """No port of the range can be listened on."""


class Ports:
    """Names to ports, kept in a file."""

    def __init__(self, path: Path, chance: random.Random) -> None:
        self._path = path
        self._chance = chance
        self._taken: dict[str, int] = {}
        if path.exists():
            self._taken = {str(k): int(v) for k, v in json.loads(path.read_text()).items()}

    def get(self, name: str) -> int:
        """The port of this name; a new one is free now. Raises NoFreePort."""
        port = self._taken.get(name)
        if port is None:
            port = self._choose()
            self._taken[name] = port
            self._keep()
        return port

    def renew(self, prefix: str) -> list[str]:
        """Forget the ports of this prefix that other processes now use; returns their names."""
        lost = [n for n, port in self._taken.items() if n.startswith(prefix) and not is_free(port)]
        for name in lost:
            del self._taken[name]
        self._keep()
        return lost

    def _choose(self) -> int:
        for _ in range(_TRIES):
            port = self._chance.randrange(FIRST, LAST)
            if port not in self._taken.values() and is_free(port):
                return port
        raise NoFreePort(f"no port between {FIRST} and {LAST} can be listened on")

    def _keep(self) -> None:
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps(self._taken, indent=1, sort_keys=True))
        draft.replace(self._path)


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def answers(port: int, timeout_s: float = 1.0) -> bool:
    """Whether something accepts connections on the port."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout_s):
            return True
    except OSError:
        return False
