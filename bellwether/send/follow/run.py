"""Run `bellwether send --follow` until it is told to stop."""

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
from bellwether.send.follow.follower import Follower, Stop, Wish
from bellwether.send.follow.place import (
    Place,
    PlaceError,
    only_one,
    place_file,
    read_place,
    write_place,
)
from bellwether.send.follow.post import Poster

POLL_S = 0.25
ANSWER_S = 60.0  # a store that takes longer is asked again, under the same batch id
TOLD_EVERY_S = 60.0  # of refused lines only so many are told in so long
_TOLD_MAX = 5


class Stopped(Exception):
    """A signal ended it; what was being sent is sent again at the next start."""


def follow(
    path: Path,
    dataset: str,
    target: Target,
    wish_of: Callable[[str], Wish],
    kind: str | None,
    folder: Path,
    rejects: IO[bytes] | None,
    now_s: Callable[[], float],
) -> int:
    """Follow the log until SIGINT or SIGTERM; returns the exit code.

    wish_of: makes the wish from the load's id; folder: where the place is kept.
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
    place_path = place_file(folder, str(path), dataset, target.url)
    teller = _Teller(now_s, rejects)
    try:
        with only_one(place_path), calling(target, ANSWER_S) as caller:
            place = read_place(place_path)
            if place is None:
                place = Place(key=secrets.token_hex(8))
                write_place(place_path, place)
            if kind is not None:
                place = msgspec.structs.replace(place, kind=kind)
            _check_key(caller.json, _say)
            poster = Poster(caller, dataset, wait, _say, random.Random())
            wish = wish_of(f"follow-{place.key}")
            follower = Follower(wish, place, place_path, poster, now_s, _say, teller.refused)
            _say(f"following {path} into {dataset}" + _from_where(path, place))
            try:
                while not stop.is_set():
                    if not follower.step():
                        teller.tell()
                        stop.wait(POLL_S)
            finally:
                teller.tell(now=True)
                counts = follower.counts
                _say(f"{counts.accepted:,} events stored, {counts.refused:,} not")
                follower.close()
    except Stopped:
        return 0
    except (PlaceError, ClientError, UnknownFormat, Stop) as error:
        raise click.ClickException(str(error)) from error
    return 0


def refuse_with_follow(file: str, **flags: bool) -> None:
    """Raises ValueError for what makes no sense beside --follow."""
    if file == "-":
        raise ValueError("--follow needs a file: a pipe is read until its end without it")
    for name, is_given in flags.items():
        if is_given:
            raise ValueError(f"--{name.replace('_', '-')} and --follow exclude each other")


def _from_where(path: Path, place: Place) -> str:
    if not path.exists() and not place.file:
        return ": waiting for the file"
    return f", from its line {place.line + 1:,}" if place.file else ""


def _check_key(ask: Callable[[str, str], object], say: Callable[[str], None]) -> None:
    """Tell a wrong key, or a certificate that is not trusted, at once. Raises ClientError."""
    try:
        ask("GET", "/1/auth")
    except ClientError as error:
        if error.status in (401, 403) or "certificate" in str(error):
            raise
        say(f"the store does not answer yet: {error}")


def _say(text: str) -> None:
    click.echo(text, err=True)


class _Teller:
    """Tells of refused lines: the first of a minute, and how many there were."""

    def __init__(self, now_s: Callable[[], float], rejects: IO[bytes] | None) -> None:
        self._now_s = now_s
        self._rejects = rejects
        self._begin_s = now_s()
        self._count = 0

    def refused(self, line: int, reason: str, source: bytes) -> None:
        """A line was not stored."""
        self._count += 1
        if self._count <= _TOLD_MAX:
            _say(f"line {line} not stored: {reason}")
        if self._rejects is not None:
            text = source.decode("utf-8", "replace")
            told = {"line": line, "reason": reason, "source": text}
            self._rejects.write(orjson.dumps(told) + b"\n")
            self._rejects.flush()

    def tell(self, now: bool = False) -> None:
        """How many more there were, once a minute."""
        if not now and self._now_s() - self._begin_s < TOLD_EVERY_S:
            return
        if self._count > _TOLD_MAX:
            _say(f"{self._count - _TOLD_MAX:,} more lines were not stored")
        self._count, self._begin_s = 0, self._now_s()
