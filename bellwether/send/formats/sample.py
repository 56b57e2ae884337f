"""The beginning of a file as lines, for telling its format."""

import re
from dataclasses import dataclass
from typing import Final

from bellwether.send.lines import BOM

HEAD_BYTES_FULL: Final = 64 * 1024  # a head of this length ends within a line
_LINES_MAX: Final = 500  # more lines do not change the decision
_COMPRESSIONS = (".gz", ".zst", ".zstd", ".bz2", ".xz")
_ROTATED = re.compile(r"\.\d+$")  # access.log.1


@dataclass(frozen=True, slots=True)
class Sample:
    """lines: the first that are not blank; hint: the file name's ending, in lower case."""

    lines: tuple[str, ...]
    hint: str


def sample_of(head: bytes, name: str) -> Sample:
    """The sample of a file that begins so. A last line that is cut off is left out."""
    text = head.removeprefix(BOM).decode("utf-8", "replace")
    lines = re.split(r"\r\n|\n|\r", text)
    if len(head) >= HEAD_BYTES_FULL and len(lines) > 1:
        lines.pop()
    stem = _ROTATED.sub("", name.lower())
    for ending in _COMPRESSIONS:
        stem = _ROTATED.sub("", stem.removesuffix(ending))
    _, dot, hint = stem.rpartition(".")
    found = tuple(line for line in lines if line.strip())[:_LINES_MAX]
    return Sample(found, hint if dot else "")


def why_not_text(head: bytes) -> str | None:
    """Why a file that begins so is no text at all, None if it is."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "it is UTF-16: convert it first, for instance with iconv -f UTF-16 -t UTF-8"
    if head.startswith(b"PAR1"):
        return "it is a Parquet file, which send does not read"
    if head.startswith(b"PK\x03\x04"):
        return "it is a zip archive (or a spreadsheet): unpack it, or save it as CSV"
    if head.count(b"\x00") * 100 > len(head):
        return "it holds zero bytes: it is no text"
    return None
