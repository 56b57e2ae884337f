"""The state of one server of a cluster, probed individually, for `doctor`.

The system accepts connections for a process even while the process is stopped or hangs. So a
connection proves nothing; only a response does.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """The result of probing a server."""

    GOOD = "good"
    CLOSED = "closed"  # it accepts no connection
    FROZEN = "frozen"  # it accepts a connection and sends no response
    WRONG = "wrong"  # its response is wrong; the text has the reason


@dataclass(frozen=True, slots=True)
class ServerAnswer:
    """The result of probing one server.

    name: what the server is called, with its address.
    state: the result.
    text: the reason, empty where all is well.
    """

    name: str
    state: State
    text: str = ""


def ask_bytes(
    host: str,
    port: int,
    timeout_s: float,
    question: bytes = b"",
    wrap: Callable[[socket.socket], socket.socket] = lambda plain: plain,
) -> tuple[State, str]:
    """Connect, send `question`, and wait for the first byte of a response. Blocks, bounded.

    question: empty for a server that sends first.
    wrap: makes the connection an encrypted one.
    Returns the state and, if it is not good, the reason.
    """
    try:
        plain = socket.create_connection((host, port), timeout_s)
    except TimeoutError:
        return State.CLOSED, f"no connection within {timeout_s:g} s"
    except OSError as error:
        return State.CLOSED, error.strerror or str(error)
    with plain:
        try:
            plain.settimeout(timeout_s)
            with wrap(plain) as connection:
                connection.settimeout(timeout_s)
                if question:
                    connection.sendall(question)
                if connection.recv(1):
                    return State.GOOD, ""
                return State.WRONG, "it closes the connection without an answer"
        except TimeoutError:
            return State.FROZEN, f"no answer within {timeout_s:g} s"
        except OSError as error:
            return State.WRONG, f"it ends the connection ({error.strerror or type(error).__name__})"
