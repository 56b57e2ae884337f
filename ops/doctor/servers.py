"""Probes each single server of a cluster, so that one that is dead or frozen is reported.

Clients use any server that answers, so a cluster works while some of its servers do not.
"""

import socket
import ssl
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from common.metadata.mysql.config import MysqlConfig
from common.objects.s3.config import S3Config
from common.probe_result import ServerAnswer, State, ask_bytes
from ops.doctor.machine import Finding, Verdict

PROBE_TIMEOUT_S = 3.0
_ADDRESSES_MAX = 16  # of one host name
_REMEDIES = {
    State.CLOSED: "start it (its own log says why it ended), or correct the address in the "
    "settings",
    State.FROZEN: "its process hangs or is stopped (a disk that does not answer, no memory left, "
    "SIGSTOP): look at that machine, and restart the process if it stays so",
    State.WRONG: "look at its own log; it may be starting, or cut off from the others",
}
_WHAT = {
    State.CLOSED: "takes no connection",
    State.FROZEN: "is frozen: it takes a connection and answers nothing",
    State.WRONG: "does not serve",
}


def findings_of(check: str, answers: Sequence[ServerAnswer]) -> list[Finding]:
    """One failure for each server that does not answer, and one finding for all others."""
    found = [
        Finding(check, Verdict.FAIL, f"{a.name} {_WHAT[a.state]} ({a.text})", _REMEDIES[a.state])
        for a in answers
        if a.state is not State.GOOD
    ]
    good = [a.name for a in answers if a.state is State.GOOD]
    if good:
        found.append(Finding(check, Verdict.GOOD, f"answering: {', '.join(good)}"))
    return found


def probe_store(config: S3Config, timeout_s: float = PROBE_TIMEOUT_S) -> list[ServerAnswer]:
    """The state of every address of the object store's endpoint. Blocks.

    Empty without an endpoint: the addresses of AWS are not probed.
    """
    if not config.endpoint:
        return []
    parts = urlsplit(config.endpoint)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    question = f"HEAD / HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode()
    wrap: Callable[[socket.socket], socket.socket] = _plain
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=config.ca or None)

        def wrap(plain: socket.socket) -> socket.socket:
            return context.wrap_socket(plain, server_hostname=host)

    return _each_address("object store", (host, port), timeout_s, question, wrap)


def probe_database(config: MysqlConfig, timeout_s: float = PROBE_TIMEOUT_S) -> list[ServerAnswer]:
    """The state of every address of the database's host. Blocks.

    A server of this protocol sends the first bytes, so nothing is sent to it.
    """
    if config.socket or not config.host:
        return []
    return _each_address("database", (config.host, config.port), timeout_s, b"", _plain)


def _each_address(
    what: str,
    target: tuple[str, int],
    timeout_s: float,
    question: bytes,
    wrap: Callable[[socket.socket], socket.socket],
) -> list[ServerAnswer]:
    host, port = target
    try:
        looked_up = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        why = error.strerror or str(error)
        return [ServerAnswer(f"{what} {host}:{port}", State.CLOSED, f"no such host: {why}")]
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in looked_up))[:_ADDRESSES_MAX]
    if host == "localhost":  # both families are this machine; one of them is enough
        addresses = [host]
    found = []
    for address in addresses:
        state, why = ask_bytes(address, port, timeout_s, question, wrap)
        shown = f"{host}:{port}" if address == host else f"{host}:{port} at {address}"
        found.append(ServerAnswer(f"{what} {shown}", state, why))
    return found


def _plain(connection: socket.socket) -> socket.socket:
    return connection
