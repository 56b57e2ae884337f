"""Small published segments of one dataset, as consecutive cuts make them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer.seal.segment_files import seal
from indexer.shred.interface import ShredInput
from indexer.shred.reference import ReferenceShredder
from indexer.state.live_rows import CutRows
from segment.parquet.reference import ReferenceEncoders
from snapshot.documents.manifest import SegmentEntry

DATASET = "d1"
START_NS = 1_700_000_000 * 10**9
HOUR_NS = 3_600 * 10**9
ENCODERS = ReferenceEncoders()


@dataclass(frozen=True, slots=True)
class Piece:
    """A segment and its file."""

    entry: SegmentEntry
    path: Path


def piece(folder: Path, number: int, events: Sequence[str], dataset: str = DATASET) -> Piece:
    """The segment of the cut of hour `number`, one record of these events (JSON objects) each."""
    at_ns = START_NS + number * HOUR_NS
    first = number * 1_000
    records = [
        ShredInput(first + at, at_ns, 0, b'{"t":%d,"r":1,"d":%b}\n' % (at_ns + at, event.encode()))
        for at, event in enumerate(events)
    ]
    shredded = ReferenceShredder().shred(records)
    assert not shredded.quarantined
    cut = CutRows(dataset, (shredded.block,), at_ns, at_ns + len(events))
    folder.mkdir(parents=True, exist_ok=True)
    (file,) = seal(cut, epoch="log-1", partition=0, folder=folder, encoders=ENCODERS)
    info = file.info
    entry = SegmentEntry(
        team="t",
        env="e",
        dataset=dataset,
        epoch_number=1,
        rows=info.rows,
        time_min_ns=info.time_min_ns,
        time_max_ns=info.time_max_ns,
        append_min_ns=info.append_min_ns,
        append_max_ns=info.append_max_ns,
        first_offset=info.first_offset,
        end_offset=info.end_offset,
        object=file.object_hash,
        size_bytes=file.size_bytes,
        digest=info.digest,
        far=info.far,
    )
    return Piece(entry, file.path)


def pieces(folder: Path, count: int, rows: int = 3, first: int = 0) -> list[Piece]:
    """Consecutive segments; each has a field of its own besides common ones."""
    return [
        piece(
            folder,
            number,
            [
                f'{{"n":{number * 100 + at},"name":"x{at}","only{number % 5}":true,"f":{at}.5}}'
                for at in range(rows)
            ],
        )
        for number in range(first, first + count)
    ]
