"""Which segments are put together next: a pure function of published documents (I3).

Both indexers of a partition choose alike, because nothing but published entries and the time of the
partition's log decides. docs/adr/0040-compaction.md gives the reasons of the rules:

- Neighbours in the log, of one dataset, epoch and nearness, appended within one window (an eighth
  of the dataset's retention), up to a full output.
- Within a window that the log's time has not left: once there are `COMPACTED_FAN_IN` of a similar
  size that is small, or enough rows for a full output.
- In a window that is over: all of them, into as few outputs as possible. What has no neighbour
  stays as it is, unless it lies in a pack of which less than `COMPACTED_PACK_READ_MIN` is read:
  then it is rewritten alone, so that the pack can be deleted.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import chain, groupby, pairwise

from common import limits
from snapshot.compaction.compacted import Compacted, Output
from snapshot.documents.manifest import Conditional, SegmentEntry
from snapshot.retention.cutoffs import DAY_NS


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes that decide; production uses the defaults.

    rows_max, bytes_max, inputs_max: of an output, from its inputs.
    fan_in: number of small neighbours that are put together; they have at least half as often the
        rows of the largest one.
    tiers: rows below which neighbours are of one size, ascending; what has more rows than the last
        waits for a full output.
    pack_read_min: the part of a pack's bytes that is read, below which what is alone is taken out.
    """

    rows_max: int = limits.COMPACTED_ROWS_MAX
    bytes_max: int = limits.COMPACTED_BYTES_MAX
    inputs_max: int = limits.COMPACTED_INPUTS_MAX
    fan_in: int = limits.COMPACTED_FAN_IN
    tiers: tuple[int, ...] = limits.COMPACTED_TIERS
    pack_read_min: float = limits.COMPACTED_PACK_READ_MIN


SIZES = Sizes()
_BEGINS_BEFORE = 16


@dataclass(frozen=True, slots=True)
class Part:
    """One object that is read: a published segment, or an output. entry: the object's."""

    entry: SegmentEntry
    output: Output | None = None

    @property
    def inputs(self) -> int:
        """Number of segments whose rows it has."""
        return 1 if self.output is None else len(self.output.inputs)


@dataclass(frozen=True, slots=True)
class Choice:
    """Parts that become one output, in log order. One alone is taken out of its pack."""

    parts: tuple[Part, ...]


