"""Packs whose segments expire: a pack is deleted when all of its segments are (I5).

A document that expires segments of a pack says where the manifest of the pack's cut is. That
manifest names all of the pack's segments, whatever this process has indexed so far.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from common.errors import DamagedObject, ObjectMissing
from common.logs import log_event
from snapshot.documents.chain import Chain
from snapshot.documents.manifest import Manifest, SegmentEntry

logger = logging.getLogger(__name__)


class PackedSegments(msgspec.Struct, frozen=True, kw_only=True):
    """The segments of one pack that a document expires.

    pack: its hash.
    epoch_number, end_offset: of one of them: the first manifest that ends there or later has it.
    segments: positions of their hashes in the document's `objects`.
    """

    pack: str
    epoch_number: int
    end_offset: int
    segments: list[int]


def packed_segments(
    entries: Iterable[SegmentEntry], objects: Sequence[str]
) -> list[PackedSegments]:
    """Which of these objects, each once, are ranges of packs."""
    places = {entry.object: entry for entry in entries if entry.pack}
    found: dict[str, list[int]] = {}
    for position, name in enumerate(objects):
        if name in places:
            found.setdefault(places[name].pack, []).append(position)
    firsts = {pack: places[objects[positions[0]]] for pack, positions in found.items()}
    return [
        PackedSegments(
            pack=pack,
            epoch_number=firsts[pack].epoch_number,
            end_offset=firsts[pack].end_offset,
            segments=positions,
        )
        for pack, positions in found.items()
    ]


def unused_packs(
    chain: Chain, packs: Iterable[PackedSegments], is_deleted: Callable[[str], bool]
) -> Iterator[str]:
    """Those of the packs all of whose segments are deleted. Blocks. Raises ObjectsUnavailable.

    is_deleted: whether a document has announced that the segment of this hash is deleted. A pack
    whose manifest cannot be read stays.
    """
    read: dict[tuple[int, int], Manifest | None] = {}
    for one in packs:
        place = (one.epoch_number, one.end_offset)
        if place not in read:
            read[place] = _manifest_at(chain, *place)
        manifest = read[place]
        members = [] if manifest is None else [s for s in manifest.segments if s.pack == one.pack]
        if members and all(is_deleted(member.object) for member in members):
            yield one.pack


def _manifest_at(chain: Chain, epoch_number: int, end_offset: int) -> Manifest | None:
    try:
        return chain.manifest_of(epoch_number, end_offset)
    except (DamagedObject, ObjectMissing) as error:
        text = "a pack stays, because its manifest cannot be read"
        log_event(logger, logging.WARNING, text, partition=chain.partition, why=str(error))
        return None
