"""From a run of events records to live rows: grouped by dataset, shredded, added. Runs in a thread.

Values in, values out: nothing is shared with the event loop, so a failure here changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.record import Record, RecordError, event_lines
from indexer.live import LiveRows
from indexer.shred import Shredder, ShredInput
from indexer.tail import TailRecord
from snapshot.manifest import SetAsideEntry


@dataclass(frozen=True, slots=True)
class Accepted:
    """An events record that the fold has accepted."""

    offset: int
    append_ns: int
    record: Record


@dataclass(frozen=True, slots=True)
class Indexed:
    """What a batch became. tailed: what tails of the wanted datasets see, by dataset."""

    live: LiveRows
    rows: int
    set_aside: tuple[SetAsideEntry, ...]
    tailed: Mapping[str, tuple[TailRecord, ...]]


def index_batch(
    shredder: Shredder,
    live: LiveRows,
    batch: Sequence[Accepted],
    end_offset: int,
    wanted: frozenset[str],
) -> Indexed:
    """The live rows with the batch added; everything before `end_offset` is then indexed."""
    inputs: dict[str, list[ShredInput]] = {}
    set_aside: list[SetAsideEntry] = []
    for item in batch:
        try:
            lines = event_lines(item.record)
        except RecordError as error:
            set_aside.append(SetAsideEntry(item.offset, str(error)))
            continue
        one = ShredInput(item.offset, item.append_ns, item.record.depth, lines)
        inputs.setdefault(item.record.dataset, []).append(one)
    rows = 0
    tailed: dict[str, tuple[TailRecord, ...]] = {}
    for dataset, records in inputs.items():
        shredded = shredder.shred(records)
        bad = {aside.offset for aside in shredded.set_aside}
        set_aside.extend(SetAsideEntry(a.offset, a.reason) for a in shredded.set_aside)
        good = [record for record in records if record.offset not in bad]
        if good:
            times = [record.append_ns for record in good]
            live = live.added(dataset, shredded.block, min(times), max(times))
            rows += shredded.block.rows
        if dataset in wanted:
            ids = {item.offset: item.record.batch for item in batch}
            tailed[dataset] = tuple(TailRecord(ids[one.offset], one.lines) for one in good)
    set_aside.sort(key=lambda entry: entry.offset)
    return Indexed(live.reached(end_offset), rows, tuple(set_aside), tailed)
