"""Request bodies of events: their encodings, and decompression within an absolute size.

A decompression-bomb guard by ratio would refuse honest clients (5 MB of similar events compress 750
times), so every guard is an absolute size (I11).
"""

import zlib
from collections.abc import Callable
from typing import Final

import zstandard

from common import limits
from common.errors import BadRequest, UnsupportedMedia
from common.scan.events import MalformedBody
from common.scan.work_budget import Work

_PIECE_BYTES = 16_384
_ZSTD_PIECE_BYTES = 256  # four bytes can encode 128 KiB: one piece yields at most 8 MiB
_MEMBERS_MAX = 1_000  # each member costs a decoder; real bodies have one
# Bytes by which an encoding may exceed what it encodes: file names, skipped frames.
_EXCESS_BYTES_MAX = 65_536
_ZSTD_WINDOW_BYTES_MAX = 8 * 1024 * 1024  # what RFC 8878 asks every decoder to support


class BodyTooLarge(BadRequest):
    """The vendor answers 400, not 413, to a body of events that is too large."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"Request body is too large. (the limit is {limit} bytes)")


class EmptyBody(BadRequest):
    """The body is empty."""

    def __init__(self) -> None:
        super().__init__("Request body should not be empty.")


def wire_bytes_max(plain_max: int, encoding: str) -> int:
    """The most encoded bytes of a body that may decompress to `plain_max` bytes."""
    if not encoding:
        return plain_max
    return plain_max + plain_max // limits.ENCODING_SHARE + limits.ENCODING_BYTES_MAX


def check_encoding(encoding: str) -> None:
    """Raises UnsupportedMedia for a Content-Encoding that is not supported."""
    if encoding and encoding.strip().lower() not in _DECODERS:
        raise UnsupportedMedia("unsupported content encoding: use gzip, zstd, deflate or none")


def decompress(body: bytes, encoding: str, bytes_max: int, work: Work | None = None) -> bytes:
    """As `decode_content`, of a body that is not blank: raises EmptyBody too."""
    plain = decode_content(body, encoding, bytes_max, work)
    if not plain.strip(b" \t\r\n"):
        raise EmptyBody
    return plain


def decode_content(body: bytes, encoding: str, bytes_max: int, work: Work | None = None) -> bytes:
    """The body's content, at most `bytes_max`. Blocks: call it in a thread for large bodies.

    `encoding` has passed `check_encoding`. Raises BodyTooLarge, MalformedBody, TooMuchWork;
    WorkStopped when `work` is stopped meanwhile.
    """
    decoder = _DECODERS[encoding.strip().lower()]
    plain = decoder(body, bytes_max, work or Work()) if decoder is not None else body
    if len(plain) > bytes_max:
        raise BodyTooLarge(bytes_max)
    return plain


def _gunzip(body: bytes, bytes_max: int, work: Work) -> bytes:
    """All members of a gzip body."""
    return _unzip(body, 16 + zlib.MAX_WBITS, "gzip", bytes_max, work)


def _inflate(body: bytes, bytes_max: int, work: Work) -> bytes:
    """A deflate body: in zlib's format, as RFC 9110 has it, or without, as some clients send."""
    has_header = (
        len(body) > 1
        and body[0] & 0x0F == zlib.DEFLATED
        and not (int.from_bytes(body[:2], "big") % 31)
    )
    wbits = zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS
    return _unzip(body, wbits, "deflate", bytes_max, work)


def _unzip(body: bytes, wbits: int, name: str, bytes_max: int, work: Work) -> bytes:
    """All members of a body in one of zlib's formats."""
    pieces: list[bytes] = []
    room = bytes_max + 1
    at = members = 0
    while at < len(body):
        members += 1
        unzip = zlib.decompressobj(wbits)
        while not unzip.eof:
            if at == len(body):
                raise MalformedBody(f"its {name} encoding is truncated")
            piece = body[at : at + _PIECE_BYTES]
            try:
                plain = unzip.decompress(piece, room)
            except zlib.error as error:
                raise MalformedBody(f"its {name} encoding is damaged") from error
            at += len(piece) - len(unzip.unused_data)
            room = _keep(plain, pieces, room, bytes_max)
            _check_excess(at, bytes_max + 1 - room, work)
        _check_members(members)
    return b"".join(pieces)


def _unzstd(body: bytes, bytes_max: int, work: Work) -> bytes:
    """All frames of a zstd body."""
    decoder = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES_MAX)
    pieces: list[bytes] = []
    room = bytes_max + 1
    at = members = 0
    while at < len(body):
        members += 1
        frame = decoder.decompressobj()
        while not frame.eof:
            if at == len(body):
                raise MalformedBody("its zstd encoding is truncated")
            piece = body[at : at + _ZSTD_PIECE_BYTES]
            try:
                plain = frame.decompress(piece)
            except zstandard.ZstdError as error:
                raise MalformedBody("its zstd encoding is damaged") from error
            at += len(piece) - len(frame.unused_data)
            room = _keep(plain, pieces, room, bytes_max)
            _check_excess(at, bytes_max + 1 - room, work)
        _check_members(members)
    return b"".join(pieces)


def _keep(plain: bytes, pieces: list[bytes], room: int, bytes_max: int) -> int:
    """Add a piece; returns the room that is left."""
    pieces.append(plain)
    if len(plain) >= room:
        raise BodyTooLarge(bytes_max)
    return room - len(plain)


def _check_excess(read: int, plain: int, work: Work) -> None:
    """Refuse excess encoded bytes: empty blocks cost as much work as others, while an encoder
    needs only a few bytes per 16 KiB.
    """
    work.check()
    if read - plain > _EXCESS_BYTES_MAX:
        raise MalformedBody("its encoding is much larger than what it encodes")


def _check_members(members: int) -> None:
    if members > _MEMBERS_MAX:
        raise MalformedBody(f"it has more than {_MEMBERS_MAX} compressed members")


_DECODERS: Final[dict[str, Callable[[bytes, int, Work], bytes] | None]] = {
    "": None,
    "identity": None,
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _inflate,
    "zstd": _unzstd,
    "zst": _unzstd,
}
