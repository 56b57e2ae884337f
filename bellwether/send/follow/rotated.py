"""The rotated files of a log, in the order in which they were written.

They are recognised by their names and ordered by when they were last written to. A rotation may
rename and pack files during a search, so that a name leads to another file: a search during which
the files changed is done again.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from bellwether.send.files.source import SourceError
from bellwether.send.follow.bookmark import Bookmark
from bellwether.send.follow.log_file import PACKED, LogFile

# Names that logrotate and similar tools give: app.log.1, app.log-20260131.gz
_ROTATED = re.compile(r"[.-]\d[\dTZ_.:-]*?(?:\.(?:gz|bz2|xz|zst))?", re.ASCII)
_DIGITS = re.compile(r"\d+")
_NUMBER_DIGITS_MAX = 4  # more are a date: the later, the newer; of numbers the larger is the older
_ATTEMPTS_MAX = 5


class RotatedFile(NamedTuple):
    """A rotated file.

    changed_ns: when it was last written to.
    rank: its age by its name, larger for newer ones.
    device, inode: identify the file.
    """

    changed_ns: int
    rank: int
    path: Path
    device: int
    inode: int

    def is_file(self, file: LogFile) -> bool:
        """Whether it is this open file."""
        return (self.device, self.inode) == (file.device, file.inode)


def rotated_files(path: Path) -> list[RotatedFile]:
    """The rotated files of this path, oldest first. One that is being packed is returned once,
    unpacked.
    """
    found = []
    for other in path.parent.glob("*"):
        if not _is_rotated(path.name, other.name):
            continue
        try:
            state = other.stat()
        except OSError:  # it was renamed or removed just now
            continue
        rank = _rank(path.name, other.name)
        found.append(RotatedFile(state.st_mtime_ns, rank, other, state.st_dev, state.st_ino))
    plain = {other.path for other in found if not other.path.name.endswith(PACKED)}
    return sorted(
        other for other in found if other.path in plain or other.path.with_suffix("") not in plain
    )


def find_again(path: Path, bookmark: Bookmark) -> LogFile | None:
    """The file of the bookmark, opened; None if it is gone. The caller closes it."""
    for _ in range(_ATTEMPTS_MAX):
        others = rotated_files(path)
        found = _find_among([path, *(other.path for other in reversed(others))], bookmark)
        if found is not None or _names(rotated_files(path)) == _names(others):
            return found
    return None


def next_after(path: Path, file: LogFile, bookmark: Bookmark) -> LogFile | None:
    """The file that follows one that was read to its end, opened: the first rotated file that was
    written to later, else the log itself. None if there is none yet, or if files are being renamed
    meanwhile. The caller closes it.
    """
    for _ in range(_ATTEMPTS_MAX):
        others = rotated_files(path)
        chosen = _next_rotated(others, file, bookmark)
        try:
            found = LogFile(path if chosen is None else chosen.path)
        except (OSError, SourceError):
            return None
        is_same = chosen is None or chosen.is_file(found)
        if is_same and _names(rotated_files(path)) == _names(others):
            return found
        found.close()
    return None


def oldest_since(path: Path, since_ns: int) -> Path:
    """The first file of the log that was written to later than this moment."""
    return next((o.path for o in rotated_files(path) if o.changed_ns > since_ns), path)


def _next_rotated(
    others: list[RotatedFile], file: LogFile, bookmark: Bookmark
) -> RotatedFile | None:
    changed_ns = file.changed_ns()
    own = next((other for other in others if other.is_file(file)), None)
    if own is None:  # it was packed since it was opened
        packed = (other for other in others if other.path.name.endswith(PACKED))
        own = next(
            (o for o in packed if o.changed_ns >= changed_ns and _is_file_of(o.path, bookmark)),
            None,
        )
    rank = 0 if own is None else own.rank
    for other in others:
        # the clock of a file system may stand still for some milliseconds: then the name decides
        is_later = other.changed_ns > changed_ns or (
            other.changed_ns == changed_ns and own is not None and other.rank > rank
        )
        if is_later and other is not own:
            return other
    return None


def _find_among(paths: list[Path], bookmark: Bookmark) -> LogFile | None:
    others = []
    for candidate in paths:
        try:
            file = LogFile(candidate)
        except (OSError, SourceError):
            continue
        # the same file under whatever name; a beginning of no bytes is that of any other, too
        if (file.device, file.inode) == (bookmark.device, bookmark.inode) and file.matches(
            bookmark
        ):
            return file
        file.close()
        others.append(candidate)
    if not bookmark.offset and not bookmark.head_bytes:
        return None
    for candidate in others:  # a copy, or packed
        try:
            file = LogFile(candidate)
        except (OSError, SourceError):
            continue
        if file.matches(bookmark):
            return file
        file.close()
    return None


def _is_file_of(path: Path, bookmark: Bookmark) -> bool:
    try:
        file = LogFile(path)
    except (OSError, SourceError):
        return False
    try:
        return file.matches(bookmark)
    finally:
        file.close()


def _names(others: list[RotatedFile]) -> set[tuple[Path, int]]:
    return {(other.path, other.inode) for other in others}


def _rank(name: str, other: str) -> int:
    stem, _, suffix = name.rpartition(".")
    rest = other[len(name) :] if other.startswith(name) else other[len(stem) : -len(suffix)]
    digits = "".join(_DIGITS.findall(rest.removesuffix(".bz2")))
    return int(digits) if len(digits) > _NUMBER_DIGITS_MAX else -int(digits or 0)


def _is_rotated(name: str, other: str) -> bool:
    if other == name:
        return False
    if other.startswith(name):
        return _ROTATED.fullmatch(other[len(name) :]) is not None
    stem, dot, suffix = name.rpartition(".")  # app-20260131.log
    middle = other.removeprefix(stem).partition(f".{suffix}")
    return bool(
        dot
        and other.startswith(stem)
        and middle[1]
        and _ROTATED.fullmatch(middle[0])
        and middle[2] in ("", *PACKED)
    )
