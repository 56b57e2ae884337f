"""The body of a request for a share: its plan as JSON, and tables of keys as Arrow behind it.

A body with keys begins with a word that no JSON begins with, and the length of the JSON. The tables
are Arrow IPC streams one after another, in the order of the plan's joins.
"""

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
import pyarrow as pa

from common.errors import BadRequest
from common.process.versions import decode_request
from query.plan.plan import ShareRequest

_MAGIC: Final = b"BWKEYS\0\1"
_LENGTH: Final = struct.Struct("<I")
_HEAD: Final = len(_MAGIC) + _LENGTH.size


class ShareBody(NamedTuple):
    """A decoded body."""

    request: ShareRequest
    keys: list[pa.Table]


def encode_keys(tables: Sequence[pa.Table]) -> bytes:
    """The tables of keys, once for all indexers."""
    sink = pa.BufferOutputStream()
    for table in tables:
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    return bytes(sink.getvalue())


def encode_body(request: ShareRequest, keys: bytes = b"") -> bytes:
    """keys: as `encode_keys` makes them; empty: the body is JSON alone."""
    text = msgspec.json.encode(request)
    return b"".join((_MAGIC, _LENGTH.pack(len(text)), text, keys)) if keys else text


def decode_body(data: bytes | bytearray) -> ShareBody:
    """Read a body. Raises BadRequest."""
    if not data.startswith(_MAGIC):
        return ShareBody(decode_request(bytes(data), ShareRequest), [])
    if len(data) < _HEAD:
        raise BadRequest("the body of a share ends too early")
    end = _HEAD + _LENGTH.unpack_from(data, len(_MAGIC))[0]
    request = decode_request(bytes(data[_HEAD:end]), ShareRequest)
    return ShareBody(request, _tables(pa.py_buffer(data).slice(min(end, len(data)))))


def _tables(data: pa.Buffer) -> list[pa.Table]:
    source, tables = pa.BufferReader(data), list[pa.Table]()
    try:
        while source.tell() < data.size:
            with pa.ipc.open_stream(source) as reader:
                tables.append(reader.read_all())
    except (pa.ArrowInvalid, OSError) as error:
        raise BadRequest(f"the keys of a share cannot be read: {error}") from error
    return tables
