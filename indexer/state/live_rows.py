"""Live rows: indexed rows of a partition that no published segment has yet.

An immutable value: every step returns a new one that shares all blocks. A reader that keeps one
has a consistent view of exactly the rows before `end_offset`, and one assignment moves a partition
from live rows to segments. Rows of a cut stay visible in their sealing set until its segments are
served instead. Keeps I3, I7.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from common import limits
from segment.columns import ColumnBlock, block_bytes, select
from segment.columns.gather import compact, joined


@dataclass(frozen=True, slots=True)
class LiveDataset:
    """Rows of one dataset in log order; append times (unix ns) of its records, inclusive."""

    blocks: tuple[ColumnBlock, ...]
    sizes: tuple[int, ...]  # bytes of memory of each block
    append_min_ns: int
    append_max_ns: int

    @classmethod
    def of(
        cls, blocks: Iterable[ColumnBlock], append_min_ns: int, append_max_ns: int
    ) -> "LiveDataset":
        """The rows of these blocks."""
        some = tuple(compact(block) for block in blocks if block.rows)
        return cls(some, tuple(map(block_bytes, some)), append_min_ns, append_max_ns)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(block.rows for block in self.blocks)


Datasets = Mapping[str, LiveDataset]


@dataclass(frozen=True, slots=True)
class CutRows:
    """A dataset's rows of one cut, in log order, and the range of append times of its records
    (unix ns, inclusive).
    """

    dataset: str
    blocks: tuple[ColumnBlock, ...]
    append_min_ns: int
    append_max_ns: int


@dataclass(frozen=True, slots=True)
class SealingSet:
    """The rows of one cut.

    cuts: rows of the cut's segments; they depend on the log alone.
    visible: rows that are served; fewer than in `cuts` if a dataset has been deleted since.
    """

    end_offset: int
    cuts: tuple[CutRows, ...]
    visible: Datasets

    @property
    def visible_rows(self) -> int:
        """Number of rows that are still visible."""
        return sum(rows.rows for rows in self.visible.values())

    @property
    def visible_bytes(self) -> int:
        """Bytes of their blocks' arrays."""
        return sum(size for rows in self.visible.values() for size in rows.sizes)


