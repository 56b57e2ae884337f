"""The file to write: its format by its name, and nothing half-written under that name."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

_COMPRESSIONS: Final = ("gz", "zst")


class FileFormat(StrEnum):
    """What a file is."""

    PARQUET = "parquet"
    ARROW = "arrow"
    CSV = "csv"
    NDJSON = "ndjson"

    @property
    def is_typed(self) -> bool:
        """Whether a column has one type."""
        return self in (FileFormat.PARQUET, FileFormat.ARROW)


_ENDINGS: Final = {
    "parquet": FileFormat.PARQUET,
    "arrow": FileFormat.ARROW,
    "feather": FileFormat.ARROW,
    "csv": FileFormat.CSV,
    "ndjson": FileFormat.NDJSON,
    "jsonl": FileFormat.NDJSON,
}
KNOWN: Final = "parquet, arrow, csv, csv.gz, csv.zst, ndjson, ndjson.gz, ndjson.zst"


@dataclass(frozen=True, slots=True)
class TargetFile:
    """A file to write. compression: `gz`, `zst` or empty; typed formats compress themselves."""

    path: Path
    format: FileFormat
    compression: str = ""


def target_file(path: Path) -> TargetFile:
    """The file of this name. Raises ValueError with the names that are known."""
    parts = path.name.lower().split(".")[1:]
    compression = parts.pop() if parts and parts[-1] in _COMPRESSIONS else ""
    found = _ENDINGS.get(parts[-1]) if parts else None
    if found is None or (compression and found.is_typed):
        raise ValueError(f"{path.name}: the name of the file says its format: {KNOWN}")
    return TargetFile(path, found, compression)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A file beside `path` to write to, which takes its place at the end; none is left if not."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(descriptor)
    unfinished = Path(name)
    try:
        yield unfinished
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.chmod(0o666 & ~_umask())
        unfinished.replace(path)
    finally:
        with suppress(FileNotFoundError):
            unfinished.unlink()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
