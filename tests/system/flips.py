"""Flips bytes at random in what an installation keeps on disk, as a failing disk does."""

import contextlib
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

from common.log.embedded.known_ends import FILE

BYTES = 20  # in a row, of one file
_SQLITE_HEADER = 100  # of a database file; without it the file is none


def flip(path: Path, at: int, count: int = BYTES) -> None:
    """Flip bytes of a file where it lies; its length stays."""
    with path.open("r+b") as file:
        file.seek(at)
        taken = file.read(count)
        file.seek(at)
        file.write(bytes(byte ^ 0x5A for byte in taken))


def flip_somewhere(path: Path, chance: random.Random) -> str:
    """Flip bytes at a random place of a file."""
    size = path.stat().st_size
    flip(path, chance.randrange(max(1, size - BYTES)))
    return path.name


def _one_of(data: Path, pattern: str, chance: random.Random) -> str | None:
    found = [p for p in sorted(data.glob(pattern)) if p.is_file() and p.stat().st_size > 2 * BYTES]
    return flip_somewhere(chance.choice(found), chance) if found else None


def segment(data: Path, chance: random.Random) -> str | None:
    """A published segment."""
    return _one_of(data, "objects/segments/**/*", chance)


def pack(data: Path, chance: random.Random) -> str | None:
    """The segments of one cut in one object."""
    return _one_of(data, "objects/packs/**/*", chance)


def compaction(data: Path, chance: random.Random) -> str | None:
    """A document that says which object is read instead of several segments."""
    return _one_of(data, "objects/compactions/**/*", chance)


def summary(data: Path, chance: random.Random) -> str | None:
    """What the columns of a segment hold."""
    return _one_of(data, "objects/summaries/**/*", chance)


def manifest(data: Path, chance: random.Random) -> str | None:
    """A published manifest."""
    return _one_of(data, "objects/manifests/**/*", chance)


def cached_segment(data: Path, chance: random.Random) -> str | None:
    """An indexer's own copy of a segment."""
    return _one_of(data, "roles/indexer-*/segments/*/*.parquet", chance)


def cached_document(data: Path, chance: random.Random) -> str | None:
    """An indexer's own copy of a manifest."""
    return _one_of(data, "roles/indexer-*/copies/**/*", chance)


def key_cache(data: Path, chance: random.Random) -> str | None:
    """A cache of keys, datasets or quotas."""
    return _one_of(data, "roles/*/*.json", chance)


def kept_time(data: Path, chance: random.Random) -> str | None:
    """What an indexer keeps of the time that it has run, trusts, or has followed."""
    where = chance.choice(("hours", "expiry"))
    return _one_of(data, f"roles/indexer-*/{where}/*.json", chance)


def known_ends(data: Path, chance: random.Random) -> str | None:
    """The hint of where the log's partitions end."""
    found = data / "log" / FILE
    return flip_somewhere(found, chance) if found.exists() else None


def record(data: Path, chance: random.Random) -> str | None:
    """The value of an events record in the log, wherever it lies in its file."""
    file = chance.choice(sorted(data.glob("log/p*/*.db")))
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        rows = database.execute(
            "SELECT offset, value FROM records WHERE length(value) BETWEEN 200 AND 3000"
            " ORDER BY random() LIMIT 1"
        ).fetchall()
    for offset, value in rows:
        at = file.read_bytes().find(value[:60])
        if at > _SQLITE_HEADER:
            flip(file, at + 30)
            return f"{file.parent.name} offset {offset}"
    return None


def metadata(data: Path, chance: random.Random) -> str | None:
    """The database of keys and datasets, anywhere in it."""
    file = data / "metadata.db"
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    flip(file, chance.randrange(file.stat().st_size - BYTES))
    return file.name


Flip = Callable[[Path, random.Random], str | None]
RUNNING: dict[str, Flip] = {  # while everything runs
    "segment": segment,
    "pack": pack,
    "compaction document": compaction,
    "summary": summary,
    "manifest": manifest,
    "cached segment": cached_segment,
    "cached document": cached_document,
    "key cache": key_cache,
    "kept time": kept_time,
}
# Only while nothing runs: SQLite keeps pages in memory and would write them over ours.
STOPPED: dict[str, Flip] = {**RUNNING, "record": record, "known ends": known_ends}
