"""The saved state of a load: which file it read, how far it was answered, where it ended.

A file is recognised by its content, never by its name, so that it may be renamed, compressed,
copied and may grow: everything before the saved offset must have the saved hash
(ADR 0026). One small file per load, in one folder per user.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from bellwether.send.files.source import HEAD_BYTES, Source

STATE_FILES_MAX = 1_000  # the states of older loads are removed
BORDERS_MAX = 1_000  # ends of earlier loads that are saved; the oldest are dropped first
BOOKMARK_PREFIX = "follow-"  # of the names of bookmark files of followed logs
_READ_BYTES = 1_000_000


class LoadState(msgspec.Struct, frozen=True, kw_only=True):
    """Everything before `offset` of the unpacked file has been answered.

    key: the load's events and batches are named after it.
    head_bytes, head: length of the file's beginning, and its hash.
    digest: the hash of everything before the offset.
    line: line where the last event before the offset begins.
    cut_bytes: the length of that event's text if the file ended there without a line break, else
    None.
    borders: offsets where loads of this file ended.
    """

    key: str
    name: str
    head_bytes: int
    head: str
    offset: int
    digest: str
    line: int
    cut_bytes: int | None
    accepted: int
    rejected: int
    answered_s: int
    borders: tuple[int, ...] = ()


class EarlierLoads(NamedTuple):
    """Earlier loads of a file.

    state: of the load of this file, possibly before it grew; None if there is none.
    taken: keys of loads of other files that begin like this one.
    """

    state: LoadState | None
    taken: frozenset[str]


def state_folder(environ: Mapping[str, str]) -> Path:
    """The folder of the states, by the XDG rules."""
    base = environ.get("XDG_STATE_HOME") or Path(environ.get("HOME", ".")) / ".local" / "state"
    return Path(base) / "bellwether" / "send"


def scope_of(*parts: str) -> str:
    """A name for what loads must have in common to resume each other."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def state_file(folder: Path, scope: str, key: str) -> Path:
    """The file of a load's state."""
    return folder / f"{scope}-{key}.json"


def head_digest(head: bytes) -> str:
    """The hash of a file's beginning."""
    return hashlib.sha256(head[:HEAD_BYTES]).hexdigest()


def new_key(head: bytes, taken: Iterable[str], *parts: str) -> str:
    """The key of a file's load: the same for the same beginning and parts, but none of `taken`."""
    others = set(taken)
    salt = 0
    while True:
        text = "\0".join((head_digest(head), *parts, str(salt)))
        key = hashlib.sha256(text.encode()).hexdigest()[:12]
        if key not in others:
            return key
        salt += 1


def read_states(folder: Path, scope: str) -> list[LoadState]:
    """The states of a scope; files that cannot be read are left out."""
    found = []
    for path in folder.glob(f"{scope}-*.json"):
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=LoadState))
        except (OSError, msgspec.DecodeError):
            continue
    return found


def find_earlier(
    states: Iterable[LoadState], head: bytes, reopen: Callable[[], Source]
) -> EarlierLoads:
    """Which of the loads read this same file. Reads the file again as far as that needs, and only
    where it begins like that of a known load. Raises SourceError.
    """
    alike = [s for s in states if head_digest(head[: s.head_bytes]) == s.head]
    alike = [s for s in alike if len(head) >= s.head_bytes]
    if not alike:
        return EarlierLoads(None, frozenset())
    source = reopen()
    found: LoadState | None = None
    taken = set()
    for state in sorted(alike, key=lambda s: s.offset):
        while source.prefix.length < state.offset and source.stream.read(_READ_BYTES):
            pass
        if source.prefix.digest_at(state.offset) == state.digest:
            if found is None or state.offset > found.offset or state.answered_s > found.answered_s:
                found = state
        else:  # also one that is shorter: to take it for the same could lose its lines
            taken.add(state.key)
    return EarlierLoads(found, frozenset(taken))


def write_state(path: Path, state: LoadState) -> None:
    """Save the state, whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.new")
    draft.write_bytes(msgspec.json.encode(state))
    draft.replace(path)


def remove_oldest(folder: Path, files_max: int = STATE_FILES_MAX) -> None:
    """Remove the oldest states above `files_max`. The bookmarks of followed logs are in the same
    folder and stay: without its bookmark a log would be stored once more. Raises OSError.
    """
    ages: list[tuple[float, Path]] = []
    for path in folder.glob("*.json"):
        if not path.name.startswith(BOOKMARK_PREFIX):
            with suppress(FileNotFoundError):  # another load removed it just now
                ages.append((path.stat().st_mtime, path))
    for _, old in sorted(ages)[:-files_max]:
        old.unlink(missing_ok=True)
