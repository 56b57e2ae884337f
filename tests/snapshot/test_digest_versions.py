"""During an upgrade twins agree exactly if their rows do, whichever of them publishes first."""

import dataclasses
from pathlib import Path

import msgspec

from indexer.seal.sealer import entry_of
from indexer.seal.segment_files import seal
from indexer.shred.reference import ReferenceShredder
from indexer.state.live_rows import CutRows
from segment.columns.segment import SegmentFile
from segment.columns.segment_read import SegmentReader
from segment.parquet.reference import ReferenceEncoders
from snapshot.documents.chain import Chain
from snapshot.documents.epochs import Epoch
from snapshot.documents.manifest import Manifest
from snapshot.publish import Published, publish
from tests.generate import START_NS, wide_records
from tests.indexer.harness import open_context
from tests.snapshot.sealed_in import SealedIn
from tests.snapshot.test_manifest import manifest

EPOCH = Epoch(
    partition=3,
    number=1,
    log="ab12",
    first_offset=0,
    predecessor=None,
    gap=None,
    reason="test",
    writer="w",
    zone="a",
    opened_ns=0,
)


def sealed(folder: Path) -> SegmentFile:
    block = ReferenceShredder().shred(wide_records(50)).block
    cut = CutRows("d", (block,), START_NS, START_NS)
    (file,) = seal(cut, epoch="ab12", partition=3, folder=folder, encoders=ReferenceEncoders())
    return file


def naming(file: SegmentFile, digest: str) -> Manifest:
    """A manifest of this segment under another digest."""
    entry = entry_of(file, EPOCH, {"d": ("t", "e")})
    return manifest(rows=50, segments=[msgspec.structs.replace(entry, digest=digest)])


async def second(tmp_path: Path, first_digest: str, file: SegmentFile) -> Published:
    """The outcome of publishing a segment after a twin that published it with this digest."""
    async with open_context(tmp_path) as context:
        chain = Chain(context.backends.objects, 3, None)
        files = SealedIn({file.object_hash: file.path})
        assert not publish(chain, naming(file, first_digest), files).adopted
        return publish(chain, naming(file, file.info.digest), files)


async def test_a_twin_of_the_version_before_is_no_divergence(tmp_path: Path) -> None:
    file = sealed(tmp_path)
    with SegmentReader(file.path) as reader:
        older = reader.digest(1)
    assert older != file.info.digest
    outcome = await second(tmp_path, older, file)
    assert (outcome.adopted, outcome.differences) == (True, ())


async def test_a_twin_of_a_later_version_is_no_divergence(tmp_path: Path) -> None:
    outcome = await second(tmp_path, "3:" + "ab" * 32, sealed(tmp_path))
    assert (outcome.adopted, outcome.differences) == (True, ())


async def test_other_rows_in_the_version_before_are_a_divergence(tmp_path: Path) -> None:
    outcome = await second(tmp_path, "ab" * 32, sealed(tmp_path))
    assert outcome.differences == ("segments",)


async def test_a_segment_that_cannot_be_read_is_a_divergence(tmp_path: Path) -> None:
    file = sealed(tmp_path)
    gone = tmp_path / "damaged.parquet"
    gone.write_bytes(b"PAR1")
    outcome = await second(tmp_path, "ab" * 32, dataclasses.replace(file, path=gone))
    assert outcome.differences == ("segments",)