def span_ns(retention_days: float) -> int:
    """The longest time that an output may span. retention_days: of its dataset; 0: for ever."""
    if retention_days <= 0:
        return limits.COMPACTED_SPAN_FOREVER_NS
    return max(1, int(retention_days * DAY_NS) // limits.COMPACTED_SPANS)


@dataclass(frozen=True, slots=True)
class _Rules:
    """The sizes, and the longest time that an output of one dataset may span.

    sparse: packs of which little is read.
    """

    span_ns: int
    sizes: Sizes
    sparse: Set[str]

    @property
    def window_ns(self) -> int:
        """A little less than the span, as the first segment of a window begins before it."""
        return max(1, self.span_ns - self.span_ns // _BEGINS_BEFORE)

    def is_large(self, part: Part) -> bool:
        """Whether it stays as it is: with another one it would rarely fit into one output."""
        rows, size = 2 * part.entry.rows, 2 * part.entry.size_bytes
        return rows > self.sizes.rows_max or size > self.sizes.bytes_max


def choose(
    entries: Iterable[SegmentEntry],
    compacted: Compacted,
    undecided: Iterable[Conditional],
    watermark_ns: int,
    spans_ns: Callable[[str], int],
    sizes: Sizes = SIZES,
) -> list[Choice]:
    """What is to be put together now, the oldest of each dataset first.

    entries: published segments that are served.
    undecided: batches that may count in another partition; what has rows of them waits.
    watermark_ns: the log's time before which everything is in a published segment (unix ns).
    spans_ns: by dataset, the longest time that an output may span.
    """
    found: list[Choice] = []
    waiting = list(undecided)
    served = list(entries)
    by_dataset = list(_parts(served, compacted))
    sparse = _sparse_packs(served, by_dataset, sizes)
    for dataset, parts in by_dataset:
        blocked = [one for one in waiting if one.dataset == dataset]
        if len(parts) < 2 and parts[0].entry.pack not in sparse:
            continue
        rules = _Rules(spans_ns(dataset), sizes, sparse)
        for run in _runs(parts, rules, blocked):
            window = run[0].entry.append_max_ns // rules.window_ns
            over = watermark_ns // rules.window_ns > window
            chosen = _of_window_that_is_over(run, rules) if over else _of_open_window(run, rules)
            found += [Choice(tuple(parts)) for parts in chosen]
    return found


def _parts(
    entries: Iterable[SegmentEntry], compacted: Compacted
) -> Iterator[tuple[str, list[Part]]]:
    """By dataset, the objects that are read, by nearness and in log order."""
    by_dataset: dict[str, list[SegmentEntry]] = {}
    for entry in entries:
        by_dataset.setdefault(entry.dataset, []).append(entry)
    for dataset, some in by_dataset.items():
        served = {entry.object for entry in some}
        parts, held = [], set()
        for output in compacted.of(dataset):
            names = {one.object for one in output.inputs}
            if not names.isdisjoint(served):
                parts.append(Part(output.entry, output))
                held |= names
        parts += [Part(entry) for entry in some if entry.object not in held]
        parts.sort(key=lambda p: (p.entry.far, p.entry.epoch_number, p.entry.first_offset))
        yield dataset, parts


def _sparse_packs(
    served: Iterable[SegmentEntry], by_dataset: Iterable[tuple[str, list[Part]]], sizes: Sizes
) -> set[str]:
    """The packs of which less than the least part is read.

    A pack has at least the bytes up to the end of the last segment in it that is known here,
    whether it is read itself or an output is read instead.
    """
    ends: dict[str, int] = {}
    read: dict[str, int] = {}
    parts = [part.entry for _, some in by_dataset for part in some if part.entry.pack]
    for entry in parts:
        read[entry.pack] = read.get(entry.pack, 0) + entry.size_bytes
    for entry in chain(served, parts):
        if entry.pack in read:
            end = entry.pack_offset + entry.size_bytes
            ends[entry.pack] = max(end, ends.get(entry.pack, 0))
    return {pack for pack, count in read.items() if count < sizes.pack_read_min * ends[pack]}


def _runs(
    parts: Sequence[Part], rules: _Rules, undecided: Sequence[Conditional]
) -> Iterator[list[Part]]:
    """Neighbours that may become one output, but for their size."""

    def kind(part: Part) -> tuple[bool, int, int]:
        entry = part.entry
        return entry.far, entry.epoch_number, entry.append_max_ns // rules.window_ns

    for _, same in groupby(parts, kind):
        run: list[Part] = []
        for part in same:
            if any(_has_rows_of(part.entry, one) for one in undecided):
                break  # those after it wait as well, so that neighbours are chosen in order
            if not rules.is_large(part):
                run.append(part)
            elif run:
                yield run
                run = []
        if run:
            yield run


def _has_rows_of(entry: SegmentEntry, one: Conditional) -> bool:
    if entry.epoch_number != one.epoch_number:
        return False
    return entry.first_offset <= one.offset < entry.end_offset


def _of_window_that_is_over(run: Sequence[Part], rules: _Rules) -> Iterator[list[Part]]:
    """All of them, in as few outputs as neighbours allow; what stays alone is left, or taken out
    of a pack of which little else is read.
    """
    for group in _filled(run, rules):
        if len(group) > 1 or group[0].entry.pack in rules.sparse:
            yield group


def _of_open_window(run: Sequence[Part], rules: _Rules) -> Iterator[list[Part]]:
    """Small neighbours once there are enough of them, of the smallest size first; full outputs."""
    for rows in rules.sizes.tiers:
        found = [
            group for small in _smaller_neighbours(run, rows) for group in _groups_of(small, rules)
        ]
        if found:  # what they become counts for the next size
            yield from found
            return
    groups = list(_filled(run, rules))
    for group, _ in pairwise(groups):  # the last one may still grow
        if len(group) > 1:
            yield group


def _groups_of(small: Sequence[Part], rules: _Rules) -> Iterator[list[Part]]:
    """Enough of them that even the largest one's rows are rewritten into something far larger."""
    fan_in = rules.sizes.fan_in
    for group in _filled(small, rules):
        rows = [part.entry.rows for part in group]
        if len(group) >= fan_in and sum(rows) * 2 >= max(rows) * fan_in:
            yield group


def _smaller_neighbours(run: Sequence[Part], rows: int) -> Iterator[list[Part]]:
    """Neighbours of fewer rows than this."""
    for small, parts in groupby(run, lambda part: part.entry.rows < rows):
        if small:
            yield list(parts)


def _filled(run: Sequence[Part], rules: _Rules) -> Iterator[list[Part]]:
    """Neighbours, each group as large and long as an output may be."""
    sizes = rules.sizes
    group: list[Part] = []
    rows = size = inputs = begins_ns = ends_ns = 0
    for part in run:
        entry = part.entry
        rows, size, inputs = rows + entry.rows, size + entry.size_bytes, inputs + part.inputs
        begins_ns, ends_ns = min(begins_ns, entry.append_min_ns), max(ends_ns, entry.append_max_ns)
        is_beyond = rows > sizes.rows_max or size > sizes.bytes_max or inputs > sizes.inputs_max
        if group and (is_beyond or ends_ns - begins_ns > rules.span_ns):
            yield group
            group = []
        if not group:
            rows, size, inputs = entry.rows, entry.size_bytes, part.inputs
            begins_ns, ends_ns = entry.append_min_ns, entry.append_max_ns
        group.append(part)
    if group:
        yield group
