"""Manifests: one per partition and cut, put only if absent, linked to their predecessor (I3, I4).

A manifest has everything that a new indexer needs besides the log: this cut's segments, its batch
ids and hour markers, and the state that is carried on. docs/formats.md describes the format.
"""

import base64
from collections.abc import Iterable
from typing import ClassVar

import msgspec

from common.model.record import BATCH_ID_BYTES
from common.model.reroute import EpochOffset
from snapshot.documents.checksummed import DOCUMENT_FORMAT, decode_stored, encode_checksummed
from snapshot.documents.locations import SegmentLocation

PACKS_FORMAT = 2  # of a document that names a pack: older programs would not find its segments
COMPACTED_FORMAT = 3  # of manifests while there are compactions: who knows none stops at it
BASES_FORMAT = 4  # of manifests while there are bases of compactions
_OFFSET_BYTES = 8
_ENTRY_BYTES = BATCH_ID_BYTES + _OFFSET_BYTES


class SegmentEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One segment: rows of one dataset in one cut.

    epoch_number: of the log epoch that the offsets belong to.
    time_min_ns, time_max_ns, append_min_ns, append_max_ns: inclusive, unix ns.
    first_offset, end_offset: of the rows' records; the end is exclusive.
    object: SHA-256 of the file's bytes, hex.
    digest: of the logical content.
    far: the events' times are far from their append times.
    pack: hash of the pack that holds the file's bytes; "": they are an object of their own.
    pack_offset: first byte of its range in the pack, which is `size_bytes` long.
    """

    team: str
    env: str
    dataset: str
    epoch_number: int
    rows: int
    time_min_ns: int
    time_max_ns: int
    append_min_ns: int
    append_max_ns: int
    first_offset: int
    end_offset: int
    object: str
    size_bytes: int
    digest: str
    far: bool
    pack: str = ""
    pack_offset: int = 0

    @property
    def location(self) -> SegmentLocation:
        """Where its bytes lie."""
        return SegmentLocation(self.object, self.size_bytes, self.pack, self.pack_offset)


def chain_order(entry: SegmentEntry) -> tuple[int, int, str, bool]:
    """Sort key: the order in which a partition's segments were made."""
    return entry.epoch_number, entry.end_offset, entry.dataset, entry.far


class Gap(msgspec.Struct, frozen=True):
    """Offsets that were lost before they were indexed (I5).

    epoch: the log's id.
    end: exclusive; None: it cannot be known.
    """

    epoch: str
    first: int
    end: int | None
    reason: str


class QuarantinedRecord(msgspec.Struct, frozen=True):
    """A record that could not be read, and why."""

    offset: int
    reason: str


class Damaged(msgspec.Struct, frozen=True, kw_only=True):
    """One record, or a run of records, that could not be read and whose rows are missing.

    first, end: offsets; the end is exclusive.
    cause: see `snapshot.damage.damage`.
    dataset: "" if it may have been any dataset.
    events: their number according to the headers; None: not known.
    append_min_ns, append_max_ns: bounds of the append times, unix ns.
    exact: every offset from `first` up to `end` is damaged, not only some of them.
    credible: the partition has a dataset of this id. Otherwise the id may be damaged as well, and
    the record may have been of any dataset.
    """

    epoch_number: int
    first: int
    end: int
    cause: str
    reason: str
    team: str = ""
    env: str = ""
    dataset: str = ""
    events: int | None = None
    append_min_ns: int = 0
    append_max_ns: int = 2**63 - 1
    exact: bool = True
    credible: bool = True


class HourMarker(msgspec.Struct, frozen=True):
    """A marker that closed an hour.

    hour: unix hours.
    offset: of the marker's record.
    """

    hour: int
    offset: int


class ClockStep(msgspec.Struct, frozen=True):
    """A clock record that set the log's time back.

    offset: of the record.
    append_ns: its append time, from which the log's time continued.
    was_ns: the log's time before it.
    """

    offset: int
    append_ns: int
    was_ns: int


class DatasetTombstone(msgspec.Struct, frozen=True):
    """Rows of the dataset before this position are no longer served."""

    dataset: str
    epoch_number: int
    offset: int


class Conditional(msgspec.Struct, frozen=True, kw_only=True):
    """A batch of this partition that may be in others too: whether it counts is undecided.

    batch: hex.
    epoch_number, offset: its position.
    unless: partitions that have not answered yet.
    """

    batch: str
    epoch_number: int
    offset: int
    append_ns: int
    dataset: str
    unless: tuple[int, ...]

    @property
    def position(self) -> EpochOffset:
        """Its position in the partition."""
        return EpochOffset(self.epoch_number, self.offset)


class Dropped(msgspec.Struct, frozen=True, order=True):
    """A conditional batch that counts in another partition: its rows here are not served."""

    epoch_number: int
    offset: int

    @property
    def position(self) -> EpochOffset:
        """Its position in the partition."""
        return EpochOffset(self.epoch_number, self.offset)


class VoidInForce(msgspec.Struct, frozen=True, kw_only=True):
    """No first copy of this batch counts here: the copy of the partition that asked counts.

    batch: hex.
    asker: number of the partition that asked.
    epoch_number, offset: position of its copy.
    markers: hours closed since the void was last repeated.
    """

    batch: str
    asker: int
    epoch_number: int
    offset: int
    markers: int


