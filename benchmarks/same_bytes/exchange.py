"""Raw HTTP: bytes out, the answer as text with everything masked that differs from run to run."""

import json
import re
import socket
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from benchmarks.same_bytes.masks import mask, mask_header, shape

_TIMEOUT_S = 30.0
_PIECE_BYTES = 65_536
_ALIVE = b"GET /x/alive HTTP/1.1\r\nHost: x\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_LENGTH_LINE = re.compile(r"content-length: *\d+", re.IGNORECASE)
_CODE = re.compile(rb"HTTP/1\.[01] (\d{3})")


class Sent(NamedTuple):
    """A request by its name.

    after: it is sent on a connection that has had this answered.
    measured: its answer holds numbers that differ from run to run, so only members are compared.
    """

    name: str
    data: bytes
    after: bytes = b""
    measured: bool = False


def answers(
    address: tuple[str, int], sent: Iterable[Sent], secrets: Mapping[str, str]
) -> dict[str, str]:
    """The masked answer to each, and whether its connection can be used afterwards."""
    found = {}
    for one in sent:
        text = _exchange(address, one)
        if one.measured and "\n\n{" in text:
            head, _, rest = text.partition("\n\n")
            head = _LENGTH_LINE.sub("Content-Length: <n>", head)
            body, _, then = rest.rpartition("\n[then")
            text = f"{head}\n\n{shape(json.loads(body))}\n[then{then}"
        found[one.name] = mask(text, secrets)
    return found


def _exchange(address: tuple[str, int], sent: Sent) -> str:
    with socket.create_connection(address, _TIMEOUT_S) as connection:
        reader = _Reader(connection)
        if sent.after:
            connection.sendall(sent.after)
            reader.answer(has_body=True)
        connection.sendall(sent.data)
        found = reader.answer(has_body=not sent.data.startswith(b"HEAD "))
        try:
            connection.sendall(_ALIVE)
            after = reader.answer(has_body=True).partition("\n")[0]
        except OSError:
            after = ""
    return f"{found}\n[then: {after or 'closed'}]"


class _Reader:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._data = b""

    def answer(self, *, has_body: bool) -> str:
        """The next answer, interim ones too; what came of it if the connection ends. Empty if
        nothing came.
        """
        head, found = self._head()
        if not found:
            return head.decode("latin-1")
        code = _CODE.match(head)
        if code is not None and code[1].startswith(b"1") and code[1] != b"101":
            return f"{_shown(head)}\n{self.answer(has_body=has_body)}"
        if not has_body or (code is not None and code[1] in (b"204", b"304")):
            return _shown(head)
        if _CHUNKED.search(head):
            body = self._chunks()
        elif length := _LENGTH.search(head):
            body = self._take(int(length[1]))
        else:
            body = self._take(2**62)
        return f"{_shown(head)}\n\n{body.decode('utf-8', 'backslashreplace')}"

    def _head(self) -> tuple[bytes, bool]:
        while (end := self._data.find(b"\r\n\r\n")) < 0:
            if not self._more():
                head, self._data = self._data, b""
                return head, False
        head, self._data = self._data[:end], self._data[end + 4 :]
        return head, True

    def _chunks(self) -> bytes:
        body = b""
        while True:
            while b"\r\n" not in self._data:
                if not self._more():
                    return body
            line, _, self._data = self._data.partition(b"\r\n")
            size = int(line.split(b";")[0], 16)
            body += self._take(size)
            self._take(2)
            if size == 0:
                return body

    def _take(self, size: int) -> bytes:
        while len(self._data) < size and self._more():
            pass
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    def _more(self) -> bool:
        try:
            piece = self._connection.recv(_PIECE_BYTES)
        except ConnectionError:
            return False
        self._data += piece
        return bool(piece)


def _shown(head: bytes) -> str:
    first, *lines = head.decode("latin-1").split("\r\n")
    return "\n".join([first, *map(mask_header, lines)])