@dataclass(frozen=True, slots=True)
class LiveRows:
    """Rows of one partition before `end_offset`.

    current: rows since the last cut, by dataset.
    sealing: cuts that are not sealed yet, oldest first.
    """

    end_offset: int
    current: Datasets = field(default_factory=dict)
    sealing: tuple[SealingSet, ...] = ()

    def added(
        self, newest: Datasets, block_rows_max: int = limits.LIVE_BLOCK_ROWS_MAX
    ) -> "LiveRows":
        """A copy with these rows appended to their datasets. `reached` then moves the end.

        block_rows_max: blocks of at least this many rows are not merged any more.
        """
        current = dict(self.current)
        for dataset, rows in newest.items():
            if rows.blocks:
                before = current.get(dataset)
                current[dataset] = _joined(before, rows, block_rows_max) if before else rows
        return replace(self, current=current)

    def reached(self, end_offset: int) -> "LiveRows":
        """A copy that ends later: all before is indexed. Raises ValueError for an earlier end."""
        if end_offset < self.end_offset:
            raise ValueError(f"end offset went back from {self.end_offset} to {end_offset}")
        return replace(self, end_offset=end_offset)

    def cut(self) -> "LiveRows":
        """A copy with all current rows as the newest sealing set, which may be empty."""
        cuts = tuple(
            CutRows(dataset, rows.blocks, rows.append_min_ns, rows.append_max_ns)
            for dataset, rows in sorted(self.current.items())
        )
        newest = SealingSet(self.end_offset, cuts, self.current)
        return LiveRows(self.end_offset, {}, (*self.sealing, newest))

    def published(self, end_offset: int) -> "LiveRows":
        """A copy without the oldest sealing set, whose segments are served instead.

        Raises ValueError if that is not the cut that ended at `end_offset`: cuts are sealed in
        order.
        """
        if not self.sealing or self.sealing[0].end_offset != end_offset:
            raise ValueError(f"the oldest cut being sealed does not end at {end_offset}")
        return replace(self, sealing=self.sealing[1:])

    def without_dataset(self, dataset: str, before_offset: int) -> "LiveRows":
        """A copy without the dataset's rows of records before `before_offset`."""
        return replace(
            self,
            current=_without(self.current, dataset, before_offset),
            sealing=tuple(
                replace(one, visible=_without(one.visible, dataset, before_offset))
                for one in self.sealing
            ),
        )

    def of(self, dataset: str) -> tuple[LiveDataset, ...]:
        """The dataset's rows in log order, those being sealed first."""
        generations = (*(one.visible for one in self.sealing), self.current)
        return tuple(rows[dataset] for rows in generations if dataset in rows)

    def blocks(self, dataset: str) -> tuple[ColumnBlock, ...]:
        """The blocks of those rows."""
        return tuple(block for rows in self.of(dataset) for block in rows.blocks)

    @property
    def datasets(self) -> frozenset[str]:
        """Datasets with at least one live row."""
        return frozenset(self.current).union(*(one.visible for one in self.sealing))

    @property
    def rows(self) -> int:
        """Number of visible live rows."""
        return sum(rows.rows for rows in self._all())

    @property
    def memory_bytes(self) -> int:
        """Bytes of the visible blocks' arrays."""
        return sum(size for rows in self._all() for size in rows.sizes)

    @property
    def sealing_bytes(self) -> int:
        """Bytes of the blocks of cuts that are not yet published, visible or not."""
        cuts = (cut for one in self.sealing for cut in one.cuts)
        return sum(block_bytes(block) for cut in cuts for block in cut.blocks)

    @property
    def uncut_bytes(self) -> int:
        """Bytes of the blocks since the last cut."""
        return sum(size for rows in self.current.values() for size in rows.sizes)

    def _all(self) -> list[LiveDataset]:
        generations = (*(one.visible for one in self.sealing), self.current)
        return [rows for generation in generations for rows in generation.values()]

    def __repr__(self) -> str:
        return f"LiveRows(before {self.end_offset}, {self.rows} rows, {len(self.sealing)} sealing)"


def _joined(rows: LiveDataset, newest: LiveDataset, block_rows_max: int) -> LiveDataset:
    """The rows with the newest blocks. The last `LIVE_BLOCKS_MERGED` blocks become one as soon as
    none of them is larger than the newest, by powers of that number.

    So the number of small blocks grows with the logarithm of their rows, and so does how often a
    row is copied: at most five times, and never if blocks are large from the start.
    """
    blocks, sizes = list(rows.blocks), list(rows.sizes)
    for block, size in zip(newest.blocks, newest.sizes, strict=True):
        blocks.append(block)
        sizes.append(size)
        while (
            len(blocks) - (first := _first_to_merge(blocks, block_rows_max))
            >= limits.LIVE_BLOCKS_MERGED
        ):
            merged = compact(joined(blocks[first:]))
            blocks[first:], sizes[first:] = [merged], [block_bytes(merged)]
    return LiveDataset(
        tuple(blocks),
        tuple(sizes),
        min(rows.append_min_ns, newest.append_min_ns),
        max(rows.append_max_ns, newest.append_max_ns),
    )


def _first_to_merge(blocks: Sequence[ColumnBlock], rows_max: int) -> int:
    """Index of the first of the blocks that are no larger than the last one, by powers."""
    below = limits.LIVE_BLOCKS_MERGED
    while below <= blocks[-1].rows:
        below *= limits.LIVE_BLOCKS_MERGED
    first = len(blocks)
    while first and blocks[first - 1].rows < min(below, rows_max):
        first -= 1
    return first


def _without(datasets: Datasets, dataset: str, before_offset: int) -> Datasets:
    rows = datasets.get(dataset)
    if rows is None:
        return datasets
    kept = (select(block, block.offset >= before_offset) for block in rows.blocks)
    blocks = tuple(block for block in kept if block.rows)
    others = {name: other for name, other in datasets.items() if name != dataset}
    if not blocks:
        return others
    sizes = tuple(map(block_bytes, blocks))
    return others | {dataset: LiveDataset(blocks, sizes, rows.append_min_ns, rows.append_max_ns)}
