"""Compaction documents: which segments were put together into which object (I2, I4).

Numbered per partition and put only if absent, as retention documents are, and applied in order. A
segment that was put together with others, an input, stays what retention and deletions judge. The
output only says where its rows are read.
"""

from collections.abc import Iterable
from typing import ClassVar

import msgspec

from snapshot.documents.checksummed import DOCUMENT_FORMAT
from snapshot.documents.manifest import PACKS_FORMAT, SegmentEntry


class Compaction(msgspec.Struct, frozen=True, kw_only=True):
    """One output.

    inputs: the published segments whose rows it holds, in log order.
    output: the object that holds them; never an input itself.
    replaces: hashes of outputs of earlier documents whose inputs this one takes over.
    """

    inputs: list[SegmentEntry]
    output: SegmentEntry
    replaces: list[str] = []


class CompactionDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the compaction of a partition.

    compactions: the outputs that are read from now on.
    deletes: numbers of documents whose superseded objects are deleted from now on.
    published_ns: unix ns.
    format: `PACKS_FORMAT` if an output lies in a pack, with others of this document.
    """

    newest_format: ClassVar[int] = PACKS_FORMAT
    partition: int
    number: int
    compactions: list[Compaction]
    published_ns: int
    deletes: list[int] = []
    writer: str = ""
    format: int = DOCUMENT_FORMAT

    @property
    def key(self) -> str:
        """Its key in the object store."""
        return compaction_key(self.partition, self.number)


def compactions_format(compactions: Iterable[Compaction]) -> int:
    """The format of a document of these."""
    packed = any(one.output.pack for one in compactions)
    return PACKS_FORMAT if packed else DOCUMENT_FORMAT


def compaction_key(partition: int, number: int) -> str:
    """Key of a partition's compaction document of that number."""
    return f"{compaction_prefix(partition)}{number:08d}.json"


def compaction_prefix(partition: int) -> str:
    """Prefix of the keys of a partition's compaction documents."""
    return f"compactions/{partition:05d}/"
