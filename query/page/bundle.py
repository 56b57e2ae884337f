"""The files of the page in memory: some, small, and all of them known when the role starts."""

import gzip
import hashlib
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from common import limits

_TYPES: Final = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".txt": "text/plain",
}
_IN_WHEEL: Final = Path(__file__).parent / "bundle"
_OF_CHECKOUT: Final = "bellwether-page.txt"  # in the environment: names the folder of the build
INDEX: Final = "index.html"
DOCS: Final = "docs.html"


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file. is_named_by_content: so that browsers may keep it for ever."""

    data: bytes = field(repr=False)
    compressed: bytes = field(repr=False)  # by gzip, once: each browser asks for all of them
    content_type: str
    etag: str
    is_named_by_content: bool


class NoBundle(Exception):
    """There is no page, and why."""


def find_bundle(folder: Path | None = None) -> dict[str, PageFile]:
    """The files by name, of a folder or of the build that came with this program.

    Raises NoBundle.
    """
    place = folder or _found()
    if place is None or not (place / INDEX).is_file():
        raise NoBundle(
            "the page was not built: `python3 make.py up` builds it where npm is reached"
        )
    files: dict[str, PageFile] = {}
    total = 0
    for path in sorted(place.iterdir()):
        kind = _TYPES.get(path.suffix)
        if kind is None or not path.is_file():
            continue
        data = path.read_bytes()
        total += len(data)
        if total > limits.PAGE_BYTES_MAX:
            raise NoBundle(f"the files in {place} are no page: they are too large")
        etag = hashlib.sha256(data).hexdigest()[:32]
        files[path.name] = PageFile(
            data, gzip.compress(data, 9), kind, etag, path.suffix != ".html"
        )
    return files


def _found() -> Path | None:
    if _IN_WHEEL.is_dir():
        return _IN_WHEEL
    named = Path(sys.prefix) / _OF_CHECKOUT
    try:
        return Path(named.read_text("utf-8").strip())
    except (OSError, UnicodeDecodeError):
        return None
