"""Examines the embedded log file by file, without changing it (I13).

It finds damage before a role's reader reaches it: files that are missing, truncated, zeroed or of
another log, and records whose checksum does not match. It goes on after each flaw.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from common.errors import LogUnavailable
from common.log.embedded.examine_file import RESTORE, FileExamination, Flaw, Visit
from common.log.embedded.identity import read_identity
from common.log.embedded.known_ends import read_ends
from common.log.interface import LogIdentity
from common.model.record import LogRecord

Progress = Callable[[int, int, str], None]  # bytes done, bytes in total, what is read


@dataclass(slots=True)
class LogExamination:
    """Result of an examination: what was read, and its flaws."""

    identity: LogIdentity | None = None
    files: int = 0
    records: int = 0
    bytes: int = 0
    flaws: list[Flaw] = field(default_factory=list)


def no_visit(_record: LogRecord) -> None:
    """Ignores records."""


def no_progress(_done: int, _total: int, _what: str) -> None:
    """Ignores progress."""


def has_log(folder: Path) -> bool:
    """Whether the folder has a log with a readable identity."""
    try:
        return read_identity(folder) is not None
    except (LogUnavailable, OSError):
        return False


def examine_log(
    folder: Path,
    visit: Visit = no_visit,
    progress: Progress = no_progress,
    *,
    records: bool = True,
    flaws_max: int = 1_000,
) -> LogExamination:
    """Examine the whole log in `folder`, also while roles append to it. Blocks.

    visit: called with every intact record, ordered by partition and offset.
    progress: called before each file.
    records: False reads only each file's description and last offset.
    flaws_max: how many flaws the report holds at most.
    """
    found = LogExamination()
    try:
        found.identity = read_identity(folder)
    except (LogUnavailable, OSError) as error:
        remedy = "restore it from a backup: without it no file can be told from another log's"
        found.flaws.append(Flaw(None, folder, str(error), remedy))
        return found
    if found.identity is None:
        what = f"there is no log in {folder}"
        found.flaws.append(Flaw(None, folder, what, "if there was one, restore it from a backup"))
        return found
    sizes = _sizes(folder)
    total = sum(sizes.values())
    for flaw in _partitions(folder, found, visit, progress, sizes, total, records=records):
        if len(found.flaws) < flaws_max:
            found.flaws.append(flaw)
    progress(total, total, "log")
    return found


def _partitions(
    folder: Path,
    found: LogExamination,
    visit: Visit,
    progress: Progress,
    sizes: dict[Path, int],
    total: int,
    *,
    records: bool,
) -> Iterator[Flaw]:
    if found.identity is None:
        raise AssertionError("only a log that is there has partitions")
    known = read_ends(folder, found.identity.partitions)
    done = 0
    for number in range(found.identity.partitions):
        place = folder / f"p{number:05d}"
        paths = sorted(path for path in sizes if path.parent == place)
        next_base: int | None = None
        end: int | None = 0
        for path in paths:
            progress(done, total, f"log, partition {number}")
            base = int(path.stem)
            examination = FileExamination(path, number, base)
            flaws = list(examination.flaws(visit, records=records))
            if not path.exists():  # dropped meanwhile: a manifest covers its records
                next_base = end = None
                done += sizes[path]
                continue
            yield from flaws
            found.files += 1
            found.records += examination.found.records
            found.bytes += examination.found.bytes
            span = examination.found.description
            if span is not None and span.epoch != found.identity.epoch:
                what = f"log file {path} belongs to log {span.epoch}, not to this one"
                yield Flaw(number, path, what, "move it away, and restore the one of this log")
            if next_base is not None and next_base != base:
                yield _missing(place, number, next_base, base)
            next_base = None if span is None else span.next_base
            end = examination.found.end
            if next_base is not None and end is not None and end < next_base:
                yield _short(path, number, end, next_base, "it was closed with more records")
            done += sizes[path]
        if next_base is not None:
            end = next_base
        if end is not None and end < known[number]:
            where = paths[-1] if paths else place
            yield _short(where, number, end, known[number], "more were written")


def _missing(place: Path, partition: int, first: int, end: int) -> Flaw:
    path = place / f"{first:020d}.db"
    what = f"log file {path} with records {first} to {end - 1} is missing"
    return Flaw(partition, path, what, RESTORE, first, end)


def _short(path: Path, partition: int, first: int, end: int, why: str) -> Flaw:
    reason, _, more = why.partition(";")
    what = f"records {first} to {end - 1} are missing at the end of {path}: {reason}"
    return Flaw(partition, path, what, RESTORE + (f";{more}" if more else ""), first, end)


def _sizes(folder: Path) -> dict[Path, int]:
    """The log's files, each with its size in bytes, including its WAL."""
    sizes: dict[Path, int] = {}
    for path in sorted(folder.glob("p*/*.db")):
        if not path.stem.isdigit():
            continue
        parts = (path, Path(f"{path}-wal"))
        try:
            sizes[path] = sum(part.stat().st_size for part in parts if part.exists())
        except OSError:  # dropped or closed meanwhile
            sizes[path] = 0
    return sizes
