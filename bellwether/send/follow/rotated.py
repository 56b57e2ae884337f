"""The files of a log that were put aside, in the order in which they were written.

They are told by their names and by when they were last written to. Whoever rotates the log renames
and packs them while they are looked at, so what was found under a name may be another file by now:
a look that something changed in is made again.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from bellwether.send.files.source import SourceError
from bellwether.send.follow.log_file import PACKED, LogFile
from bellwether.send.follow.place import Place

# How logrotate and its kin name what they put aside: app.log.1, app.log-20260131.gz
_PUT_ASIDE = re.compile(r"[.-]\d[\dTZ_.:-]*?(?:\.(?:gz|bz2|xz|zst))?", re.ASCII)
_DIGITS = re.compile(r"\d+")
_NUMBER_DIGITS_MAX = 4  # more are a date: the later, the newer; of numbers the larger is the older
_LOOKS_MAX = 5


class PutAside(NamedTuple):
    """A file that was put aside. changed_ns: when it was last written to; rank: what its name says
    of its age, larger for newer ones; device, inode: which file it is.
    """

    changed_ns: int
    rank: int
    path: Path
    device: int
    inode: int

    def is_file(self, file: LogFile) -> bool:
        """Whether it is this open file."""
        return (self.device, self.inode) == (file.device, file.inode)


def put_aside(path: Path) -> list[PutAside]:
    """The files that were put aside from this path, oldest first. One that is being packed is
    there once, as it was.
    """
    found = []
    for other in path.parent.glob("*"):
        if not _is_put_aside(path.name, other.name):
            continue
        try:
            state = other.stat()
        except OSError:  # it was renamed or removed just now
            continue
        rank = _rank(path.name, other.name)
        found.append(PutAside(state.st_mtime_ns, rank, other, state.st_dev, state.st_ino))
    plain = {other.path for other in found if not other.path.name.endswith(PACKED)}
    return sorted(
        other for other in found if other.path in plain or other.path.with_suffix("") not in plain
    )


def find_again(path: Path, place: Place) -> LogFile | None:
    """The file of the place, opened; None if it is gone. The caller closes it."""
    for _ in range(_LOOKS_MAX):
        others = put_aside(path)
        found = _among([path, *(other.path for other in reversed(others))], place)
        if found is not None or _names(put_aside(path)) == _names(others):
            return found
    return None


def next_after(path: Path, file: LogFile, place: Place) -> LogFile | None:
    """What follows a file that is at its end (the place), opened: what was put aside later than it
    was last written to, else the log itself. None if there is none yet, or if files are being
    renamed. The caller closes it.
    """
    for _ in range(_LOOKS_MAX):
        others = put_aside(path)
        chosen = _later(others, file, place)
        try:
            found = LogFile(path if chosen is None else chosen.path)
        except (OSError, SourceError):
            return None
        is_same = chosen is None or chosen.is_file(found)
        if is_same and _names(put_aside(path)) == _names(others):
            return found
        found.close()
    return None


def oldest_since(path: Path, since_ns: int) -> Path:
    """The first file of the log that was written to later than this moment."""
    return next((o.path for o in put_aside(path) if o.changed_ns > since_ns), path)


def _later(others: list[PutAside], file: LogFile, place: Place) -> PutAside | None:
    changed_ns = file.changed_ns()
    own = next((other for other in others if other.is_file(file)), None)
    if own is None:  # it was packed since it was opened
        packed = (other for other in others if other.path.name.endswith(PACKED))
        own = next(
            (o for o in packed if o.changed_ns >= changed_ns and _holds(o.path, place)), None
        )
    rank = 0 if own is None else own.rank
    for other in others:
        # the clock of a file system may stand still for some milliseconds: then the name tells
        is_later = other.changed_ns > changed_ns or (
            other.changed_ns == changed_ns and own is not None and other.rank > rank
        )
        if is_later and other is not own:
            return other
    return None


def _among(paths: list[Path], place: Place) -> LogFile | None:
    others = []
    for candidate in paths:
        try:
            file = LogFile(candidate)
        except (OSError, SourceError):
            continue
        # the same file under whatever name; a beginning of no bytes is that of any other, too
        if (file.device, file.inode) == (place.device, place.inode) and file.holds(place):
            return file
        file.close()
        others.append(candidate)
    if not place.offset and not place.head_bytes:
        return None
    for candidate in others:  # a copy, or packed
        try:
            file = LogFile(candidate)
        except (OSError, SourceError):
            continue
        if file.holds(place):
            return file
        file.close()
    return None


def _holds(path: Path, place: Place) -> bool:
    try:
        file = LogFile(path)
    except (OSError, SourceError):
        return False
    try:
        return file.holds(place)
    finally:
        file.close()


def _names(others: list[PutAside]) -> set[tuple[Path, int]]:
    return {(other.path, other.inode) for other in others}


def _rank(name: str, other: str) -> int:
    stem, _, suffix = name.rpartition(".")
    rest = other[len(name) :] if other.startswith(name) else other[len(stem) : -len(suffix)]
    digits = "".join(_DIGITS.findall(rest.removesuffix(".bz2")))
    return int(digits) if len(digits) > _NUMBER_DIGITS_MAX else -int(digits or 0)


def _is_put_aside(name: str, other: str) -> bool:
    if other == name:
        return False
    if other.startswith(name):
        return _PUT_ASIDE.fullmatch(other[len(name) :]) is not None
    stem, dot, suffix = name.rpartition(".")  # app-20260131.log
    middle = other.removeprefix(stem).partition(f".{suffix}")
    return bool(
        dot
        and other.startswith(stem)
        and middle[1]
        and _PUT_ASIDE.fullmatch(middle[0])
        and middle[2] in ("", *PACKED)
    )
