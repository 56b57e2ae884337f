"""Follow a log: read what is new, send it, keep the place, and go on in the next file.

One step is plain code over a clock, a file system and a store, so that a stop at any point is one
that it goes on from: nothing is lost, nothing is stored twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bellwether.send.files.source import HEAD_BYTES, SourceError
from bellwether.send.follow.chunk import CHUNK_BYTES, Chunk, first_lines, read_chunk
from bellwether.send.follow.log_file import LogFile
from bellwether.send.follow.place import TAIL_BYTES, Place, digest, write_place
from bellwether.send.follow.post import Poster
from bellwether.send.follow.rotated import find_again, next_after, oldest_since
from bellwether.send.formats.detect import detect
from bellwether.send.formats.tables import table
from bellwether.send.lines import LINE_BYTES_MAX, TOO_LONG
from bellwether.send.look import why_stop
from bellwether.send.prepare.own_time import TimeFinder
from bellwether.send.prepare.prepare import Choices, Ready, prepare

# How long what may go on (a stack trace, an open quote, a renamed file) is waited for
SETTLED_S = 2.0
# A program may write into a log that was renamed until it is told to open it anew
RENAMED_S = 5.0
_NO_LINE_BYTES = LINE_BYTES_MAX + 1


@dataclass(frozen=True, slots=True)
class Wish:
    """What is followed, as what. load_id: what its events carry, None for nothing."""

    path: Path
    choices: Choices
    load_id: str | None
    skip_bad: bool = False
    from_end: bool = False


class Stop(Exception):
    """The log should not be sent like this; the text says why and what to do."""


@dataclass(slots=True)
class Counts:
    """What became of the events since the start."""

    accepted: int = 0
    refused: int = 0


class Follower:
    """Follows one log. now_s: the present in unix seconds; say: tells the operator; on_refused:
    takes what was not stored, with line and reason.
    """

    def __init__(
        self,
        wish: Wish,
        place: Place,
        place_path: Path,
        poster: Poster,
        now_s: Callable[[], float],
        say: Callable[[str], None],
        on_refused: Callable[[int, str, bytes], None],
    ) -> None:
        self._wish = wish
        self.place = place
        self._place_path = place_path
        self._poster = poster
        self._now_s = now_s
        self._say = say
        self._on_refused = on_refused
        self._file: LogFile | None = None
        self._grew_s = now_s()  # when the file was last seen to grow
        self._seen = -1
        self._is_gone = False  # the file of the place was looked for and is nowhere
        self.counts = Counts()

    def close(self) -> None:
        """Close the file; the place is kept already."""
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
        if self.place.until:
            self._send_again(file)
            return True
        if not file.is_packed and not file.holds(self.place):
            self._say(f"{file.path} was truncated or written anew")
            self._leave(file, find_again(self._wish.path, self.place))
            return True
        if not self.place.kind and not self._is_told(file):
            return False
        data = file.read(self.place.offset, CHUNK_BYTES)
        if file.size() != self._seen:
            self._seen, self._grew_s = file.size(), self._now_s()
        quiet_s = self._now_s() - self._grew_s
        is_settled = quiet_s >= SETTLED_S
        is_over = file.is_packed or (quiet_s >= RENAMED_S and not file.is_at(self._wish.path))
        if data and self._take(file, data, is_over, is_settled):
            return True
        if is_over and not file.read(self.place.offset, 1):
            return self._go_on(file)
        return False

    def _open(self) -> bool:
        """Open the file of the place, or the log where it begins; False if there is none yet."""
        place = self.place
        if place.file and not (self._is_gone and not self._wish.path.exists()):
            found = find_again(self._wish.path, place)
            if found is not None:
                if found.path != self._wish.path:
                    self._say(f"going on in {found.path}, which was {self._wish.path.name}")
                self._file, self._is_gone = found, False
                return True
            if not self._is_gone:
                self._say(
                    f"the file that was sent up to its byte {place.offset:,} is gone: what was "
                    "added to it since then is not sent"
                )
            self._is_gone = True
        path = self._wish.path
        if place.file and place.now_ns:  # what was put aside since then was not sent either
            path = oldest_since(path, place.now_ns)
        try:
            file = LogFile(path)
        except (OSError, SourceError):
            return False
        is_first = not place.file
        self._begin(file)
        if is_first and self._wish.from_end and (self.place.kind or self._is_told(file)):
            self._skip_to_end(file)
        return True

    def _is_told(self, file: LogFile) -> bool:
        """Whether the format is known; it is told from the first lines. Raises UnknownFormat."""
        head = file.read(0, HEAD_BYTES)
        whole = head[: head.rfind(b"\n") + 1]
        if not whole:
            return False
        kind = detect(whole, self._wish.path.name)
        self.place = msgspec.structs.replace(self.place, kind=kind)
        self._say(f"{file.path} is read as {kind}")
        return True

    def _skip_to_end(self, file: LogFile) -> None:
        """Begin behind what the log holds already."""
        size = file.size()
        begin = max(size - _NO_LINE_BYTES, 0)
        last = file.read(begin, size - begin).rfind(b"\n")
        self.place = msgspec.structs.replace(
            file.grown(self.place), kind=self.place.kind, prefix=self._prefix(file)
        )
        self._moved(file, begin + last + 1, 0, in_long_line=last < 0 and begin > 0)

    def _begin(self, file: LogFile) -> None:
        self._file, self._seen, self._is_gone = file, -1, False
        now_ns = int(self._now_s() * 1e9)
        self.place = msgspec.structs.replace(file.begin(self.place), now_ns=now_ns)
        self._keep()

    def _leave(self, file: LogFile, rest: LogFile | None) -> None:
        """Go on in the copy that has what was not read of a truncated file, else at its start."""
        file.close()
        if rest is not None:
            self._file, self._seen = rest, -1
            return
        self._file = None
        try:
            self._begin(LogFile(self._wish.path))
        except OSError:  # it was removed just now: what is written next is waited for
            return

    def _go_on(self, file: LogFile) -> bool:
        """From a file that is at its end to the next one; False if there is none yet."""
        if (damage := file.damage()) is not None:
            self._say(f"{damage}: what can be read before that was sent")
        following = next_after(self._wish.path, file, self.place)
        if following is None:
            return False
        self._say(f"{file.path} is at its end: going on in {following.path}")
        file.close()
        self._begin(following)
        return True

    def _take(self, file: LogFile, data: bytes, is_over: bool, is_settled: bool) -> bool:
        """Send what is whole of these bytes; False to wait for more."""
        place = self.place
        if place.in_long_line or b"\n" not in data:
            passed = self._long_line(file, data, is_over)
            if passed is not None:
                return passed
            data = file.read(place.offset, _NO_LINE_BYTES)
        read = len(data)
        data = first_lines(data)
        is_full = read >= CHUNK_BYTES or len(data) < read
        is_last = is_over and not is_full
        chunk = self._chunk(data, is_last)
        if chunk is None and is_full:  # one document or entry that is larger
            data = file.read(place.offset, _NO_LINE_BYTES)
            chunk = self._chunk(data, False)
        if chunk is None and (is_settled or is_full):
            chunk = self._chunk(data[: data.rfind(b"\n") + 1], True)
        if chunk is None:
            return False
        self._commit(file, chunk)
        return True

    def _chunk(self, data: bytes, is_last: bool) -> Chunk | None:
        place = self.place
        prefix = place.prefix if place.offset else b""
        options = self._wish.choices.options
        return read_chunk(data, prefix, place.line, place.kind, options, is_last)

    def _long_line(self, file: LogFile, data: bytes, is_over: bool) -> bool | None:
        """Pass over a line that is too long to be an event; None if this is none."""
        place = self.place
        end = data.find(b"\n") + 1
        if place.in_long_line:
            passed = end or len(data)
            self._moved(file, passed, int(bool(end)), in_long_line=not end)
            return True
        whole = file.read(place.offset, _NO_LINE_BYTES)
        if len(whole) < _NO_LINE_BYTES or b"\n" in whole:
            return None if is_over or b"\n" in whole else False
        self._refuse(place.line + 1, TOO_LONG, b"")
        self._moved(file, len(whole), 0, in_long_line=True)
        return True

    def _commit(self, file: LogFile, chunk: Chunk) -> None:
        """Send a chunk: its borders are written down before, the place after."""
        now_ns = int(self._now_s() * 1e9)
        until = self.place.offset + chunk.size
        self.place = msgspec.structs.replace(
            file.grown(self.place), until=until, now_ns=now_ns, prefix=self._prefix(file)
        )
        self._keep()
        self._post(chunk)
        self._moved(file, chunk.size, chunk.lines, prefix=chunk.prefix or self.place.prefix)

    def _send_again(self, file: LogFile) -> None:
        """Send what was being sent when this stopped, under the id that it had."""
        place = self.place
        data = file.read(place.offset, place.until - place.offset)
        chunk = self._chunk(data, True)
        if chunk is None or chunk.size != place.until - place.offset:
            self._say(f"{file.path}: {place.until - place.offset:,} bytes are gone and not sent")
            self.place = msgspec.structs.replace(place, until=0)
            self._keep()
            return
        self._post(chunk)
        self._moved(file, chunk.size, chunk.lines, prefix=chunk.prefix or place.prefix)

    def _post(self, chunk: Chunk) -> None:
        place = self.place
        choices = self._wish.choices
        finder = TimeFinder(choices.times, place.now_ns, place.order)
        ready = list(prepare(chunk.items, choices, place.now_ns, self._wish.load_id, finder=finder))
        self.place = msgspec.structs.replace(place, order=finder.order)
        if place.file == 1 and place.offset == 0 and not self._wish.skip_bad:
            reason = why_stop(ready, False)
            if reason is not None:
                self.place = msgspec.structs.replace(place, until=0)
                self._keep()
                raise Stop(reason)
        events = [event for event in ready if event.error is None]
        refused = [(event, event.error) for event in ready if event.error is not None]
        if events:
            refused += self._poster.post(events, _batch_id(place))
        self.counts.accepted += len(ready) - len(refused)
        for event, reason in sorted(refused, key=_line_of):
            self._refuse(event.line, reason, event.source)

    def _refuse(self, line: int, reason: str, source: bytes) -> None:
        self.counts.refused += 1
        self._on_refused(line, reason, source)

    def _prefix(self, file: LogFile) -> bytes:
        """What every later chunk of a table needs before it: the names at its beginning."""
        place = self.place
        if place.offset or place.kind not in ("csv", "tsv"):
            return place.prefix
        return table.header_of(file.read(0, HEAD_BYTES), place.kind, self._wish.choices.options)

    def _moved(
        self, file: LogFile, size: int, lines: int, in_long_line: bool = False, prefix: bytes = b""
    ) -> None:
        place = self.place
        offset = place.offset + size
        begin = max(offset - TAIL_BYTES, 0)
        self.place = msgspec.structs.replace(
            place,
            offset=offset,
            tail=digest(file.read(begin, offset - begin)),
            line=place.line + lines,
            until=0,
            in_long_line=in_long_line,
            prefix=prefix or place.prefix,
        )
        self._keep()

    def _keep(self) -> None:
        write_place(self._place_path, self.place)


def _batch_id(place: Place) -> str:
    """The same for the same bytes, and never for others: files are counted."""
    name = f"{place.key}\n{place.file}\n{place.offset}\n{place.until}"
    return f"follow-{digest(name.encode())}"


def _line_of(refused: tuple[Ready, str]) -> int:
    return refused[0].line
