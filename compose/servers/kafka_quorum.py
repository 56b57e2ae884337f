"""Finds the active controller with Kafka's DescribeQuorum request.

The client library cannot find it: in KRaft mode a metadata response names some broker as the
controller, not the active one. The request is encoded by hand after the published protocol
(https://kafka.apache.org/protocol, API key 55, version 0).
"""

import socket
import struct

_API_KEY, _VERSION, _CORRELATION = 55, 0, 1
_TOPIC = b"__cluster_metadata"
_ANSWER_BYTES_MAX = 1 << 20
_TIMEOUT_S = 2.0


class QuorumUnknown(Exception):
    """The broker did not return the leader of the controllers."""


def find_active_controller(host: str, port: int) -> int:
    """The id of the active controller. Raises QuorumUnknown."""
    try:
        with socket.create_connection((host, port), _TIMEOUT_S) as connection:
            connection.settimeout(_TIMEOUT_S)
            connection.sendall(_request())
            (size,) = struct.unpack(">i", _read(connection, 4))
            if not 0 < size <= _ANSWER_BYTES_MAX:
                raise QuorumUnknown(f"an answer of {size} bytes")
            return _leader(_read(connection, size))
    except (OSError, struct.error, IndexError) as error:
        raise QuorumUnknown(f"{host}:{port}: {error}") from error


def _request() -> bytes:
    header = struct.pack(">hhi", _API_KEY, _VERSION, _CORRELATION) + b"\xff\xff" + b"\x00"
    partition = struct.pack(">i", 0) + b"\x00"
    # compact arrays and strings carry their length plus one; each struct ends with no tags
    topic = bytes([len(_TOPIC) + 1]) + _TOPIC + b"\x02" + partition + b"\x00"
    body = header + b"\x02" + topic + b"\x00"
    return struct.pack(">i", len(body)) + body


def _leader(answer: bytes) -> int:
    at = 4 + 1  # correlation id, tags of the header
    (error,) = struct.unpack_from(">h", answer, at)
    if error:
        raise QuorumUnknown(f"error code {error}")
    at += 2 + 1  # one topic
    at += answer[at] + 1  # its name, and the count of its partitions
    _, error, leader = struct.unpack_from(">ihi", answer, at)
    if error or leader < 0:
        raise QuorumUnknown(f"error code {error}, leader {leader}")
    return int(leader)


def _read(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        block = connection.recv(size - len(data))
        if not block:
            raise QuorumUnknown("the broker closed the connection")
        data += block
    return data
