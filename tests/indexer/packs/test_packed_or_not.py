"""What a cut holds does not depend on whether its small segments are packed (I3)."""

from pathlib import Path
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common import limits
from common.objects.directory import DirectoryObjects
from indexer.seal.sealer import entry_of
from indexer.seal.segment_files import seal_all
from indexer.shred.interface import ShredInput
from indexer.shred.reference import ReferenceShredder
from indexer.state.live_rows import CutRows
from segment.parquet.reference import ReferenceEncoders
from snapshot.cache import SegmentCache
from snapshot.documents.epochs import Epoch
from snapshot.documents.manifest import SegmentEntry
from tests.indexer.shred.test_properties import events, flat_events

APPENDED_NS = 10**18
EPOCH = Epoch(
    partition=0,
    number=1,
    log="log",
    first_offset=0,
    predecessor=None,
    gap=None,
    reason="test",
    writer="test",
    zone="a",
    opened_ns=0,
)


def cut_of(dataset: str, found: list[tuple[str, int]]) -> CutRows:
    """The rows of these events; each with its distance from its append time, in days."""
    records = [
        ShredInput(
            at,
            APPENDED_NS,
            1,
            b'{"t":%d,"r":1,"d":%b}\n' % (APPENDED_NS + days * 86_400 * 10**9, event.encode()),
        )
        for at, (event, days) in enumerate(found)
    ]
    block = ReferenceShredder().shred(records).block
    return CutRows(dataset, (block,), APPENDED_NS, APPENDED_NS)


@settings(suppress_health_check=list(HealthCheck), max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(events | flat_events, st.sampled_from([0, -9])), min_size=1, max_size=4),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from([0, 1_500, 2**20]),
)
def test_the_same_segments_wherever_they_lie(
    tmp_path_factory: pytest.TempPathFactory, some: list[list[tuple[str, int]]], packed_max: int
) -> None:
    tmp_path: Path = tmp_path_factory.mktemp("cut")
    cuts = [cut_of(f"d{at}", found) for at, found in enumerate(some)]
    cuts = [cut for cut in cuts if cut.blocks[0].rows]
    owners = {cut.dataset: ("t", "e") for cut in cuts}
    seen: list[list[tuple[SegmentEntry, bytes]]] = []
    for packing in (False, True):
        folder = tmp_path / str(packing)
        folder.mkdir()
        with patch.object(limits, "PACKED_SEGMENT_BYTES_MAX", packed_max):
            files = seal_all(
                cuts,
                epoch="log",
                partition=0,
                folder=folder,
                encoders=ReferenceEncoders(),
                packing=packing,
            )
        objects = DirectoryObjects(tmp_path / f"objects-{packing}")
        entries = [entry_of(file, EPOCH, owners) for file in files]
        for file, entry in zip(files, entries, strict=True):
            objects.put_if_absent(entry.location.key, file.path)
        cache = SegmentCache(objects, tmp_path / f"cache-{packing}", 10**9)
        seen.append(
            [
                (
                    msgspec.structs.replace(entry, pack="", pack_offset=0),
                    cache.ensure(entry.location).read_bytes(),
                )
                for entry in entries
            ]
        )
        put = len(list(objects.list("")))
        small = [entry for entry in entries if entry.size_bytes <= packed_max]
        assert put == len(entries) - (len(small) - 1 if packing and len(small) > 1 else 0)
    assert seen[0] == seen[1]
