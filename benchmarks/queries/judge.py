"""What the questions must reach: medians of the rounds' ratios, in one run."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from benchmarks.queries.asking.more import HEATMAP
from benchmarks.queries.asking.spans import ALL, EIGHT
from benchmarks.queries.prepare import THIS
from benchmarks.queries.results import Case, Measured, QueriesRun, Sampled

SAME_FILES, MERGE_TREE = "duckdb, same files", "chdb, MergeTree"
_LONG_MS = 100.0  # of DuckDB: beyond it a ratio counts, below it a difference
_TIMES, _TIMES_MANY_GROUPS, _MORE_MS = 1.3, 1.5, 15.0
_MANY_USERS = 1_000_000
_BY_USER = "COUNT by user, first 1,000"
_BOUNDS = {one.name: one.bound for one in ALL if one.bound}
_PIECE_MS, _COMPACTED_MS = 0.1, 5.0


@dataclass(frozen=True, slots=True)
class Goal:
    """found, bound: in `unit`. All bounds are from above."""

    case: str
    what: str
    against: str
    bound: float
    found: float
    unit: str

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        return self.found <= self.bound

    def cells(self) -> tuple[str, ...]:
        """As a row of a table."""
        found, bound = f"{self.found:.2f} {self.unit}", f"{self.bound:g} {self.unit}"
        return self.case, self.what, self.against, bound, found, "met" if self.met else "missed"


def paired(mine: Measured, theirs: Measured) -> list[tuple[Sampled, Sampled]]:
    """The samples of the same question."""
    return list(zip(mine.samples, theirs.samples, strict=True))


def clock_ratio(mine: Measured, theirs: Measured) -> float:
    """The median of the rounds' ratios."""
    return median(a.clock_ns / b.clock_ns for a, b in paired(mine, theirs))


def cpu_ratio(mine: Measured, theirs: Measured) -> float:
    """As `clock_ratio`."""
    return median(a.cpu_ns / max(b.cpu_ns, 1) for a, b in paired(mine, theirs))


def goals(run: QueriesRun) -> list[Goal]:
    """All that the run has figures for."""
    found = [goal for case in run.cases for goal in _of_case(case)]
    return [*found, *_pieces(run)]


def _of_case(case: Case) -> Iterator[Goal]:
    for one in case.results:
        if one.engine == THIS and (peer := case.find(one.question, SAME_FILES)) and one.samples:
            yield from _against_duckdb(case, one, peer)
    yield from _together(case)


def _against_duckdb(case: Case, mine: Measured, peer: Measured) -> Iterator[Goal]:
    where = (case.name, mine.question, SAME_FILES)
    bound = _BOUNDS.get(mine.question)
    if bound is not None:
        yield Goal(*where, bound, clock_ratio(mine, peer), "x clock")
        return
    heatmap = mine.question == HEATMAP.name
    many = case.layout.users >= _MANY_USERS and mine.question == _BY_USER
    if many or peer.clock_ms() > _LONG_MS:
        bound = _TIMES_MANY_GROUPS if many or heatmap else _TIMES
        yield Goal(*where, bound, clock_ratio(mine, peer), "x clock")
        yield Goal(*where, bound, cpu_ratio(mine, peer), "x CPU")
        return
    pairs = paired(mine, peer)
    clock_ms = median((a.clock_ns - b.clock_ns) / 1e6 for a, b in pairs)
    cpu_ms = median((a.cpu_ns - b.cpu_ns) / 1e6 for a, b in pairs)
    yield Goal(*where, _MORE_MS, clock_ms, "ms of clock more")
    yield Goal(*where, _MORE_MS, cpu_ms, "ms of CPU more")


def _together(case: Case) -> Iterator[Goal]:
    """The eight questions against ClickHouse's table, or 1.3 times what DuckDB needs."""
    sums: dict[str, tuple[float, float]] = {}
    for engine in (THIS, SAME_FILES, MERGE_TREE):
        some = [case.find(question.name, engine) for question in EIGHT]
        there = [one for one in some if one]
        if len(there) < len(EIGHT):
            return
        sums[engine] = sum(x.clock_ms() for x in there), sum(x.cpu_ms() for x in there)
    for at, unit in enumerate(("x clock", "x CPU")):
        ours, duckdb, table = (sums[one][at] for one in (THIS, SAME_FILES, MERGE_TREE))
        bound = max(1.0, _TIMES * duckdb / table)
        yield Goal(case.name, "the eight together", MERGE_TREE, bound, ours / table, unit)


def _pieces(run: QueriesRun) -> Iterator[Goal]:
    """The same rows in pieces and in as few segments as the format allows."""
    for case in run.cases:
        whole = next((one for one in run.cases if _is_whole_of(one, case)), None)
        if whole is None:
            continue
        for one in case.results:
            if (
                one.engine != THIS
                or not one.samples
                or not (base := whole.find(one.question, THIS))
            ):
                continue
            more_ms = one.cpu_ms() - base.cpu_ms()
            where = (case.name, one.question, f"its own CPU with {whole.files} segments")
            if case.compacted:
                yield Goal(*where, _COMPACTED_MS, more_ms, "ms of CPU more")
            else:
                each_ms = more_ms / (case.files - whole.files)
                yield Goal(*where, _PIECE_MS, each_ms, "ms of CPU per piece")


def _is_whole_of(one: Case, other: Case) -> bool:
    mine, pieces = one.layout, other.layout
    same = (mine.kind, mine.rows, mine.users, mine.columns, mine.live, mine.partitions,
            mine.indexers, mine.cold) == (
            pieces.kind, pieces.rows, pieces.users, pieces.columns, pieces.live,
            pieces.partitions, pieces.indexers, pieces.cold)  # fmt: skip
    return same and mine.pieces <= 1 < pieces.pieces
