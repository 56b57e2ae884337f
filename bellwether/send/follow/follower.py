"""Follow a log: read what is new, send it, save the bookmark, and go on in the next file.

One step is plain code over a clock, a file system and a store. It can be stopped at any point and
started again: nothing is lost, nothing is stored twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bellwether.send.files.source import HEAD_BYTES, SourceError
from bellwether.send.follow.bookmark import TAIL_BYTES, Bookmark, digest, write_bookmark
from bellwether.send.follow.chunk import CHUNK_BYTES, Chunk, first_lines, read_chunk
from bellwether.send.follow.log_file import LogFile
from bellwether.send.follow.post import Poster
from bellwether.send.follow.rotated import find_again, next_after, oldest_since
from bellwether.send.formats.detect import detect
from bellwether.send.formats.tables import table
from bellwether.send.lines import LINE_BYTES_MAX, TOO_LONG
from bellwether.send.prepare.own_time import TimeFinder
from bellwether.send.prepare.prepare import Choices, Ready, prepare
from bellwether.send.sanity_check import refusal_reason

# Wait for more of an event that may continue (a stack trace, an open quote)
QUIET_S = 2.0
# After a rename a program may write into the old file until it opens the new one
RENAMED_S = 5.0
_NO_LINE_BYTES = LINE_BYTES_MAX + 1


@dataclass(frozen=True, slots=True)
class FollowOptions:
    """Which log is followed, and how it is read. load_id: the id in its events, None for none."""

    path: Path
    choices: Choices
    load_id: str | None
    skip_bad: bool = False
    from_end: bool = False


class FollowRefused(Exception):
    """The log should not be sent with these options; the text has the reason and the remedy."""


@dataclass(slots=True)
class Counts:
    """Events that were stored and refused since the start."""

    accepted: int = 0
    refused: int = 0


class Follower:
    """Follows one log.

    now_s: the present in unix seconds.
    notify: shows the operator one line of text.
    on_refused: takes a line that was not stored: its number, the reason, its bytes.
    """

    def __init__(
        self,
        options: FollowOptions,
        bookmark: Bookmark,
        bookmark_path: Path,
        poster: Poster,
        now_s: Callable[[], float],
        notify: Callable[[str], None],
        on_refused: Callable[[int, str, bytes], None],
    ) -> None:
        self._options = options
        self.bookmark = bookmark
        self._bookmark_path = bookmark_path
        self._poster = poster
        self._now_s = now_s
        self._notify = notify
        self._on_refused = on_refused
        self._file: LogFile | None = None
        self._grew_s = now_s()  # when the file was last seen to grow
        self._seen = -1
        self._is_missing = False  # the file of the bookmark was not found
        self.counts = Counts()

    def close(self) -> None:
        """Close the file. The bookmark is saved already."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def step(self) -> bool:
        """Do the next thing; False if there is nothing to do for now. Raises ClientError,
        PlaceError.
        """
        if self._file is None and not self._open():
            return False
        file = self._file
        assert file is not None
        if self.bookmark.until:
            self._send_again(file)
            return True
        if not file.is_packed and not file.matches(self.bookmark):
            self._notify(f"{file.path} was truncated or written anew")
            self._reopen(file, find_again(self._options.path, self.bookmark))
            return True
        if not self.bookmark.kind and not self._detect_format(file):
            return False
        data = file.read(self.bookmark.offset, CHUNK_BYTES)
        if file.size() != self._seen:
            self._seen, self._grew_s = file.size(), self._now_s()
        quiet_s = self._now_s() - self._grew_s
        is_quiet = quiet_s >= QUIET_S
        is_over = file.is_packed or (quiet_s >= RENAMED_S and not file.is_at(self._options.path))
        if data and self._send_whole(file, data, is_over, is_quiet):
            return True
        if is_over and not file.read(self.bookmark.offset, 1):
            return self._open_next(file)
        return False

    def _open(self) -> bool:
        """Open the file of the bookmark, or the log where it begins; False if there is none yet."""
        bookmark = self.bookmark
        if bookmark.file and not (self._is_missing and not self._options.path.exists()):
            found = find_again(self._options.path, bookmark)
            if found is not None:
                if found.path != self._options.path:
                    self._notify(f"going on in {found.path}, which was {self._options.path.name}")
                self._file, self._is_missing = found, False
                return True
            if not self._is_missing:
                self._notify(
                    f"the file that was sent up to its byte {bookmark.offset:,} is gone: what was "
                    "added to it since then is not sent"
                )
            self._is_missing = True
        path = self._options.path
        if bookmark.file and bookmark.now_ns:  # later rotated files were not sent either
            path = oldest_since(path, bookmark.now_ns)
        try:
            file = LogFile(path)
        except (OSError, SourceError):
            return False
        is_first = not bookmark.file
        self._begin(file)
        if (
            is_first
            and self._options.from_end
            and (self.bookmark.kind or self._detect_format(file))
        ):
            self._skip_to_end(file)
        return True

    def _detect_format(self, file: LogFile) -> bool:
        """Detect the format; False if there is no line yet. Raises UnknownFormat."""
        head = file.read(0, HEAD_BYTES)
        whole = head[: head.rfind(b"\n") + 1]
        if not whole:
            return False
        kind = detect(whole, self._options.path.name)
        self.bookmark = msgspec.structs.replace(self.bookmark, kind=kind)
        self._notify(f"{file.path} is read as {kind}")
        return True

    def _skip_to_end(self, file: LogFile) -> None:
        """Begin after the present end of the log."""
        size = file.size()
        begin = max(size - _NO_LINE_BYTES, 0)
        last = file.read(begin, size - begin).rfind(b"\n")
        self.bookmark = msgspec.structs.replace(
            file.with_longer_head(self.bookmark), kind=self.bookmark.kind, prefix=self._prefix(file)
        )
        self._advance(file, begin + last + 1, 0, in_long_line=last < 0 and begin > 0)

    def _begin(self, file: LogFile) -> None:
        self._file, self._seen, self._is_missing = file, -1, False
        now_ns = int(self._now_s() * 1e9)
        self.bookmark = msgspec.structs.replace(file.begin(self.bookmark), now_ns=now_ns)
        self._save()

    def _reopen(self, file: LogFile, rest: LogFile | None) -> None:
        """Go on in the copy (`rest`) of a truncated file, else at the start of the file."""
        file.close()
        if rest is not None:
            self._file, self._seen = rest, -1
            return
        self._file = None
        try:
            self._begin(LogFile(self._options.path))
        except OSError:  # it was removed just now: a new one is waited for
            return

    def _open_next(self, file: LogFile) -> bool:
        """From a file that is at its end to the next one; False if there is none yet."""
        if (damage := file.damage()) is not None:
            self._notify(f"{damage}: what can be read before that was sent")
        following = next_after(self._options.path, file, self.bookmark)
        if following is None:
            return False
        self._notify(f"{file.path} is at its end: going on in {following.path}")
        file.close()
        self._begin(following)
        return True

    def _send_whole(self, file: LogFile, data: bytes, is_over: bool, is_quiet: bool) -> bool:
        """Send the whole events of these bytes; False to wait for more."""
        bookmark = self.bookmark
        if bookmark.in_long_line or b"\n" not in data:
            passed = self._skip_long_line(file, data, is_over)
            if passed is not None:
                return passed
            data = file.read(bookmark.offset, _NO_LINE_BYTES)
        read = len(data)
        data = first_lines(data)
        is_full = read >= CHUNK_BYTES or len(data) < read
        is_last = is_over and not is_full
        chunk = self._read_chunk(data, is_last)
        if chunk is None and is_full:  # one document or entry that is larger
            data = file.read(bookmark.offset, _NO_LINE_BYTES)
            chunk = self._read_chunk(data, False)
        if chunk is None and (is_quiet or is_full):
            chunk = self._read_chunk(data[: data.rfind(b"\n") + 1], True)
        if chunk is None:
            return False
        self._commit(file, chunk)
        return True

    def _read_chunk(self, data: bytes, is_last: bool) -> Chunk | None:
        bookmark = self.bookmark
        prefix = bookmark.prefix if bookmark.offset else b""
        options = self._options.choices.options
        return read_chunk(data, prefix, bookmark.line, bookmark.kind, options, is_last)

    def _skip_long_line(self, file: LogFile, data: bytes, is_over: bool) -> bool | None:
        """Skip a line that is too long to be an event; None if this line is not."""
        bookmark = self.bookmark
        end = data.find(b"\n") + 1
        if bookmark.in_long_line:
            passed = end or len(data)
            self._advance(file, passed, int(bool(end)), in_long_line=not end)
            return True
        whole = file.read(bookmark.offset, _NO_LINE_BYTES)
        if len(whole) < _NO_LINE_BYTES or b"\n" in whole:
            return None if is_over or b"\n" in whole else False
        self._refuse(bookmark.line + 1, TOO_LONG, b"")
        self._advance(file, len(whole), 0, in_long_line=True)
        return True

    def _commit(self, file: LogFile, chunk: Chunk) -> None:
        """Send a chunk: its borders are saved before, the new bookmark after."""
        now_ns = int(self._now_s() * 1e9)
        until = self.bookmark.offset + chunk.size
        self.bookmark = msgspec.structs.replace(
            file.with_longer_head(self.bookmark),
            until=until,
            now_ns=now_ns,
            prefix=self._prefix(file),
        )
        self._save()
        self._post(chunk)
        self._advance(file, chunk.size, chunk.lines, prefix=chunk.prefix or self.bookmark.prefix)

    def _send_again(self, file: LogFile) -> None:
        """Send again the chunk that was in flight at the stop, under the same batch id."""
        bookmark = self.bookmark
        size = bookmark.until - bookmark.offset
        data = file.read(bookmark.offset, size)
        chunk = self._read_chunk(data, True)
        if chunk is None or chunk.size != bookmark.until - bookmark.offset:
            self._notify(
                f"{file.path}: {bookmark.until - bookmark.offset:,} bytes are gone and not sent"
            )
            self.bookmark = msgspec.structs.replace(bookmark, until=0)
            self._save()
            return
        self._post(chunk)
        self._advance(file, chunk.size, chunk.lines, prefix=chunk.prefix or bookmark.prefix)

    def _post(self, chunk: Chunk) -> None:
        bookmark = self.bookmark
        choices = self._options.choices
        finder = TimeFinder(choices.times, bookmark.now_ns, bookmark.order)
        ready = list(
            prepare(chunk.items, choices, bookmark.now_ns, self._options.load_id, finder=finder)
        )
        self.bookmark = msgspec.structs.replace(bookmark, order=finder.order)
        if bookmark.file == 1 and bookmark.offset == 0 and not self._options.skip_bad:
            reason = refusal_reason(ready, False)
            if reason is not None:
                self.bookmark = msgspec.structs.replace(bookmark, until=0)
                self._save()
                raise FollowRefused(reason)
        events = [event for event in ready if event.error is None]
        refused = [(event, event.error) for event in ready if event.error is not None]
        if events:
            refused += self._poster.post(events, _batch_id(bookmark))
        self.counts.accepted += len(ready) - len(refused)
        for event, reason in sorted(refused, key=_line_of):
            self._refuse(event.line, reason, event.source)

    def _refuse(self, line: int, reason: str, source: bytes) -> None:
        self.counts.refused += 1
        self._on_refused(line, reason, source)

    def _prefix(self, file: LogFile) -> bytes:
        """What every later chunk of a table needs before it: the names at its beginning."""
        bookmark = self.bookmark
        if bookmark.offset or bookmark.kind not in ("csv", "tsv"):
            return bookmark.prefix
        return table.header_of(
            file.read(0, HEAD_BYTES), bookmark.kind, self._options.choices.options
        )

    def _advance(
        self, file: LogFile, size: int, lines: int, in_long_line: bool = False, prefix: bytes = b""
    ) -> None:
        bookmark = self.bookmark
        offset = bookmark.offset + size
        begin = max(offset - TAIL_BYTES, 0)
        self.bookmark = msgspec.structs.replace(
            bookmark,
            offset=offset,
            tail=digest(file.read(begin, offset - begin)),
            line=bookmark.line + lines,
            until=0,
            in_long_line=in_long_line,
            prefix=prefix or bookmark.prefix,
        )
        self._save()

    def _save(self) -> None:
        write_bookmark(self._bookmark_path, self.bookmark)


def _batch_id(bookmark: Bookmark) -> str:
    """The same for the same bytes, and never for others: files are counted."""
    name = f"{bookmark.key}\n{bookmark.file}\n{bookmark.offset}\n{bookmark.until}"
    return f"follow-{digest(name.encode())}"


def _line_of(refused: tuple[Ready, str]) -> int:
    return refused[0].line
