"""What one server of a cluster gives when it is asked by itself, for `doctor`.

A process that was stopped, or that hangs, still takes connections: the system does that for it.
So a connection proves nothing; only a response does.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a server answered."""

    GOOD = "good"
    CLOSED = "closed"  # it takes no connection
    FROZEN = "frozen"  # it takes a connection and answers nothing
    WRONG = "wrong"  # it answers, but not as it should; the text says what


@dataclass(frozen=True, slots=True)
class ServerAnswer:
    """What one server answered.

    name: what the server is called, with its address.
    state: how it answered.
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
    """Connect, send `question`, and wait for the first byte of an answer. Blocks, bounded.

    question: empty for a server that speaks first.
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
