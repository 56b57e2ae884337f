"""Writes zipkin.proto3 messages, as the encoding's public description tells."""

from typing import Any

_KINDS = {"CLIENT": 1, "SERVER": 2, "PRODUCER": 3, "CONSUMER": 4}


def varint(value: int) -> bytes:
    out = bytearray()
    value &= 2**64 - 1
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def fixed64(field: int, value: int) -> bytes:
    return varint(field << 3 | 1) + value.to_bytes(8, "little")


def block(field: int, content: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(content)) + content


def endpoint(of: dict[str, Any]) -> bytes:
    out = block(1, of["serviceName"].encode()) if "serviceName" in of else b""
    out += block(2, of["ipv4"]) if "ipv4" in of else b""
    out += block(3, of["ipv6"]) if "ipv6" in of else b""
    return out + (number(4, of["port"]) if "port" in of else b"")


def span(of: dict[str, Any]) -> bytes:
    """A span from what version 2 of the JSON calls its members; ids are bytes."""
    out = b"".join(
        block(field, of[name])
        for field, name in ((1, "traceId"), (2, "parentId"), (3, "id"))
        if name in of
    )
    if "kind" in of:
        out += number(4, _KINDS.get(of["kind"], 9))
    if "name" in of:
        out += block(5, of["name"].encode())
    if "timestamp" in of:
        out += fixed64(6, of["timestamp"])
    if "duration" in of:
        out += number(7, of["duration"])
    for field, name in ((8, "localEndpoint"), (9, "remoteEndpoint")):
        out += block(field, endpoint(of[name])) if name in of else b""
    for one in of.get("annotations", ()):
        out += block(10, fixed64(1, one["timestamp"]) + block(2, one["value"].encode()))
    for name, text in of.get("tags", {}).items():
        out += block(11, block(1, name.encode()) + block(2, text.encode()))
    out += number(12, 1) if of.get("debug") else b""
    return out + (number(13, 1) if of.get("shared") else b"")


def body(*spans: bytes) -> bytes:
    """A ListOfSpans."""
    return b"".join(block(1, one) for one in spans)
