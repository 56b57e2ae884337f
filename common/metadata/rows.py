"""The whole metadata as a stream of typed rows, and each row as one line of JSON.

Keys appear with their hash, never with their text, which nobody has. Rows come by kind, parents
before children, and by id within a kind: the same metadata always gives the same bytes.
"""

import re
from dataclasses import fields
from typing import Final

import msgspec

from common.metadata.interface import (
    Access,
    ApiKey,
    Column,
    Dataset,
    Environment,
    MetadataRow,
    StoredQuery,
    Team,
)

KINDS: Final[dict[str, type[MetadataRow]]] = {
    "team": Team,
    "environment": Environment,
    "key": ApiKey,
    "dataset": Dataset,
    "query": StoredQuery,
    "column": Column,
}
_NAMES = {kind: name for name, kind in KINDS.items()}


class UnknownRow(ValueError):
    """A line that this program cannot read as a row."""


class _Line(msgspec.Struct):
    kind: str
    row: msgspec.Raw


def encode_access(access: Access) -> str:
    """A key's rights as both databases store them.

    `operate` stands there only where it is given: programs that are older than this right cannot
    read a key that names it.
    """
    rights = {f.name: getattr(access, f.name) for f in fields(Access)}
    if not access.operate:
        del rights["operate"]
    return msgspec.json.encode(rights).decode()


def decode_access(text: str) -> Access:
    """Rights that are not named have their defaults; those of a newer program are passed over."""
    return msgspec.json.decode(text, type=Access)


def url_slug_pattern(url_slug: str) -> str:
    """What `LIKE ... ESCAPE '='` finds all slugs by that may have this second name: a `-` of it may
    stand for any character, of any number of bytes.
    """
    literal = re.sub("([=_%])", r"=\1", url_slug)
    return re.sub("-+", "%", literal)


def kind_of(row: MetadataRow) -> str:
    """The row's kind, as lines name it."""
    return _NAMES[type(row)]


def encode_row(row: MetadataRow) -> bytes:
    """One line of JSON, with its line break."""
    return msgspec.json.encode({"kind": kind_of(row), "row": row}) + b"\n"


def decode_row(line: bytes) -> MetadataRow:
    """Read what `encode_row` wrote. Raises UnknownRow."""
    try:
        found = msgspec.json.decode(line, type=_Line)
        kind = KINDS[found.kind]
        row: MetadataRow = msgspec.json.decode(found.row, type=kind)
    except KeyError as error:
        raise UnknownRow(f"rows of kind {error} are not known: upgrade this program") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UnknownRow(f"a row cannot be read: {error}") from error
    return row
