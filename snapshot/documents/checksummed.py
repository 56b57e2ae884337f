"""Documents of the object store: JSON wrapped with the SHA-256 of its own bytes (I4).

A document whose checksum does not match raises DamagedObject. A document of a newer format than
this program knows is not damaged and raises DocumentTooNew. A kind of document whose newest format
is not the first has a class variable `newest_format`.
"""

import hashlib
from typing import TypeVar

import msgspec

from common.errors import BellwetherError, DamagedObject

DOCUMENT_FORMAT = 1
T = TypeVar("T")


class DocumentTooNew(BellwetherError):
    """A document of a format that this program does not know; upgrade the program."""


class _Envelope(msgspec.Struct, frozen=True):
    sha256: str
    body: msgspec.Raw


class _Versioned(msgspec.Struct, frozen=True):
    format: int


def encode_checksummed(document: msgspec.Struct) -> bytes:
    """The document's bytes: one line of JSON, `{"sha256":"<of body>","body":{...}}`."""
    body = msgspec.json.encode(document)
    checksum = hashlib.sha256(body).hexdigest().encode()
    return b'{"sha256":"%b","body":%b}\n' % (checksum, body)


def decode_checksummed(data: bytes, kind: type[T], key: str) -> T:
    """Read what `encode_checksummed` wrote. Raises DamagedObject (naming `key`), DocumentTooNew."""
    body = checked_body(data, kind, key)
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise DamagedObject(f"{key}: cannot be read: {error}") from error


def decode_stored(data: bytes, kind: type[T], key: str) -> T:
    """The same for what is stored under a key, which has to be the document's own: one that came
    under another's key would be read as that one. Raises as `decode_checksummed`.
    """
    document = decode_checksummed(data, kind, key)
    own = getattr(document, "key", key)  # not every kind says its key
    if own != key:
        raise DamagedObject(f"{key}: it is the document of {own}")
    return document


def checked_body(data: bytes, kind: type, key: str) -> bytes:
    """The JSON of a document of this kind, undamaged and of a format that this program knows.

    Raises DamagedObject (naming `key`), DocumentTooNew.
    """
    try:
        envelope = msgspec.json.decode(data, type=_Envelope)
        body = bytes(envelope.body)
        if hashlib.sha256(body).hexdigest() != envelope.sha256:
            raise DamagedObject(f"{key}: checksum does not match")
        version = msgspec.json.decode(body, type=_Versioned).format
        newest = getattr(kind, "newest_format", DOCUMENT_FORMAT)
        if version > newest:
            raise DocumentTooNew(f"{key}: format {version} is newer than {newest}")
        return body
    except msgspec.MsgspecError as error:
        raise DamagedObject(f"{key}: cannot be read: {error}") from error
    except UnicodeDecodeError as error:
        raise DamagedObject(f"{key}: not UTF-8") from error
