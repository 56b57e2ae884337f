"""Damage to an embedded log, for tests: bytes of records that are hit in their file."""

import contextlib
import sqlite3
from pathlib import Path


def flip(
    folder: Path, offset: int, column: str = "value", at: int = -5, partition: int = 0
) -> None:
    """Flip bits of one byte of a record, in whatever file of the partition holds it."""
    for file in sorted((folder / "log").glob(f"p{partition:05d}/*.db")):
        with contextlib.closing(sqlite3.connect(file)) as database:
            row = database.execute(
                f"SELECT {column} FROM records WHERE offset = ?", (offset,)
            ).fetchone()
            if row is None:
                continue
            damaged = bytearray(row[0])
            damaged[at] ^= 0x55
            database.execute(
                f"UPDATE records SET {column} = ? WHERE offset = ?", (bytes(damaged), offset)
            )
            database.commit()
            return
    raise AssertionError(f"no file holds offset {offset}")
