"""Which cut follows a manifest: decided by one put before the cut is published (I3, I4).

Twins make the same cuts, so the manifest's key lets only one of them publish a cut. If one of them
cannot read a record, their cuts may end at different offsets, and both manifests could be put under
different keys. Therefore a document of the next cut is put first, if absent, under a key that
contains the predecessor's name. It has the cut's end and the records that the cut lacks. Only the
cut of the newest such document is published. (The keys' prefix is `headings/`.)
"""

from collections.abc import Sequence

import msgspec

from common.errors import DamagedObject, ObjectMissing
from common.model.reroute import EpochOffset
from snapshot.damage.damage import covers, is_log_damage
from snapshot.documents.chain import Chain
from snapshot.documents.checksummed import DOCUMENT_FORMAT, encode_checksummed
from snapshot.documents.manifest import Manifest, manifest_prefix


class NextCut(msgspec.Struct, frozen=True, kw_only=True):
    """The cut that follows `predecessor` in an epoch.

    predecessor: key of a manifest; None for the first cut of a partition.
    number: counts from 1. A later document replaces one whose cut no indexer can make.
    next_offset: the cut's exclusive end.
    set_aside: see `unreadable_offsets`.
    """

    partition: int
    epoch_number: int
    predecessor: str | None
    number: int
    next_offset: int
    set_aside: list[int]
    format: int = DOCUMENT_FORMAT

    @property
    def key(self) -> str:
        """Its key in the object store."""
        prefix = next_cut_prefix(self.partition, self.epoch_number, self.predecessor)
        return f"{prefix}{self.number:04d}.json"

    def is_of(self, manifest: Manifest) -> bool:
        """Whether the manifest is of this cut."""
        return (manifest.next_offset, unreadable_offsets(manifest)) == (
            self.next_offset,
            self.set_aside,
        )


def unreadable_offsets(manifest: Manifest) -> list[int]:
    """Offsets that a cut lacks because one copy of the log is damaged there.

    Records whose content is wrong as it was written are not among them: no reader can read them, so
    the twins cannot differ about them.
    """
    content = [entry for entry in manifest.damaged or () if not is_log_damage(entry)]
    offsets = [entry.offset for entry in manifest.set_aside]
    if not content:
        return offsets
    number = manifest.epoch_number
    return [
        at for at in offsets if not any(covers(one, EpochOffset(number, at)) for one in content)
    ]


def next_cut_prefix(partition: int, epoch_number: int, predecessor: str | None) -> str:
    """Prefix of the keys of the next cut's documents after a manifest."""
    after = "start"
    if predecessor is not None:
        after = predecessor.removeprefix(manifest_prefix(partition)).removesuffix(".json")
    return f"headings/{partition:05d}/{epoch_number:08d}-after-{after}-"


def newest_next_cut(chain: Chain, epoch_number: int, predecessor: str | None) -> NextCut | None:
    """The next cut in force; None if there is none. A damaged document counts as missing.

    Blocks. Raises ObjectsUnavailable.
    """
    prefix = next_cut_prefix(chain.partition, epoch_number, predecessor)
    for info in reversed(list(chain.objects.list(prefix))):
        try:
            return chain.load(info.key, NextCut)
        except (DamagedObject, ObjectMissing):
            continue
    return None


def propose_next_cut(chain: Chain, manifest: Manifest, *, supersede: bool) -> NextCut:
    """Put the next cut, or find the one that is there. Blocks.

    supersede: replace another next cut that no indexer has published for long.
    Returns the next cut in force; the manifest may be published if it is of that cut.
    """
    first = _next_cut_of(manifest, 1)
    if chain.objects.put_if_absent(first.key, encode_checksummed(first)):
        return first  # as nearly always: one call
    found = newest_next_cut(chain, manifest.epoch_number, manifest.predecessor)
    if found is not None and (found.is_of(manifest) or not supersede):
        return found
    prefix = next_cut_prefix(manifest.partition, manifest.epoch_number, manifest.predecessor)
    taken = [info.key for info in chain.objects.list(prefix)]
    ours = _next_cut_of(manifest, _number(taken, prefix) + 1)
    if chain.objects.put_if_absent(ours.key, encode_checksummed(ours)):
        return ours
    return newest_next_cut(chain, manifest.epoch_number, manifest.predecessor) or ours


def _next_cut_of(manifest: Manifest, number: int) -> NextCut:
    return NextCut(
        partition=manifest.partition,
        epoch_number=manifest.epoch_number,
        predecessor=manifest.predecessor,
        number=number,
        next_offset=manifest.next_offset,
        set_aside=unreadable_offsets(manifest),
    )


def _number(taken: Sequence[str], prefix: str) -> int:
    names = (key.removeprefix(prefix).removesuffix(".json") for key in taken)
    return max((int(name) for name in names if name.isdigit()), default=0)
