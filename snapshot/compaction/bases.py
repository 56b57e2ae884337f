"""Bases: what the compaction documents up to one number come to, so that those can go (I2, I4).

A base names *parts*: objects named by the SHA-256 of their bytes, each with what is still needed of
neighbouring documents. Parts that have not changed since the base before are named again.
docs/adr/0044-compaction-bases.md has the reasons.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from common.errors import DamagedObject
from common.objects import ObjectStore
from snapshot.compaction.documents import CompactionDocument
from snapshot.documents.checksummed import DOCUMENT_FORMAT, decode_checksummed, encode_checksummed
from snapshot.documents.locations import SegmentLocation
from snapshot.documents.manifest import SegmentEntry


class KeptOutput(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An output that is read.

    inputs: as in its document.
    gone: positions of the inputs whose deletion was announced.
    """

    output: SegmentEntry
    inputs: list[SegmentEntry]
    gone: list[int] = []


class PackMember(msgspec.Struct, frozen=True, array_like=True):
    """An output in a pack, whether it is read or not. pack_offset: of its first byte."""

    object: str
    size_bytes: int
    pack_offset: int


class KeptPack(msgspec.Struct, frozen=True, kw_only=True):
    """A pack of outputs, with all that lie in it: so that it can be put together again."""

    pack: str
    members: list[PackMember]

    def locations(self) -> list[SegmentLocation]:
        """Where its outputs lie."""
        return [
            SegmentLocation(one.object, one.size_bytes, self.pack, one.pack_offset)
            for one in self.members
        ]


class KeptDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is needed of one compaction document.

    published_ns: unix ns.
    outputs: those that are read, in its order.
    packs: those in which one of these lies.
    inputs, replaced: segments and outputs that it makes superfluous, if their deletion was not
        announced.
    """

    number: int
    published_ns: int
    outputs: list[KeptOutput] = []
    packs: list[KeptPack] = []
    inputs: list[SegmentEntry] = []
    replaced: list[SegmentEntry] = []


class BasePart(msgspec.Struct, frozen=True, kw_only=True):
    """What is needed of neighbouring documents, by their numbers."""

    partition: int
    documents: list[KeptDocument]
    format: int = DOCUMENT_FORMAT


class PartRef(msgspec.Struct, frozen=True, kw_only=True):
    """A part. first, last: numbers of its documents. object: SHA-256 of its bytes."""

    first: int
    last: int
    object: str
    size_bytes: int


class CompactionBase(msgspec.Struct, frozen=True, kw_only=True):
    """What documents 1 to `number` come to. parts: by their documents, ascending."""

    partition: int
    number: int
    parts: list[PartRef]
    format: int = DOCUMENT_FORMAT

    @property
    def key(self) -> str:
        """Its key in the object store."""
        return f"{base_prefix(self.partition)}{self.number:08d}.json"

    def part_of(self, document: int) -> PartRef | None:
        """The part that has what is needed of a document; None: nothing is."""
        return next((one for one in self.parts if one.first <= document <= one.last), None)


def base_prefix(partition: int) -> str:
    """Prefix of the keys of a partition's bases."""
    return f"compaction-bases/{partition:05d}/"


def part_prefix(partition: int) -> str:
    """Prefix of the keys of a partition's parts."""
    return f"compaction-parts/{partition:05d}/"


def part_key(partition: int, object_hash: str) -> str:
    """Key of a part."""
    return f"{part_prefix(partition)}{object_hash}.json"


class EncodedPart(NamedTuple):
    """A part as it is stored."""

    ref: PartRef
    data: bytes


def encode_part(partition: int, documents: list[KeptDocument]) -> EncodedPart:
    """The part with these documents, of which there is at least one."""
    data = encode_checksummed(BasePart(partition=partition, documents=documents))
    ref = PartRef(
        first=documents[0].number,
        last=documents[-1].number,
        object=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
    )
    return EncodedPart(ref, data)


def read_part(objects: ObjectStore, partition: int, ref: PartRef) -> BasePart:
    """A part, whole. Blocks.

    Raises DamagedObject, ObjectMissing, DocumentTooNew, ObjectsUnavailable.
    """
    key = part_key(partition, ref.object)
    return part_of_bytes(objects.get(key), ref, key)


def part_of_bytes(data: bytes, ref: PartRef, key: str) -> BasePart:
    """A part from what is stored under its key. Raises DamagedObject, DocumentTooNew."""
    if hashlib.sha256(data).hexdigest() != ref.object:
        raise DamagedObject(f"{key}: its content has another hash")
    return decode_checksummed(data, BasePart, key)


def whole_document(document: CompactionDocument) -> KeptDocument:
    """All outputs and packs of a document, as a part would have them."""
    packs: dict[str, list[PackMember]] = {}
    for one in document.compactions:
        made = one.output
        if made.pack:
            member = PackMember(made.object, made.size_bytes, made.pack_offset)
            packs.setdefault(made.pack, []).append(member)
    return KeptDocument(
        number=document.number,
        published_ns=document.published_ns,
        outputs=[KeptOutput(output=o.output, inputs=o.inputs) for o in document.compactions],
        packs=[KeptPack(pack=pack, members=members) for pack, members in packs.items()],
    )


def part_ranges(sizes: Mapping[int, int], bytes_max: int) -> list[list[int]]:
    """Which documents share a part: halves, quarters and so on of a power of two of numbers, each
    as large as `bytes_max` allows. So where parts end depends on nothing but what is near.

    sizes: by number of a document from 1, the bytes of what is needed of it. One with more than
    `bytes_max` is a part of its own.
    """
    found: list[list[int]] = []

    def split(numbers: Sequence[int], first: int, width: int) -> None:
        if not numbers:
            return
        if width == 1 or sum(sizes[number] for number in numbers) <= bytes_max:
            found.append(list(numbers))
            return
        half = first + width // 2
        split([number for number in numbers if number < half], first, width // 2)
        split([number for number in numbers if number >= half], half, width // 2)

    numbers = sorted(sizes)
    if numbers:
        split(numbers, 0, 1 << numbers[-1].bit_length())
    return found
