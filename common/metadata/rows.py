"""Encodes each row of the metadata as one line of JSON, for exports.

Keys have their hash, never their text, which is stored nowhere. Rows are ordered by kind, parents
before children, and by id within a kind, so the same metadata always gives the same bytes.
"""

import re
from dataclasses import fields
from typing import Final

import msgspec

from common.metadata.interface import (
    Access,
    ApiKey,
    Column,
    ColumnFacts,
    Dataset,
    Environment,
    MetadataRow,
    StoredQuery,
    Team,
)
from common.metadata.resources import RESOURCES

KINDS: Final[dict[str, type[MetadataRow]]] = {
    "team": Team,
    "environment": Environment,
    "key": ApiKey,
    "dataset": Dataset,
    "query": StoredQuery,
    "column": Column,
    "column_facts": ColumnFacts,
    **RESOURCES,
}
_NAMES = {kind: name for name, kind in KINDS.items()}


class UnknownRow(ValueError):
    """A line that this program cannot read as a row."""


class _Line(msgspec.Struct):
    kind: str
    row: msgspec.Raw


def encode_access(access: Access) -> str:
    """A key's rights as both databases store them.

    `operate` is included only if it is granted: programs that are older than this right cannot read
    a key that has it.
    """
    rights = {f.name: getattr(access, f.name) for f in fields(Access)}
    if not access.operate:
        del rights["operate"]
    return msgspec.json.encode(rights).decode()


def decode_access(text: str) -> Access:
    """Read rights. Those that are missing have their defaults; unknown ones are ignored."""
    return msgspec.json.decode(text, type=Access)


def url_slug_pattern(url_slug: str) -> str:
    """The pattern for `LIKE ... ESCAPE '='` that matches all slugs that may have this second name.

    Each `-` may stand for any character, of any number of bytes.
    """
    literal = re.sub("([=_%])", r"=\1", url_slug)
    return re.sub("-+", "%", literal)


def kind_of(row: MetadataRow) -> str:
    """The row's kind, as in the lines."""
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
