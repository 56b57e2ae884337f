"""Twins that disagree about a cut: both versions are stored, with their first difference (I3).

The published version stays in force. Ours is put under `divergence/`, with a report that names the
first differing block. The report has no value of an event.
"""

import hashlib
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from common import limits
from common.errors import DamagedObject, ObjectMissing
from common.logs import log_event
from segment.columns.compare import first_difference
from segment.columns.segment_read import SegmentReader, file_hash
from snapshot.cache import SCRATCH_PREFIX
from snapshot.documents.chain import Chain
from snapshot.documents.checksummed import DOCUMENT_FORMAT, decode_checksummed, encode_checksummed
from snapshot.documents.manifest import Manifest, SegmentEntry, encode_manifest
from snapshot.documents.sealed_files import SealedFiles

REPORT = ".report.json"  # ends the key of a report
_WHOLE = "(whole segment)"
logger = logging.getLogger(__name__)


class DifferingBlock(msgspec.Struct, frozen=True, kw_only=True):
    """The first block of rows in which a dataset's segments differ.

    column: the first of the differing columns.
    row: the first differing row; `first_row` to `end_row` (exclusive) is its block.
    first_offset, last_offset: of the block's records.
    columns: number of columns that differ.
    See `segment.columns.compare`.
    """

    dataset: str
    far: bool
    column: str
    row: int
    first_row: int
    end_row: int
    first_offset: int
    last_offset: int
    columns: int
    note: str = ""

    def __str__(self) -> str:
        kind = " (far times)" if self.far else ""
        text = (
            f"dataset {self.dataset}{kind}, column {self.column}, rows {self.first_row} to "
            f"{self.end_row - 1} (first at row {self.row}), offsets {self.first_offset} to "
            f"{self.last_offset}, {self.columns} columns differ"
        )
        return f"{text}: {self.note}" if self.note else text


class Divergence(msgspec.Struct, frozen=True, kw_only=True):
    """The report of two twins that disagree about one cut.

    published, ours: keys of the two manifests.
    differences: names of the fields that differ.
    zone, writer: of our manifest.
    published_zone, published_writer: of the published one.
    block: the first difference; None if no segment differs or one of them could not be read.
    """

    partition: int
    next_offset: int
    published: str
    ours: str
    differences: list[str]
    zone: str
    writer: str
    published_zone: str
    published_writer: str
    block: DifferingBlock | None = None
    format: int = DOCUMENT_FORMAT


def divergence_prefix(partition: int) -> str:
    """Prefix of the keys of versions that disagreed with a partition's published ones."""
    return f"divergence/{partition:05d}/"


def store_divergence(
    chain: Chain,
    ours: Manifest,
    published: Manifest,
    files: SealedFiles,
    differences: Sequence[str],
) -> Divergence:
    """Put our manifest and the report; our segments are in the store already.

    Blocks. Idempotent. Raises ObjectsUnavailable.
    """
    data = encode_manifest(ours)
    name = ours.key.removeprefix("manifests/").removesuffix(".json")
    version = hashlib.sha256(data).hexdigest()[:12]
    found = Divergence(
        partition=ours.partition,
        next_offset=ours.next_offset,
        published=published.key,
        ours=f"divergence/{name}-{version}.json",
        differences=list(differences),
        zone=ours.zone,
        writer=ours.writer,
        published_zone=published.zone,
        published_writer=published.writer,
        block=first_differing_block(chain, ours, published, files),
    )
    chain.objects.put_if_absent(found.ours, data)
    report = found.ours.removesuffix(".json") + REPORT
    chain.objects.put_if_absent(report, encode_checksummed(found))
    return found


def list_divergences(chain: Chain) -> list[Divergence]:
    """The newest reports, oldest first, at most DIVERGENCES_SHOWN_MAX. Blocks."""
    found: list[Divergence] = []
    for info in chain.objects.list(divergence_prefix(chain.partition)):
        if not info.key.endswith(REPORT):
            continue
        try:
            report = decode_checksummed(chain.objects.get(info.key), Divergence, info.key)
        except (DamagedObject, ObjectMissing) as error:
            log_event(
                logger, logging.WARNING, "report cannot be read", key=info.key, why=str(error)
            )
            continue
        found = [*found, report][-limits.DIVERGENCES_SHOWN_MAX :]
    return found


def first_differing_block(
    chain: Chain, ours: Manifest, published: Manifest, files: SealedFiles
) -> DifferingBlock | None:
    """The first difference between the two versions' segments, ordered by dataset."""
    one = {(s.dataset, s.far): s for s in ours.segments}
    other = {(s.dataset, s.far): s for s in published.segments}
    for key in sorted({*one, *other}):
        mine, theirs = one.get(key), other.get(key)
        if mine is None or theirs is None:
            only = mine or theirs
            assert only is not None
            version = "published" if mine is None else "not published"
            return _whole(only, f"only the version that is {version} has it")
        if (mine.rows, mine.digest) == (theirs.rows, theirs.digest):
            continue
        try:
            return _compare(chain, mine, theirs, files)
        except (DamagedObject, ObjectMissing, OSError) as error:
            return _whole(mine, f"cannot be compared: {error}")
    return None


def _compare(
    chain: Chain, mine: SegmentEntry, theirs: SegmentEntry, files: SealedFiles
) -> DifferingBlock:
    sealed = files.local(mine.location)
    if sealed is None:
        raise DamagedObject(f"{mine.location} is not whole on this disk")
    with tempfile.TemporaryDirectory(dir=sealed.parent, prefix=SCRATCH_PREFIX) as scratch:
        fetched = Path(scratch) / "published.parquet"
        theirs.location.fetch(chain.objects, fetched)
        if file_hash(fetched) != theirs.object:
            raise DamagedObject(f"segment {theirs.object} does not match its name")
        with SegmentReader(sealed) as one, SegmentReader(fetched) as other:
            found = first_difference(one, other)
    if found is None:
        return _whole(mine, "the rows agree: one version names a digest that is not of its rows")
    return DifferingBlock(
        dataset=mine.dataset,
        far=mine.far,
        column=found.column,
        row=found.row,
        first_row=found.first_row,
        end_row=found.end_row,
        first_offset=found.first_offset,
        last_offset=found.last_offset,
        columns=found.columns,
    )


def _whole(entry: SegmentEntry, note: str) -> DifferingBlock:
    return DifferingBlock(
        dataset=entry.dataset,
        far=entry.far,
        column=_WHOLE,
        row=0,
        first_row=0,
        end_row=entry.rows,
        first_offset=entry.first_offset,
        last_offset=entry.end_offset - 1,
        columns=0,
        note=note,
    )
