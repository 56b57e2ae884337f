"""Named sets of cases: which rows, in which layouts, with which questions."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from benchmarks.queries.asking.asked import Question
from benchmarks.queries.asking.spans import ALL, EIGHT


@dataclass(frozen=True, slots=True)
class Wanted:
    """One case. questions: parts of their names; none: all for this kind of rows.

    hours: that the rows span. compacted: small segments are put together first. peers: parts of
    their names; none: all. settings: of this build. Others as in `rows.shape.Shape`,
    `prepare.Layout` and `measure.Rounds`.
    """

    kind: str = "spans"
    rows: int = 200_000
    users: int = 50_000
    columns: int = 0
    hours: int = 24
    pieces: int = 0
    live: int = 0
    partitions: int = 1
    indexers: int = 1
    compacted: bool = False
    cold: bool = False
    askers: tuple[int, ...] = ()
    questions: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)

    def chosen(self) -> list[Question]:
        """The questions that are asked."""
        of_kind = [one for one in ALL if one.kind == self.kind]
        if not self.questions:
            return of_kind
        return [one for one in of_kind if any(part in one.name for part in self.questions)]


_EIGHT = tuple(one.name for one in EIGHT)
_ONE = ("COUNT by service",)
_FEW = ("COUNT by service", "P99", "rows of one trace", "COUNT_DISTINCT")
_SAME_FILES = ("duckdb, same files",)
_SMALL = Wanted(rows=200_000)
_MIDDLE = Wanted(rows=1_000_000)
_LARGE = Wanted(rows=5_000_000)
_HUGE = Wanted(rows=20_000_000)
_LIVE = 100_000

PLANS: Mapping[str, tuple[Wanted, ...]] = {
    "quick": (
        Wanted(rows=20_000, pieces=3),
        Wanted(kind="fields", rows=5_000),
        Wanted(kind="logs", rows=20_000),
        Wanted(kind="requests", rows=20_000),
    ),
    "small": (replace(_SMALL, pieces=3),),
    "middle": (_MIDDLE,),
    "large": (_LARGE,),
    "huge": (_HUGE,),
    "heatmap": (replace(_LARGE, questions=("HEATMAP",), peers=_SAME_FILES),),
    "calculated": (replace(_LARGE, questions=("calculated",), peers=_SAME_FILES),),
    "fields": (Wanted(kind="fields", rows=200_000), Wanted(kind="fields", rows=1_000_000)),
    "requests": (Wanted(kind="requests", rows=5_000_000, compacted=True),),
    "words": (Wanted(kind="logs", rows=5_000_000),),
    "million-users": (
        replace(_LARGE, users=1_000_000, questions=("COUNT by user",), peers=("duckdb", "chdb")),
    ),
    "hourly-pieces": tuple(replace(_MIDDLE, hours=1_000, pieces=pieces) for pieces in (0, 1_000)),
    "tiny-pieces": tuple(
        Wanted(rows=20_000, hours=1_000, pieces=pieces, questions=_FEW, peers=_SAME_FILES)
        for pieces in (0, 1_000)
    ),
    "tiny-pieces-compacted": tuple(
        Wanted(
            rows=20_000,
            hours=1_000,
            pieces=pieces,
            compacted=pieces > 0,
            questions=_FEW,
            peers=_SAME_FILES,
        )
        for pieces in (0, 1_000)
    ),
    "live": (replace(_MIDDLE, live=_LIVE), replace(_SMALL, live=_LIVE)),
    "cold": (replace(_MIDDLE, cold=True),),
    "growth-rows": tuple(
        replace(one, questions=_EIGHT, peers=_SAME_FILES)
        for one in (replace(_SMALL, rows=20_000), _SMALL, _MIDDLE, _LARGE)
    ),
    "growth-segments": tuple(
        replace(_SMALL, hours=1_000, pieces=pieces, questions=_ONE, peers=_SAME_FILES)
        for pieces in (1, 10, 100, 1_000)
    ),
    "growth-columns": tuple(
        Wanted(kind="columns", rows=200_000, columns=columns, peers=_SAME_FILES)
        for columns in (10, 100, 1_000, 10_000)
    ),
    "growth-partitions": tuple(
        replace(_MIDDLE, partitions=partitions, questions=_ONE, peers=_SAME_FILES)
        for partitions in (1, 4, 16, 64)
    ),
    "growth-indexers": tuple(
        replace(_MIDDLE, partitions=12, indexers=indexers, questions=_FEW, peers=_SAME_FILES)
        for indexers in (1, 3)
    ),
    "growth-askers": (replace(_MIDDLE, questions=_ONE, peers=_SAME_FILES, askers=(1, 4, 10, 32)),),
}
