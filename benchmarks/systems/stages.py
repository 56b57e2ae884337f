"""Our stages apart: one step each, on inputs that are ready in memory.

Their CPU times and the whole's are of the same turns, so shares can be read off; they do not add
up exactly, because each has warm caches of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from benchmarks.systems.base import Group, Prepared, Written, bodies, record_lines

if TYPE_CHECKING:
    from indexer.shred.interface import Shredder
    from indexer.state.live_rows import CutRows
    from shepherd.honeycomb.split.interface import Splitter

_ARRIVAL_NS = 1_790_000_000 * 10**9
Step = Callable[[], int]  # does the work once; returns how many events it was given


class Stage:
    """A step under a name. make: everything before it, not timed."""

    def __init__(
        self, name: str, note: str, make: Callable[[Prepared], Step], group: Group = Group.STAGES
    ) -> None:
        self.name = name
        self.note = note
        self.group = group
        self._make = make
        self._step: Step | None = None
        self._events = 0

    def settings(self) -> Mapping[str, object]:
        """As `System.settings`: those of the whole."""
        return {"threads": 1}

    def available(self) -> str:
        """As `System.available`."""
        return ""

    def prepare(self, prepared: Prepared) -> None:
        """As `System.prepare`."""
        import pyarrow as pa

        pa.set_cpu_count(1)
        self._step = self._make(prepared)

    def run(self) -> None:
        """As `System.run`."""
        if self._step is None:
            raise RuntimeError("not prepared")
        self._events = self._step()

    def written(self) -> Written:
        """As `System.written`: a stage only counts its events."""
        return Written(self._events)


def split_bodies(prepared: Prepared) -> Step:
    """Bodies of requests to checked lines of a record, in compiled code."""
    from shepherd.honeycomb.split.load_compiled import load

    return _split(prepared, load(prepared.cache / "kernel", lambda _: None), list(bodies(prepared)))


def split_bodies_slowly(prepared: Prepared) -> Step:
    """The same by the reference, which defines the right result."""
    from shepherd.honeycomb.split.reference import ReferenceSplitter

    return _split(prepared, ReferenceSplitter(), list(bodies(prepared)))


def split_msgpack(prepared: Prepared) -> Step:
    """The same events in msgpack."""
    import msgpack
    import orjson

    from shepherd.honeycomb.media import Media
    from shepherd.honeycomb.split.load_compiled import load

    splitter = load(prepared.cache / "kernel", lambda _: None)
    packed = [msgpack.packb(orjson.loads(body)) for body in bodies(prepared)]
    return _split(prepared, splitter, packed, Media.MSGPACK.value)


def _split(
    prepared: Prepared, splitter: "Splitter", wires: Sequence[bytes], media: str = "json"
) -> Step:
    from shepherd.honeycomb.decode import Wire, decode_batch
    from shepherd.honeycomb.media import Media

    kind = Media(media)
    waiting = [Wire(body, "", kind, _ARRIVAL_NS) for body in wires]
    return lambda: sum(
        decode_batch(splitter, wire, prepared.depth).lines.events for wire in waiting
    )


def encode_records(prepared: Prepared) -> Step:
    """Lines of a body to a compressed record."""
    from common.model.record_value import events_record

    values = [(lines, lines.count(b"\n")) for lines in record_lines(prepared)]

    def step() -> int:
        records = (
            events_record(
                team="team", env="env", dataset="d", batch=bytes(16), depth=prepared.depth,
                via="", lines=[lines], n=n,
            )
            for lines, n in values
        )  # fmt: skip
        return sum(record.n for record in records)

    return step


def decode_records(prepared: Prepared) -> Step:
    """Values of records to JSON lines, counted, as an indexer begins."""
    from benchmarks.systems.bellwether import accepted_records
    from common.model.record_value import event_lines

    records = [one.record for one in accepted_records(prepared)]
    return lambda: sum(event_lines(record).count(b"\n") for record in records)


def shred(prepared: Prepared) -> Step:
    """JSON lines of records to columns, in compiled code."""
    from benchmarks.systems.bellwether import load_kernel

    return _shred(prepared, load_kernel(prepared))


def shred_slowly(prepared: Prepared) -> Step:
    """The same by the reference, which defines the right result."""
    from indexer.shred.reference import ReferenceShredder

    return _shred(prepared, ReferenceShredder())


def _shred(prepared: Prepared, shredder: "Shredder") -> Step:
    from benchmarks.systems.bellwether import first_time_ns
    from indexer.config import IndexerConfig
    from indexer.shred.interface import ShredInput

    inputs = [
        ShredInput(offset, first_time_ns(lines), prepared.depth, lines)
        for offset, lines in enumerate(record_lines(prepared))
    ]
    step = -(-IndexerConfig().shred_rows // prepared.body_events)
    steps = [inputs[at : at + step] for at in range(0, len(inputs), step)]
    return lambda: sum(shredder.shred(some).block.rows for some in steps)


def digest(prepared: Prepared) -> Step:
    """The logical digest of each cut's columns."""
    from segment.columns import concat
    from segment.columns.digest import block_digest

    blocks = [concat(one.blocks) for one in _cuts(prepared)]

    def step() -> int:
        for block in blocks:
            block_digest(block)
        return sum(block.rows for block in blocks)

    return step


def seal(prepared: Prepared) -> Step:
    """Each cut's columns to segment files: sorted apart, encoded, digest, hash, fsync."""
    from benchmarks.systems.bellwether import load_encoders
    from indexer.seal.segment_files import seal_all

    found, encoders = _cuts(prepared), load_encoders(prepared)

    def step() -> int:
        files = seal_all(
            found, epoch="epoch", partition=0, folder=prepared.folder, encoders=encoders
        )
        return sum(file.info.rows for file in files)

    return step


def _cuts(prepared: Prepared) -> "list[CutRows]":
    from benchmarks.systems.bellwether import accepted_records, cuts, load_kernel

    records = accepted_records(prepared)
    return [one for cut in cuts(load_kernel(prepared), records) for one in cut]


def all_stages() -> list[Stage]:
    """Our stages, in the order of an event's way."""
    return [
        Stage("body split", "JSON bodies to checked lines of a record, compiled", split_bodies),
        Stage("body split (reference)", "the same by the oracle", split_bodies_slowly),
        Stage("body split (msgpack)", "the same events as msgpack bodies", split_msgpack),
        Stage("record encode", "zstd of a body's lines", encode_records),
        Stage("record decode", "decompression of records, lines counted", decode_records),
        Stage("shred", "JSON lines to typed columns, compiled", shred),
        Stage("shred (reference)", "the same by the oracle in Python", shred_slowly),
        Stage("digest", "logical digest of the columns; a part of sealing", digest),
        Stage("seal", "columns to fsynced segment files, digest and hash included", seal),
    ]
