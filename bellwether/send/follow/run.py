"""Run `bellwether send --follow` until a signal stops it."""

from __future__ import annotations

import random
import secrets
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import IO

import click
import msgspec
import orjson

from bellwether.client import ClientError, Target
from bellwether.client.caller import calling
from bellwether.send.event import UnknownFormat
from bellwether.send.follow.bookmark import (
    Bookmark,
    BookmarkError,
    bookmark_file,
    exclusive,
    read_bookmark,
    write_bookmark,
)
from bellwether.send.follow.follower import Follower, FollowOptions, FollowRefused
from bellwether.send.follow.post import Poster

POLL_S = 0.25
ANSWER_S = 60.0  # after a longer wait the batch is sent again, under the same id
SUMMARY_EVERY_S = 60.0  # between two summaries of refused lines
_SHOWN_MAX = 5


class Stopped(Exception):
    """A signal ended it; the chunk in flight is sent again at the next start."""


def follow(
    path: Path,
    dataset: str,
    target: Target,
    options_of: Callable[[str], FollowOptions],
    kind: str | None,
    folder: Path,
    rejects: IO[bytes] | None,
    now_s: Callable[[], float],
) -> int:
    """Follow the log until SIGINT or SIGTERM; returns the exit code.

    options_of: makes the options from the load's id.
    folder: where the bookmark is saved.
    """
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()
        raise Stopped

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)

    def wait(seconds: float) -> None:
        stop.wait(seconds)

    path = path.absolute()
    bookmark_path = bookmark_file(folder, str(path), dataset, target.url)
    refusals = _RefusalLog(now_s, rejects)
    try:
        with exclusive(bookmark_path), calling(target, ANSWER_S) as caller:
            bookmark = read_bookmark(bookmark_path)
            if bookmark is None:
                bookmark = Bookmark(key=secrets.token_hex(8))
                write_bookmark(bookmark_path, bookmark)
            if kind is not None:
                bookmark = msgspec.structs.replace(bookmark, kind=kind)
            _check_key(caller.json, _notify)
            poster = Poster(caller, dataset, wait, _notify, random.Random())
            options = options_of(f"follow-{bookmark.key}")
            follower = Follower(
                options, bookmark, bookmark_path, poster, now_s, _notify, refusals.refused
            )
            _notify(f"following {path} into {dataset}" + _from_where(path, bookmark))
            try:
                while not stop.is_set():
                    if not follower.step():
                        refusals.summarize()
                        stop.wait(POLL_S)
            finally:
                refusals.summarize(now=True)
                counts = follower.counts
                _notify(f"{counts.accepted:,} events stored, {counts.refused:,} not")
                follower.close()
    except Stopped:
        return 0
    except (BookmarkError, ClientError, UnknownFormat, FollowRefused) as error:
        raise click.ClickException(str(error)) from error
    return 0


def refuse_with_follow(file: str, **flags: bool) -> None:
    """Raises ValueError for what makes no sense beside --follow."""
    if file == "-":
        raise ValueError("--follow needs a file: a pipe is read until its end without it")
    for name, is_given in flags.items():
        if is_given:
            raise ValueError(f"--{name.replace('_', '-')} and --follow exclude each other")


def _from_where(path: Path, bookmark: Bookmark) -> str:
    if not path.exists() and not bookmark.file:
        return ": waiting for the file"
    return f", from its line {bookmark.line + 1:,}" if bookmark.file else ""


def _check_key(ask: Callable[[str, str], object], notify: Callable[[str], None]) -> None:
    """Fail at once on a wrong key or a certificate that is not trusted. Raises ClientError."""
    try:
        ask("GET", "/1/auth")
    except ClientError as error:
        if error.status in (401, 403) or "certificate" in str(error):
            raise
        notify(f"the store does not answer yet: {error}")


def _notify(text: str) -> None:
    click.echo(text, err=True)


class _RefusalLog:
    """Prints refused lines: the first few of each minute, and how many more there were."""

    def __init__(self, now_s: Callable[[], float], rejects: IO[bytes] | None) -> None:
        self._now_s = now_s
        self._rejects = rejects
        self._begin_s = now_s()
        self._count = 0

    def refused(self, line: int, reason: str, source: bytes) -> None:
        """A line was not stored."""
        self._count += 1
        if self._count <= _SHOWN_MAX:
            _notify(f"line {line} not stored: {reason}")
        if self._rejects is not None:
            text = source.decode("utf-8", "replace")
            entry = {"line": line, "reason": reason, "source": text}
            self._rejects.write(orjson.dumps(entry) + b"\n")
            self._rejects.flush()

    def summarize(self, now: bool = False) -> None:
        """Print how many more lines were refused, once a minute."""
        if not now and self._now_s() - self._begin_s < SUMMARY_EVERY_S:
            return
        if self._count > _SHOWN_MAX:
            _notify(f"{self._count - _SHOWN_MAX:,} more lines were not stored")
        self._count, self._begin_s = 0, self._now_s()