class ReliedOn(msgspec.Struct, frozen=True):
    """The last copy in another partition in whose favour copies of this partition do not count."""

    partition: int
    epoch_number: int
    offset: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One cut of one partition: offsets `first_offset` up to, not including, `next_offset`.

    gaps, datasets, gone, conditionals_open, voids, relies_on and damaged are carried: each manifest
    has all of them that are in force. Of the others:

    epoch: the log's id.
    epoch_number: counts the partition's epochs from 1.
    predecessor: key of the manifest before; None for the first one.
    last_batch, last_append_ns: batch id (hex) and append time (unix ns) of the last record.
    batches: the cut's batch ids and offsets, see `pack_batches`.
    watermark_ns: the log's time at the end (unix ns).
    set_aside: records of this cut that could not be read.
    conditionals_dropped: batches that this cut decided against.
    damaged: None in manifests that were written before this field existed.
    clock_steps: clock records of this cut that set the log's time back.
    """

    newest_format: ClassVar[int] = BASES_FORMAT
    partition: int
    epoch: str
    epoch_number: int
    first_offset: int
    next_offset: int
    predecessor: str | None
    last_batch: str
    last_append_ns: int
    rows: int
    segments: list[SegmentEntry]
    batches: str
    hour_markers: list[HourMarker]
    watermark_ns: int
    gaps: list[Gap]
    set_aside: list[QuarantinedRecord]
    datasets: list[str]
    gone: list[DatasetTombstone]
    writer: str
    zone: str
    created_ns: int
    conditionals_open: list[Conditional] = []
    conditionals_dropped: list[Dropped] = []
    voids: list[VoidInForce] = []
    relies_on: list[ReliedOn] = []
    damaged: list[Damaged] | None = None
    clock_steps: list[ClockStep] = []
    format: int = DOCUMENT_FORMAT

    @property
    def key(self) -> str:
        """Its key in the object store; keys sort in the order of the chain."""
        return manifest_key(self.partition, self.epoch_number, self.next_offset)


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The chain up to one manifest, compacted: every segment that is retained.

    manifest: key of the last manifest that it includes.
    dropped: batches in these segments that are not served.
    """

    newest_format: ClassVar[int] = PACKS_FORMAT
    partition: int
    manifest: str
    segments: list[SegmentEntry]
    created_ns: int
    dropped: list[Dropped] = []
    format: int = DOCUMENT_FORMAT


def format_of(segments: Iterable[SegmentEntry]) -> int:
    """The format of a document that names these segments."""
    return PACKS_FORMAT if any(entry.pack for entry in segments) else DOCUMENT_FORMAT


def manifest_prefix(partition: int) -> str:
    """Prefix of the keys of a partition's manifests."""
    return f"manifests/{partition:05d}/"


def manifest_key(partition: int, epoch_number: int, next_offset: int) -> str:
    """Key of the manifest of the cut that ends at `next_offset`."""
    return f"{manifest_prefix(partition)}{epoch_number:08d}-{next_offset:020d}.json"


def parse_manifest_key(key: str) -> tuple[int, int, int]:
    """(partition, epoch number, next offset) of a manifest's key. Raises ValueError."""
    folder, partition, name = key.split("/")
    number, _, offset = name.removesuffix(".json").partition("-")
    parsed = (int(partition), int(number), int(offset))
    if folder != "manifests" or manifest_key(*parsed) != key:
        raise ValueError(f"not a manifest's key: {key}")
    return parsed


def checkpoint_prefix(partition: int) -> str:
    """Prefix of the keys of a partition's checkpoints."""
    return f"checkpoints/{partition:05d}/"


def checkpoint_key(manifest: str) -> str:
    """Key of the checkpoint that ends with the manifest of this key."""
    return "checkpoints/" + manifest.removeprefix("manifests/")


def pack_batches(batches: Iterable[tuple[bytes, int]]) -> str:
    """(batch id, offset) pairs as base64 of 16 + 8 bytes each, the offset big-endian."""
    packed = b"".join(batch + offset.to_bytes(_OFFSET_BYTES, "big") for batch, offset in batches)
    return base64.b64encode(packed).decode()


def packed_batches(text: str) -> bytes:
    """The entries that `pack_batches` wrote, 24 bytes each. Raises ValueError."""
    packed = base64.b64decode(text, validate=True)
    if len(packed) % _ENTRY_BYTES:
        raise ValueError("list of batch ids is cut off")
    return packed


def unpack_batches(text: str) -> list[tuple[bytes, int]]:
    """Read what `pack_batches` wrote. Raises ValueError."""
    packed = packed_batches(text)
    starts = range(0, len(packed), _ENTRY_BYTES)
    return [
        (
            packed[at : at + BATCH_ID_BYTES],
            int.from_bytes(packed[at + BATCH_ID_BYTES : at + _ENTRY_BYTES], "big"),
        )
        for at in starts
    ]


def encode_manifest(manifest: Manifest) -> bytes:
    """The manifest's bytes."""
    return encode_checksummed(manifest)


def decode_manifest(data: bytes, key: str) -> Manifest:
    """Read a manifest and check that it is the one of its key.

    Raises DamagedObject, DocumentTooNew.
    """
    return decode_stored(data, Manifest, key)
