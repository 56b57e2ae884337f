"""The bookmark of a followed log: the offset up to which it was sent, saved in a file.

Before a batch is sent its borders are saved; after it was acknowledged the bookmark moves to its
end. A follower that starts again sends the same bytes under the same batch id, so that the store
takes them once (I2).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from bellwether.send.files.resume import BOOKMARK_PREFIX
from common.model.times.forms import Order

TAIL_BYTES = 256  # before the offset: enough to detect that a file was written anew
HEAD_BYTES = 1_024  # of its beginning: enough to recognise a log after it was renamed


class Bookmark(msgspec.Struct, frozen=True, kw_only=True):
    """Where the next line begins.

    key: identifies the follower of this log and dataset for ever.
    kind: the format.
    file: number of files that were begun, the present one included.
    device, inode: identify the present file.
    head_bytes, head: length and digest of the beginning of the present file.
    offset: everything before it is stored.
    tail: digest of the bytes just before the offset.
    line: number of lines before the offset.
    prefix: bytes that a chunk is parsed after (a table's header).
    until: end of the batch in flight, 0 for none.
    now_ns: the present by which the times of the batch in flight are read, or when the file was
    begun.
    in_long_line: a line that is too long to be an event is being skipped.
    order: of numeric dates, once a line has decided it: 05/06/2026 alone does not.
    """

    key: str
    kind: str = ""
    file: int = 0
    device: int = 0
    inode: int = 0
    head_bytes: int = 0
    head: str = ""
    offset: int = 0
    tail: str = ""
    line: int = 0
    prefix: bytes = b""
    until: int = 0
    now_ns: int = 0
    in_long_line: bool = False
    order: Order | None = None


class BookmarkError(Exception):
    """The bookmark cannot be saved or read; the text has the reason."""


def digest(data: bytes) -> str:
    """A short digest of bytes of a file, whose text is not kept."""
    return hashlib.sha256(data).hexdigest()[:32]


def bookmark_file(folder: Path, *parts: str) -> Path:
    """The path of the bookmark that these parts identify."""
    return folder / f"{BOOKMARK_PREFIX}{digest(chr(0).join(parts).encode())}.json"


def read_bookmark(path: Path) -> Bookmark | None:
    """The bookmark, None if there is none yet. Raises BookmarkError for a file that holds none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Bookmark)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise BookmarkError(
            f"{path} should say how far the log was sent and cannot be read ({error}): remove it "
            "to send the log from its beginning"
        ) from error


def write_bookmark(path: Path, bookmark: Bookmark) -> None:
    """Save it, whole or not at all, also through a power cut. Raises BookmarkError."""
    draft = path.with_suffix(".new")
    try:
        with draft.open("wb") as file:
            file.write(msgspec.json.encode(bookmark))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise BookmarkError(f"cannot keep the place in {path}: {error.strerror}") from error


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the bookmark's lock: two followers of one log and dataset would store it twice. Raises
    BookmarkError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        held = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise BookmarkError(f"cannot keep the place in {path.parent}: {error.strerror}") from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(held)
        raise BookmarkError(
            "another `bellwether send --follow` follows this log already"
        ) from error
    try:
        yield
    finally:
        os.close(held)
